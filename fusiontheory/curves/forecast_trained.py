r"""Theory and a head's own small runs together: theory as the shape, the runs as its correction.

In units z = Phi^{-1}(accuracy) a trained head is off its kernel in one of two ways, and by what the
theory itself is off,

    distance    z(n) = z_theory(n) + A n^{-c} + o + w(n),        0 <= c <= 1,
    delay       z(n) = z_theory(n 2^{-s}) + o + w(n),            -1 <= s <= 5.

*Distance*: c = 0 stays, c = 1/2 and 1 are the slow and the fast rate at which estimation errors
vanish. A is normal with a standard deviation of 1 in z at the largest n of the runs, c is uniform.
*Delay*: the head needs 2^s times as many pairs as its kernel, s normal with a standard deviation of
`DELAY`. A head that is linear in its parameters (`LINEAR`) stays with its kernel, and has no delay;
one that learns features first does. o and w, an offset and a random walk in log2 n, are the
theory's error: `OFFSET` and `WALK` are what it is for kernel heads in the main job
(docs/results/comparison.csv), and were not fitted to trained heads.

All is normal but c and s, which are integrated out: what is returned is the posterior mean.
z_theory is that of the head's kernel at its best ridge. Beside it stands a curve without theory,
z_theory = 0 with an offset of standard deviation 1, and for a head without a kernel of its own
those of all of `fusiontheory.HEADS` and of chance, each with the probability that the runs give
it. A head that reads one modality (`ONE_MODALITY`) is at chance.

The interval is wider than the posterior of this: with it the walk of a trained head may be any of
`WALKS`, each with the probability that the runs give it.

This is the third form. The first had the theory's error independent at each n and no curve without
theory, the second no delay and intervals of the one walk. Each was changed after errors of the form
before had been seen; docs/trained_heads.md says on which cells the third was chosen and on which it
was tried (docs/results/trained/settings, experiments/blind_networks).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtr, ndtri

from fusiontheory.checks import InputError, sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.curves.predict import predict_curve
from fusiontheory.curves.run_table import checked_runs, read_runs
from fusiontheory.heads import HEADS, heads_for
from fusiontheory.moments import Moments
from fusiontheory.typing import Array

__all__ = ["DELAY", "LINEAR", "OFFSET", "ONE_MODALITY", "WALK", "WALKS", "forecast_trained"]

OFFSET = 0.02
"""Standard deviation of the theory's error in Phi^{-1}(accuracy), the same at all n."""

WALK = 0.01
"""Standard deviation of what this error changes by from n to 2 n."""

WALKS = (0.01, 0.03, 0.1)
"""The same for trained heads, one of which the interval takes."""

DELAY = 2.0
"""Standard deviation of s."""

LINEAR = ("bilinear", "dot-product", "hadamard", "concat-linear")
"""Heads that are linear in their parameters, so that training does not change their kernel."""

ONE_MODALITY = ("cross-attention", "image-only", "text-only")
"""Heads whose score is a function of one modality: E[y | v] = E[y | t] = 0."""

_POWERS = np.linspace(0.0, 1.0, 21)
_DELAYS = np.arange(-1.0, 5.25, 0.25)
_SMALLEST = 16.0
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
    heads = list(dict.fromkeys(str(head) for head in given["head"]))
    sizes = _grid(np.concatenate([given["n"].to_numpy(float), wanted]), heads)
    shapes = _shapes(heads, moments, sizes, training_images)
    rows = []
    for head in heads:
        own = {head: shapes[head]} if head in shapes else shapes
        if head in ONE_MODALITY:
            own = {_CHANCE: np.zeros_like(sizes)}
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


