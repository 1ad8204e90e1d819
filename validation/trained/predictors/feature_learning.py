r"""Kernel ridge regression on features that are reweighted by what a network learns first.

A network that is not lazy stretches the directions of its inputs that its output depends on. Of a
kernel regression f(x) = sum_j w_j K(x, x_j) on inputs x = [v; t] the average gradient outer product

    M = mean_i grad f(x_i) grad f(x_i)^T

says what these are, and the inputs M^{1/4} x, brought back to a mean squared length of 1, are those
of a network that has stretched them. Three choices of f:

- *plain*: none, the tangent kernel of the wide network;
- *fitted*: the ridge regression itself, one round of the recursive feature machine;
- *first gradient*: w_j = y_j less their mean. It is the direction in which gradient descent moves f
  at the start, before any residual has become small, and the limit of f at a large ridge.

With the power 1/4 the Gram matrix of the first layer, M^{1/2}, is that of the neural feature
ansatz.

Source: Radhakrishnan, Beaglehole, Pandit & Belkin, arXiv:2212.13881; of the first gradient Ba et
al., arXiv:2205.01445.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve

from fusiontheory.data import FeatureSet
from fusiontheory.heads import relu_tangent_kernel
from fusiontheory.store import Cell, RecordStore, code_version
from fusiontheory.typing import Array
from validation.trained.design import TrainedStudy, held_out_pairs, training_pairs
from validation.trained.predictors.recorded import RecordedCurve, recorded_curves

__all__ = [
    "KINDS",
    "POWER",
    "feature_learning_curve",
    "feature_learning_table",
    "fitted_ridge",
    "kernel_accuracy",
    "of_unit_length",
    "paired_inputs",
    "reweighted",
]

STUDY = "feature-learning"
"""Name of the records."""

POWER = 0.25
KINDS = ("plain", "fitted", "first gradient")
RIDGES = (1e-4, 1e-3, 1e-2, 3e-2, 1e-1)
"""Of a kernel whose mean diagonal is 1; chosen on dev pairs at each round."""

_GRID = np.cos(np.linspace(np.pi, 0.0, 20_001))


def feature_learning_table(
    conditions: dict[str, FeatureSet],
    study: TrainedStudy,
    sizes: Sequence[int],
    seeds: Sequence[int],
    store: RecordStore,
    fill: bool = True,
) -> pd.DataFrame:
    """Return the curves of each condition and seed; with ``fill`` what is not on record is made.

    Args:
        conditions: features by name.
        study: whose pairs are taken.
        sizes: numbers of training pairs.
        seeds: of the study's pairs.
        store: gets a record for each condition, n and seed.
        fill: whether to compute, or to read records alone.

    Returns:
        Columns condition, n, seed, learned (of `KINDS`), ridge, accuracy.
    """
    code = code_version(feature_learning_curve)
    curves = [
        RecordedCurve(
            {"condition": name},
            Cell(STUDY, {"n": n, "seed": seed, "power": POWER}, features.fingerprint, code),
            partial(feature_learning_curve, features, study, n, seed),
        )
        for name, features in conditions.items()
        for n in sizes
        for seed in seeds
    ]
    columns = ["condition", "n", "seed", "learned", "ridge", "accuracy"]
    return recorded_curves(curves, columns, store, fill)


def feature_learning_curve(
    features: FeatureSet, study: TrainedStudy, n: int, seed: int
) -> pd.DataFrame:
    """Return test accuracy of each of `KINDS`, columns learned, ridge and accuracy.

    Args:
        features: of all splits.
        study: whose training, dev and test pairs are taken.
        n: number of training pairs.
        seed: of the training pairs.
    """
    inputs, labels = paired_inputs(features, study, n, seed)
    rows = [{"learned": "plain", **kernel_accuracy(inputs, labels)}]
    weights = rows[0].pop("weights")
    for kind, own in zip(KINDS[1:], (weights, labels[0] - labels[0].mean()), strict=True):
        root = reweighted(inputs[0], own, POWER)
        root /= np.linalg.norm(root, 2)
        stretched = of_unit_length([x @ root for x in inputs])
        rows.append({"learned": kind, **kernel_accuracy(stretched, labels)})
        del rows[-1]["weights"]
    return pd.DataFrame(rows)


def paired_inputs(
    features: FeatureSet, study: TrainedStudy, n: int, seed: int
) -> tuple[list[Array], list[Array]]:
    """Return [v; t] of training, dev and test pairs, and their labels.

    Args:
        features: of all splits.
        study: whose pairs are taken.
        n: number of training pairs, the first of the seed's.
        seed: of the training pairs.

    Returns:
        Three arrays (pairs, d_v + d_t), of mean squared length 1 on the training pairs, and three
        of +1 and -1.
    """
    pairs = [training_pairs(study, features, seed), *held_out_pairs(study, features)]
    inputs, labels = [], []
    for drawn, count in zip(pairs, (n, None, None), strict=True):
        image, text = drawn.image[:count], drawn.text[:count]
        told = features.text[text, drawn.caption[:count]]
        inputs.append(np.hstack([features.image[image], told]).astype(np.float64))
        labels.append(drawn.label[:count])
    return of_unit_length(inputs), labels


def of_unit_length(inputs: list[Array]) -> list[Array]:
    """Return the inputs over one number, so that the first ones have a mean squared length of 1."""
    scale = np.sqrt((inputs[0] ** 2).sum(axis=1).mean())
    return [x / scale for x in inputs]


def kernel_accuracy(inputs: list[Array], labels: list[Array]) -> dict[str, Any]:
    """Return ridge (best on dev), test accuracy and weights of the wide network's kernel."""
    gram, dev = _kernel(inputs[0], inputs[0]), _kernel(inputs[1], inputs[0])
    ridge, weights, shift = fitted_ridge(gram, dev, labels)
    right = labels[2] * (_kernel(inputs[2], inputs[0]) @ weights + shift) > 0
    return {"ridge": ridge, "accuracy": float(right.mean()), "weights": weights}


