"""Kernel ridge regression on pairs, at nested sample sizes and many ridges at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fusiontheory.checks import InputError, non_negative, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.data import Pairs
from fusiontheory.heads import Head
from fusiontheory.solvers.nested import NormalEquations, blockwise_gram, dual_ridge, primal_ridge
from fusiontheory.typing import AnyArray, Array

__all__ = ["Measured", "PairFeatures", "Places", "gather", "measured", "with_ridges"]


# Test pairs at a time, so that the kernel's temporaries stay small beside the Gram matrix.
_BLOCK = 512

Places = Sequence[tuple[int, float]]
"""Sample size and ridge of each fit."""


@checked
@dataclass(frozen=True, eq=False)
class PairFeatures:
    """Features of pairs: image (n, d_v), text (n, d_t) and label +-1 (n,)."""

    image: AnyArray
    text: AnyArray
    label: Array


@checked
@dataclass(frozen=True)
class Measured:
    """What one trained head does on test pairs.

    Attributes:
        n: number of training pairs.
        accuracy: share of test pairs whose sign is right; an output of exactly 0 counts half.
        risk: mean squared error against labels +-1.
        ridge: delta that it was trained with.
    """

    n: int
    accuracy: float
    risk: float
    ridge: float


Outputs = Callable[[Head, PairFeatures, PairFeatures, Places], list[Array]]
"""Head, training and test pairs, and places -> outputs on the test pairs, an array a place."""


@checked
def gather(image: AnyArray, text: AnyArray, pairs: Pairs) -> PairFeatures:
    """Return the features of ``pairs`` out of image (rows, d_v) and text (rows, captions, d_t).

    Example:
        >>> from fusiontheory.data import draw_pairs
        >>> pairs = draw_pairs([0, 1], captions=1, n=2, seed=np.random.SeedSequence(0))
        >>> gather(np.eye(2), np.eye(2)[:, None], pairs).image.shape
        (2, 2)
    """
    return PairFeatures(image[pairs.image], text[pairs.text, pairs.caption], pairs.label)


def with_ridges(sizes: Sequence[int], ridge: float | Sequence[float]) -> list[tuple[int, float]]:
    """Return each sample size with its ridge: the one that is given, or its own.

    Raises:
        InputError: for another number of ridges than of sizes.

    Example:
        >>> with_ridges([20, 40], 0.1)
        [(20, 0.1), (40, 0.1)]
    """
    ridges = np.ravel(ridge).tolist() * (len(sizes) if np.ndim(ridge) == 0 else 1)
    if len(ridges) != len(sizes):
        raise InputError(
            f"ridge must be one number or one for each of {len(sizes)} sizes, got {len(ridges)}"
        )
    return list(zip(sizes, ridges, strict=True))


@checked
def measured(
    head: Head,
    train: PairFeatures,
    test: PairFeatures,
    places: Places,
    outputs: Outputs | None = None,
) -> list[Measured]:
    """Train ``head`` at each place on the first n training pairs, and test it on all test pairs.

    The equations are those of `fusiontheory.measure_curve`.

    Args:
        head: its kernel, or features where it has them.
        train: at least as many pairs as the largest n.
        test: test pairs.
        places: n and ridge of each.
        outputs: what returns the outputs on the test pairs, an array for each place; NumPy's
            where not given.

    Raises:
        InputError: for no place, n below 2 or above the number of training pairs, a ridge that is
            not above 0.

    Example:
        >>> from fusiontheory.heads import find_head
        >>> rng = np.random.default_rng(0)
        >>> v, y = rng.standard_normal((40, 3)), np.tile([1.0, -1.0], 20)
        >>> pairs = PairFeatures(v, v * y[:, None], y)
        >>> [m.accuracy for m in measured(find_head("bilinear"), pairs, pairs, [(40, 0.1)])]
        [1.0]
    """
    if not len(places):
        raise InputError("sizes must have at least one sample size, got none")
    for n, ridge in places:
        positive_integer("sizes", n, minimum=2)
        if non_negative("ridge", ridge) == 0:
            raise InputError("ridge must be above 0 to measure, got 0")
    most = max(n for n, _ in places)
    if most > train.label.size:
        raise InputError(f"sizes must be at most the {train.label.size} training pairs, got {most}")
    own = _primal if head.features is not None else _dual
    columns = (outputs or own)(head, train, test, places)
    return [
        Measured(int(n), *_scores(output, test.label), float(ridge))
        for (n, ridge), output in zip(places, columns, strict=True)
    ]


def _dual(head: Head, train: PairFeatures, test: PairFeatures, places: Places) -> list[Array]:
    """Return the outputs on the test pairs, one array for each place."""
    most = max(n for n, _ in places)

    def block(rows: slice, columns: slice) -> AnyArray:
        right = train.image[columns], train.text[columns]
        return head.gram(train.image[rows], train.text[rows], *right)

    gram = blockwise_gram(most, block)
    weights, constants = np.zeros((most, len(places))), np.zeros(len(places))
    by_ridge = _by_ridge(places)
    for last, (ridge, columns) in enumerate(by_ridge.items(), start=1 - len(by_ridge)):
        sizes = [places[column][0] for column in columns]
        own = gram[: max(sizes), : max(sizes)]
        # It is overwritten, and only the last ridge needs no copy.
        own = own if last == 0 else own.copy(order="F")
        fits = dual_ridge(own, train.label[: max(sizes), None], sizes, [ridge], intercept=True)
        for column, fit in zip(columns, fits, strict=True):
            weights[: fit.n, column], constants[column] = fit.alpha[:, 0], fit.constant[0]
    outputs = np.empty((test.label.size, len(places)))
    for start in range(0, test.label.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        kernel = head.gram(test.image[part], test.text[part], train.image[:most], train.text[:most])
        outputs[part] = kernel @ weights + constants
    return list(outputs.T)


def _primal(head: Head, train: PairFeatures, test: PairFeatures, places: Places) -> list[Array]:
    """Return the outputs on the test pairs, one array for each place."""
    if head.features is None:
        raise InputError(f"head {head.name} has no explicit features")
    design = np.asarray(head.features(train.image, train.text), dtype=np.float64)
    test_design = np.asarray(head.features(test.image, test.text), dtype=np.float64)
    outputs = []
    for n, ridge in places:
        # Centred, as a mean far from 0 would cost digits of the normal matrix.
        mean, label = design[:n].mean(axis=0), train.label[:n, None]
        x = design[:n] - mean
        sums = NormalEquations(n, x.T @ x, x.sum(axis=0), x.T @ label)
        (fit,) = primal_ridge(sums, label, [ridge], intercept=True)
        outputs.append((test_design - mean) @ fit.weights[:, 0] + fit.constant[0])
    return outputs


def _by_ridge(places: Places) -> dict[float, list[int]]:
    """Return which places have each ridge."""
    sizes_of: dict[float, list[int]] = {}
    for column, (_, ridge) in enumerate(places):
        sizes_of.setdefault(float(ridge), []).append(column)
    return sizes_of


def _scores(output: Array, label: Array) -> tuple[float, float]:
    """Return accuracy and risk."""
    right = (np.sign(output) * label + 1) / 2
    return float(np.mean(right)), float(np.mean((output - label) ** 2))
