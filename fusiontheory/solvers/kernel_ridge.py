"""Kernel ridge regression on pairs, at every sample size of a nested sequence at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky

from fusiontheory.checks import InputError, non_negative, positive_integer
from fusiontheory.data import Pairs
from fusiontheory.heads import Head

__all__ = ["Measured", "PairFeatures", "gather", "measure_curve"]

_Array = NDArray[np.float64]

# Rows of a Gram matrix made at a time, so that its temporaries stay small beside it.
_BLOCK = 512


@dataclass(frozen=True, eq=False)
class PairFeatures:
    """Features of pairs: image (n, d_v), text (n, d_t) and label +-1 (n,)."""

    image: NDArray[Any]
    text: NDArray[Any]
    label: _Array


@dataclass(frozen=True)
class Measured:
    """What one trained head does on test pairs.

    Attributes:
        n: number of training pairs.
        accuracy: share of test pairs whose sign is right; an output of exactly 0 counts half.
        risk: mean squared error against labels +-1.
    """

    n: int
    accuracy: float
    risk: float


def gather(image: NDArray[Any], text: NDArray[Any], pairs: Pairs) -> PairFeatures:
    """Return the features of ``pairs`` out of image (rows, d_v) and text (rows, captions, d_t).

    Example:
        >>> from fusiontheory.data import draw_pairs
        >>> pairs = draw_pairs([0, 1], captions=1, n=2, seed=np.random.SeedSequence(0))
        >>> gather(np.eye(2), np.eye(2)[:, None], pairs).image.shape
        (2, 2)
    """
    return PairFeatures(image[pairs.image], text[pairs.text, pairs.caption], pairs.label)


def measure_curve(
    head: Head, train: PairFeatures, test: PairFeatures, sizes: Sequence[int], ridge: float
) -> list[Measured]:
    """Train ``head`` on the first n training pairs for each n, and test each on all test pairs.

    Minimises sum_i (y_i - f(x_i) - b)^2 + ridge |f|^2 over f in the kernel's space and an
    intercept b that is not penalised: f(x) = k(x)^T (K + ridge I)^{-1} (y - b 1). One Cholesky
    factor serves every n, because the factor of a leading block is the leading block of the
    factor; heads with explicit features are solved in the primal.

    Args:
        head: its kernel, or features where it has them.
        train: at least max(sizes) pairs.
        test: test pairs.
        sizes: sample sizes, each at least 2.
        ridge: delta of K + delta I, absolute; above 0.

    Raises:
        InputError: for sizes below 2 or above the number of training pairs, or a ridge that is
            not above 0.

    Example:
        >>> from fusiontheory.heads import find_head
        >>> rng = np.random.default_rng(0)
        >>> v, y = rng.standard_normal((40, 3)), np.tile([1.0, -1.0], 20)
        >>> pairs = PairFeatures(v, v * y[:, None], y)
        >>> [m.accuracy for m in measure_curve(find_head("bilinear"), pairs, pairs, [40], 0.1)]
        [1.0]
    """
    if not len(sizes):
        raise InputError("sizes must have at least one sample size, got none")
    for n in sizes:
        positive_integer("sizes", n, minimum=2)
    if max(sizes) > train.label.size:
        raise InputError(
            f"sizes must be at most the {train.label.size} training pairs, got {max(sizes)}"
        )
    if non_negative("ridge", ridge) == 0:
        raise InputError("ridge must be above 0 to measure, got 0")
    outputs = _primal if head.features is not None else _dual
    return [
        _score(n, output, test.label)
        for n, output in zip(sizes, outputs(head, train, test, sizes, ridge), strict=True)
    ]


def _dual(
    head: Head, train: PairFeatures, test: PairFeatures, sizes: Sequence[int], ridge: float
) -> list[_Array]:
    most = max(sizes)
    gram = np.zeros((most, most), order="F")
    for start in range(0, most, _BLOCK):
        stop = min(start + _BLOCK, most)
        # Columns of the lower triangle: the other half is neither computed nor read.
        gram[start:, start:stop] = head.gram(
            train.image[start:most],
            train.text[start:most],
            train.image[start:stop],
            train.text[start:stop],
        )
    gram[np.diag_indices(most)] += ridge
    factor = cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
    weights = np.zeros((most, len(sizes)))
    intercepts = np.zeros(len(sizes))
    for column, n in enumerate(sizes):
        sides = np.stack([train.label[:n], np.ones(n)], axis=1)
        solved = cho_solve((factor[:n, :n], True), sides, check_finite=False)
        # Stationarity in b: 1^T K^{-1} (y - b 1) = 0.
        intercepts[column] = solved[:, 0].sum() / solved[:, 1].sum()
        weights[:n, column] = solved[:, 0] - intercepts[column] * solved[:, 1]
    outputs = np.empty((test.label.size, len(sizes)))
    for start in range(0, test.label.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        kernel = head.gram(
            test.image[block], test.text[block], train.image[:most], train.text[:most]
        )
        outputs[block] = kernel @ weights + intercepts
    return list(outputs.T)


def _primal(
    head: Head, train: PairFeatures, test: PairFeatures, sizes: Sequence[int], ridge: float
) -> list[_Array]:
    if head.features is None:
        raise InputError(f"head {head.name} has no explicit features")
    design = np.asarray(head.features(train.image, train.text), dtype=np.float64)
    test_design = np.asarray(head.features(test.image, test.text), dtype=np.float64)
    outputs = []
    for n in sizes:
        x, y = design[:n], train.label[:n]
        mean = x.mean(axis=0)
        centred = x - mean
        normal = centred.T @ centred
        normal[np.diag_indices(len(normal))] += ridge
        weights = np.linalg.solve(normal, centred.T @ (y - y.mean()))
        outputs.append((test_design - mean) @ weights + y.mean())
    return outputs


def _score(n: int, output: _Array, label: _Array) -> Measured:
    return Measured(
        n=int(n),
        accuracy=float(np.mean((np.sign(output) * label + 1) / 2)),
        risk=float(np.mean((output - label) ** 2)),
    )
