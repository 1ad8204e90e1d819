r"""Theory and a head's own small runs together: theory as the shape, the runs as its correction.

In units z = Phi^{-1}(accuracy) a trained head is taken to be off its kernel by a power of n, and by
what the theory itself is off,

    z(n) = z_theory(n) + A n^{-c} + o + w(n),    0 <= c <= 1.

c = 0 is an offset that stays, c = 1/2 and 1 are the slow and the fast rate at which estimation
errors vanish. A is normal with a standard deviation of 1 in z at the largest n of the runs, c is
uniform. o and w, an offset and a random walk in log2 n, are the theory's error: `OFFSET` and `WALK`
are what it is for kernel heads in the main job (docs/results/comparison.csv), and were not fitted
to trained heads. All is normal but c, which is integrated out: what is returned is the posterior
mean, with the posterior's spread. z_theory is that of the head's kernel at its best ridge. Beside
it stands a curve without theory, z_theory = 0 with an offset of standard deviation 1, and for a
head without a kernel of its own those of all of `fusiontheory.HEADS` and of chance, each with the
probability that the runs give it.

A first form of this rule had the theory's error independent at each n, and no curve without theory.
It was changed after its errors on trained heads had been seen (docs/predictors.md).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtr, ndtri

from fusiontheory.checks import InputError, sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.curves.own_runs import checked_runs, read_runs
from fusiontheory.curves.predict import predict_curve
from fusiontheory.heads import HEADS, heads_for
from fusiontheory.moments import Moments
from fusiontheory.typing import Array

__all__ = ["OFFSET", "WALK", "forecast_trained"]

OFFSET = 0.02
"""Standard deviation of the theory's error in Phi^{-1}(accuracy), the same at all n."""

WALK = 0.01
"""Standard deviation of what this error changes by from n to 2 n."""

_POWERS = np.linspace(0.0, 1.0, 21)
_LEAST_SIZES = 2
# Spread of one run where nothing tells it: 1 point of accuracy.
_UNKNOWN_SD = 0.01
# Of a mean over runs that all agree: a test pair in 10,000.
_LEAST_SE = 1e-4
_EDGE = 1e-4
_CHANCE, _ALONE = "chance", "none"


@checked
def forecast_trained(
    moments: Moments,
    runs: pd.DataFrame | str | os.PathLike[str],
    n: ArrayLike,
    *,
    training_images: int | None = None,
) -> pd.DataFrame:
    """Forecast the accuracy of trained heads at larger n from their own runs at small n.

    For someone who has trained at three small n, such as 512, 1024 and 2048, and asks about 4 and 8
    times the largest. It is for matching, as `predict_curve` is.

    Args:
        moments: of the features of the images to train on.
        runs: columns head, n, accuracy (fractions), and seed if there are; or a CSV file. Each head
            needs two sizes, better three, and better several seeds at each. They are all of one
            setting: a column ``setting`` or ``condition`` must have one value.
        n: numbers of training pairs to forecast, none below the largest n of the runs.
        training_images: see `predict_curve`; of the runs and of what is forecast.

    Returns:
        Columns head, n, accuracy, accuracy_low, accuracy_high (95 % interval of the mean over
        seeds) and shape: the kernel whose curve the runs follow most probably, "chance", or "none"
        where they follow no theory.

    Raises:
        InputError: as `fusiontheory.compare` does for runs; if a head has a single size, an n is
            below the largest n of the runs, or runs of several settings are mixed.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> shared = rng.standard_normal((500, 8))
        >>> moments = Moments.from_features(shared, shared + rng.standard_normal((500, 8)))
        >>> runs = pd.DataFrame({"head": "mine", "n": [64, 128, 256], "accuracy": 0.5})
        >>> told = forecast_trained(moments, runs, [1024, 2048])
        >>> told["accuracy"].round(2).tolist()  # what is at chance at all n stays there
        [0.5, 0.5]
    """
    given = checked_runs(runs) if isinstance(runs, pd.DataFrame) else read_runs(runs)
    wanted = sample_sizes("n", n)
    _check(given, wanted)
    sizes = np.unique(np.concatenate([given["n"].to_numpy(float), wanted]))
    heads = list(dict.fromkeys(str(head) for head in given["head"]))
    shapes = _shapes(heads, moments, sizes, training_images)
    rows = []
    for head in heads:
        own = {head: shapes[head]} if head in shapes else shapes
        part = given[given["head"] == head]
        rows += _forecast(part, wanted, sizes, own, head)
    return pd.DataFrame(rows)