def _grid(sizes: Array, heads: list[str]) -> Array:
    """Return the sizes that are asked for, and those between which delayed curves are read off."""
    if not {*heads} - {*LINEAR, *ONE_MODALITY}:
        return np.unique(sizes)
    least = max(_SMALLEST, sizes.min() * 2 ** -float(_DELAYS[-1]))
    doublings = int(np.log2(sizes.max() / least))
    return np.unique([*sizes, *(least * 2.0 ** np.arange(doublings + 1))])


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
    known = (sizes, shapes, head)
    mean, _, names = _posterior(at, z, error, wanted, known, (WALK,))
    other, variance, _ = _posterior(at, z, error, wanted, known, WALKS)
    half = 1.96 * np.sqrt(variance + (other - mean) ** 2)
    columns = [ndtr(mean), ndtr(mean - half), ndtr(mean + half)]
    return [
        {
            "head": head,
            "n": int(size) if size.is_integer() else size,
            **{
                f"accuracy{end}": float(column[k])
                for end, column in zip(("", "_low", "_high"), columns, strict=True)
            },
            "shape": str(names.idxmax()),
        }
        for k, size in enumerate(wanted.tolist())
    ]


def _posterior(
    at: Array,
    z: Array,
    error: Array,
    wanted: Array,
    known: tuple[Array, Mapping[str, Array], str],
    walks: Sequence[float],
) -> tuple[Array, Array, pd.Series[float]]:
    """Return mean and variance of z at the wanted sizes, and the probability of each shape."""
    every = np.concatenate([at, wanted])
    means, variances, evidences, names = [], [], [], []
    for name, line, basis, offset, prior in _candidates(every, at[-1], *known):
        for walk in walks:
            left = z - line[: at.size]
            covariance = _covariance(every, basis, offset, walk)
            mean, variance, evidence = _conditional(covariance, left, error)
            means.append(line[at.size :] + mean)
            variances.append(variance)
            evidences.append(evidence + prior)
            names.append(name)
    weight = np.exp(np.array(evidences) - max(evidences))
    weight /= weight.sum()
    mean = weight @ np.array(means)
    variance = weight @ (np.array(variances) + (np.array(means) - mean) ** 2)
    return mean, variance, pd.Series(weight).groupby(names).sum()


def _candidates(
    every: Array, largest: float, sizes: Array, shapes: Mapping[str, Array], head: str
) -> Iterator[tuple[str, Array, Array, float, float]]:
    """Yield name, curve, (n / largest)^-c or 0, offset's deviation and log prior of each form."""
    if head in ONE_MODALITY:
        yield _CHANCE, np.zeros_like(every), np.zeros_like(every), OFFSET, 0.0
        return
    delays = -0.5 * (_DELAYS / DELAY) ** 2
    delays -= np.log(np.exp(delays).sum())
    for name, shape in {**shapes, _ALONE: np.zeros_like(sizes)}.items():
        line = np.interp(every, sizes, shape)
        for power in _POWERS:
            offset = 1.0 if name == _ALONE else OFFSET
            yield name, line, (every / largest) ** -power, offset, -float(np.log(_POWERS.size))
        if head in LINEAR or name in (_CHANCE, _ALONE):
            continue
        for delay, prior in zip(_DELAYS, delays, strict=True):
            late = np.interp(np.log2(every) - delay, np.log2(sizes), shape)
            yield name, late, np.zeros_like(every), OFFSET, float(prior)


def _covariance(sizes: Array, basis: Array, offset: float, walk: float) -> Array:
    """Return the prior covariance of z less the theory at each two sizes."""
    steps = np.log2(sizes / sizes.min())
    walked = walk**2 * np.minimum(steps[:, None], steps[None, :])
    return np.asarray(np.outer(basis, basis) + offset**2 + walked)


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
    p = mean.to_numpy(float)
    z, below, above = (ndtri(np.clip(x, _EDGE, 1 - _EDGE)) for x in (p, p - se, p + se))
    slope = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    # By the slope at 0 or 1 a run would say nothing; by the step it says what it can.
    return mean.index.to_numpy(float), z, np.minimum(se / slope, np.maximum(z - below, above - z))
