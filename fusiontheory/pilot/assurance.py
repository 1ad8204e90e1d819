"""How many items give at least four of five training sets the accuracy that is wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import InputError, non_negative, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.pilot.curve import PilotCurve, headline_metric
from fusiontheory.typing import Array

__all__ = ["Assurance", "assured_size"]


_DRAWS = 400
_STEPS = 60


@checked
@dataclass(frozen=True)
class Assurance:
    """The smallest numbers of items that reach a target.

    Attributes:
        target: of the headline metric.
        n: smallest size at which the asked share of training sets reaches it if the forecast is
            right; NaN if no size up to ``largest`` does.
        n_assured: the same with the forecast's own error drawn too, so that the share is over
            training sets and over what the pilot leaves open.
        share: of training sets.
        reached: share at ``largest``, the forecast's error included.
        largest: largest size that was tried.
        sentence: the answer in words.
    """

    target: float
    n: float
    n_assured: float
    share: float
    reached: float
    largest: int
    sentence: str


@checked
def assured_size(
    curve: PilotCurve, target: float, *, share: float = 0.8, largest: int | None = None
) -> Assurance:
    r"""Return the smallest n at which a share of training sets reaches the target.

    The risk of one training set is drawn around its mean with the deviation
    (R - B) sqrt(2 / df2), that of a variance estimated in df2 directions, R - B the part of the
    risk that comes from the training set.

    Args:
        curve: of the head.
        target: of the headline metric (accuracy, balanced accuracy or R^2), below 1.
        share: of training sets, in (0, 1).
        largest: size up to which is searched; 16 times the pilot if None.

    Raises:
        InputError: for a target or share that cannot be.
    """
    goal, part = non_negative("target", target), non_negative("share", share)
    if goal >= 1:
        raise InputError(f"target must be below 1 (0.9 for 90 %), got {target!r}")
    if not 0 < part < 1:
        raise InputError(f"share must be between 0 and 1, got {share!r}")
    top = positive_integer("largest", 16 * curve.items if largest is None else largest, 20)
    sizes = np.geomspace(20, top, _STEPS)
    forecast = curve.forecast(sizes)
    spread = _training_spread(curve, sizes, forecast.risk)
    rng = np.random.default_rng(0)
    own = rng.standard_normal((_DRAWS, 1)) * spread
    shared = rng.standard_normal((_DRAWS, 1)) * forecast.deviation
    table = np.linspace(0.0, 1.2, 49)
    metric = curve.score_law.at(table)[headline_metric(curve.labels)]
    shares = [
        (np.interp(forecast.risk + noise, table, metric) >= goal).mean(0)
        for noise in (own, own + shared)
    ]
    n, assured = (_first(s >= part, sizes) for s in shares)
    return Assurance(
        goal,
        n,
        assured,
        part,
        float(shares[1][-1]),
        top,
        _sentence(curve.head, goal, n, assured, top, part),
    )


def _training_spread(curve: PilotCurve, sizes: Array, risk: Array) -> Array:
    """Return the deviation of the risk over training sets."""
    if curve.within is None:
        spreads = [_training_spread(m, sizes, risk) for m in curve.members]
        averaged: Array = np.mean(spreads, axis=0) / np.sqrt(len(spreads))
        return averaged
    within = curve.within
    result = np.empty(sizes.size)
    for k, n in enumerate(sizes):
        best = int(np.argmin(within.risks(float(n))[0]))
        df2 = max(float(within.df2[best]), 1.0)
        result[k] = risk[k] * min(df2 / (n - 1), 1.0) * np.sqrt(2 / df2)
    return result


def _first(reached: NDArray[np.bool_], sizes: Array) -> float:
    """Return the smallest size from which the target is reached at every larger one too."""
    below = np.flatnonzero(~reached)
    if below.size == 0:
        return float(sizes[0])
    return float("nan") if below[-1] == sizes.size - 1 else float(np.ceil(sizes[below[-1] + 1]))


def _sentence(head: str, target: float, n: float, assured: float, top: int, share: float) -> str:
    if np.isnan(n):
        return f"no n up to {top} brings {head} to {target:g} in {share:.0%} of training sets"
    if np.isnan(assured):
        return (
            f"{head} should reach {target:g} in {share:.0%} of training sets from n = {n:.0f} on,"
            f" but the pilot cannot assure it for any n up to {top}"
        )
    return (
        f"{head} reaches {target:g} in {share:.0%} of training sets from n = {n:.0f} on;"
        f" n = {assured:.0f} allows for the forecast's own error"
    )