def _check(runs: pd.DataFrame, wanted: Array) -> None:
    counts = runs.groupby("head")["n"].nunique()
    few = counts[counts < _LEAST_SIZES]
    if len(few):
        raise InputError(
            f"runs must have at least {_LEAST_SIZES} sizes of each head, got {few.iloc[0]} of"
            f" {few.index[0]}; train at another small n"
        )
    largest = float(runs["n"].max())
    if wanted.min() < largest:
        raise InputError(
            f"n must be at least {largest:g}, the largest n of the runs, got {wanted.min():g}"
        )


def _shapes(
    heads: list[str], moments: Moments, sizes: Array, training_images: int | None
) -> dict[str, Array]:
    """Return z of the theory at each size, of the heads with a kernel, or of all there are."""
    known = [head for head in heads if head in HEADS]
    if len(known) < len(heads):
        known = heads_for(*moments.dimensions)
    shapes = {}
    for name in known:
        curve = predict_curve(name, moments, sizes, "best", training_images=training_images)
        shapes[name] = np.asarray(ndtri(np.clip(curve["accuracy"], _EDGE, 1 - _EDGE)))
    if any(head not in HEADS for head in heads):
        shapes[_CHANCE] = np.zeros_like(sizes)
    return shapes


def _forecast(
    runs: pd.DataFrame, wanted: Array, sizes: Array, shapes: Mapping[str, Array], head: str
) -> list[dict[str, object]]:
    at, z, error = _measured(runs)
    every = np.concatenate([at, wanted])
    means, variances, weights, names = [], [], [], []
    for name, shape in {**shapes, _ALONE: np.zeros_like(sizes)}.items():
        line = np.interp(every, sizes, shape)
        for power in _POWERS:
            covariance = _covariance(every, at[-1], power, 1.0 if name == _ALONE else OFFSET)
            left = z - line[: at.size]
            mean, variance, evidence = _conditional(covariance, left, error)
            means.append(line[at.size :] + mean)
            variances.append(variance)
            weights.append(evidence)
            names.append(name)
    weight = np.exp(np.array(weights) - max(weights))
    weight /= weight.sum()
    mean = weight @ np.array(means)
    variance = weight @ (np.array(variances) + (np.array(means) - mean) ** 2)
    half = 1.96 * np.sqrt(variance)
    probable = pd.Series(weight).groupby(names).sum().idxmax()
    columns = [ndtr(mean), ndtr(mean - half), ndtr(mean + half)]
    return [
        {
            "head": head,
            "n": int(size) if size.is_integer() else size,
            **{
                f"accuracy{end}": float(column[k])
                for end, column in zip(("", "_low", "_high"), columns, strict=True)
            },
            "shape": str(probable),
        }
        for k, size in enumerate(wanted.tolist())
    ]


def _covariance(sizes: Array, largest: float, power: float, offset: float) -> Array:
    """Return the prior covariance of z less the theory at each two sizes."""
    basis = (sizes / largest) ** -power
    steps = np.log2(sizes / sizes.min())
    walk = WALK**2 * np.minimum(steps[:, None], steps[None, :])
    return np.asarray(np.outer(basis, basis) + offset**2 + walk)


def _conditional(covariance: Array, left: Array, error: Array) -> tuple[Array, Array, float]:
    """Return mean and variance at the later sizes, and the log evidence of ``left``."""
    k = left.size
    factor = cho_factor(covariance[:k, :k] + np.diag(error**2), lower=True)
    gain = cho_solve(factor, covariance[:k, k:])
    variance = np.diag(covariance)[k:] - np.einsum("ij,ij->j", covariance[:k, k:], gain)
    spread = 2 * float(np.log(np.diag(factor[0])).sum())
    evidence = -0.5 * (float(left @ cho_solve(factor, left)) + spread)
    return gain.T @ left, variance, evidence


def _measured(runs: pd.DataFrame) -> tuple[Array, Array, Array]:
    """Return sizes, z of the mean accuracy, and its standard error over seeds in z."""
    grouped = runs.groupby("n")["accuracy"]
    mean, count = grouped.mean(), grouped.count()
    # One spread for all sizes: of few seeds each says little.
    free = int((count - 1).sum())
    squares = float(((count - 1) * grouped.var().fillna(0)).sum())
    spread = (squares / free) ** 0.5 if free else _UNKNOWN_SD
    se = np.maximum(spread / np.sqrt(count.to_numpy(float)), _LEAST_SE)
    z = ndtri(np.clip(mean.to_numpy(float), _EDGE, 1 - _EDGE))
    slope = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return mean.index.to_numpy(float), z, se / slope