def reweighted(inputs: Array, weights: Array, power: float) -> Array:
    """Return M^power of f(x) = sum_j weights_j K(x, inputs_j), a symmetric matrix (d, d).

    With r = |x| and u the cosine of x and x', K = r r' k(u), so that

        grad_x K = r' (k(u) - u k'(u)) x / r + k'(u) x'.

    Example:
        >>> x = np.random.default_rng(0).standard_normal((50, 3))
        >>> root = reweighted(x, x[:, 0], 0.25)  # f rises along the first coordinate
        >>> int(np.argmax(np.diag(root)))
        0
    """
    length = np.linalg.norm(inputs, axis=1)
    unit = inputs / length[:, None]
    cosine = np.clip(unit @ unit.T, -1.0, 1.0)
    kernel = relu_tangent_kernel(cosine)
    slopes = np.gradient(relu_tangent_kernel(_GRID), _GRID)
    slope = np.interp(cosine, _GRID, slopes)
    along = ((kernel - cosine * slope) * length) @ weights
    gradient = along[:, None] * unit + (slope * weights) @ inputs
    values, vectors = np.linalg.eigh(gradient.T @ gradient / len(inputs))
    root: Array = (vectors * np.clip(values, 0.0, None) ** power) @ vectors.T
    return root


def _kernel(left: Array, right: Array) -> Array:
    a, b = np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1)
    kernel: Array = relu_tangent_kernel((left / a[:, None]) @ (right / b[:, None]).T)
    kernel *= a[:, None]
    kernel *= b
    return kernel


def fitted_ridge(gram: Array, dev: Array, labels: Sequence[Array]) -> tuple[float, Array, float]:
    """Return the ridge that is best on dev, the weights of the training pairs, the intercept.

    Args:
        gram: of the training pairs, of mean diagonal 1.
        dev: kernel of dev with training pairs.
        labels: of training and dev pairs.
    """
    best: tuple[float, float, Array, float] | None = None
    for ridge in RIDGES:
        factor = cho_factor(gram + ridge * np.eye(len(gram)), overwrite_a=True)
        ones, raw = cho_solve(factor, np.stack([np.ones(len(gram)), labels[0]], axis=1)).T
        shift = float(raw.sum() / ones.sum())
        weights = raw - shift * ones
        right = float((labels[1] * (dev @ weights + shift) > 0).mean())
        # Of equally good ridges the larger.
        if best is None or right >= best[0]:
            best = right, ridge, weights, shift
    assert best is not None
    return best[1:]
