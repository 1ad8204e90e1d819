r"""Which fusion is best at the target: probabilities, regret and crossovers.

Forecast risks x of the heads at the target are taken as x = z + e with e normal: each head's error
has the deviation of its forecast, and errors of two heads are correlated as they were in the worlds
of the calibration (`calibration.json`). The prior of the true risks z is what heads had in those
worlds at that many items (`prior.csv`): a mixture of normals around them, all moved up or down
together by any amount, so that it speaks of differences between heads alone. The posterior is
another such mixture, from which heads are drawn jointly. A plain bootstrap has no prior, and is far
too sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusiontheory.checks import InputError, non_negative, sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.pilot.curve import PilotCurve, headline_metric
from fusiontheory.pilot.prior import Prior, error_covariance, prior_risks, stored_prior
from fusiontheory.typing import Array

__all__ = [
    "Choice",
    "Crossover",
    "choose",
    "crossover",
    "metric_draws",
    "mixture_posterior",
    "posterior_draws",
]


# Spread of the level of all risks in the prior: as good as unknown.
_LEVEL = 3.0
# Leave-one-out risk of every head above this: the pilot shows nothing that could be learned.
_NOTHING = 0.93
DRAWS = 4000
# Metrics closer than this are one.
_TIE = 1e-3
# Risks at which each head's metric is tabulated, to move draws of the risk to draws of the metric.
_TABLE = np.linspace(0.0, 1.1, 23)


@checked
@dataclass(frozen=True)
class Choice:
    """Advice on the heads at the target number of items.

    Attributes:
        table: a row a head, least expected ``risk`` first. ``expected`` metric, ``low`` and
            ``high`` are those of the head's own curve; ``risk``, ``p_best``, ``expected_regret``
            (in the metric), ``gap`` to the recommended head and its interval ``gap_low`` to
            ``gap_high``, paired over draws, are of the posterior of all heads together.
        recommended: the head with the least expected risk.
        verdict: "clear" (P(best) of at least 0.9), "leaning", "does not matter" (the best two are
            within the tolerance), or "undetermined" (nothing can be learned from the pilot).
        metric: "accuracy", "balanced_accuracy" or "r2".
        target: n.
        prior: which prior the probabilities are shrunk towards.
    """

    table: pd.DataFrame
    recommended: str
    verdict: str
    metric: str
    target: float
    prior: str


@checked
@dataclass(frozen=True)
class Crossover:
    """Where the first head starts to be better than the second.

    Attributes:
        n: smallest size from which it is on the point curves; NaN if at none that was asked.
        low, high: interval of that size over the draws in which it is anywhere.
        probability: share of draws in which it is better at the largest size.
    """

    n: float
    low: float
    high: float
    probability: float


@checked
def mixture_posterior(
    x: Array, covariance: Array, centres: Array, bandwidth: float, level: float = 0.0
) -> tuple[Array, Array, Array]:
    """Return weights (j,), means (j, h) and the covariance (h, h) of the posterior of z.

    x ~ N(z, covariance); z ~ (1/j) sum N(centre_j, bandwidth^2 S + level^2) with S the covariance
    of the centres, and level^2 in every entry: all heads together are better or worse.

    Example:
        >>> w, m, c = mixture_posterior(np.zeros(1), np.eye(1), np.array([[-1.0], [1.0]]), 1.0)
        >>> w.tolist(), m.round(3).ravel().tolist()
        ([0.5, 0.5], [-0.333, 0.333])
    """
    spread = np.atleast_2d(np.cov(centres.T)) * bandwidth**2 + 1e-8 * np.eye(len(x)) + level**2
    total = spread + covariance
    gain = np.linalg.solve(total, spread).T
    gap = x - centres
    distance = (gap * np.linalg.solve(total, gap.T).T).sum(1)
    weights = np.exp(-(distance - distance.min()) / 2)
    posterior = spread - gain @ spread
    return weights / weights.sum(), centres + gap @ gain.T, (posterior + posterior.T) / 2


@checked
def posterior_draws(
    curves: Sequence[PilotCurve],
    target: float,
    draws: int = DRAWS,
    seed: int = 0,
    prior: Prior | None = None,
) -> Array:
    """Return draws (draws, heads) of the heads' true risks at the target.

    Args:
        curves: of the same items.
        target: n.
        draws, seed: of the posterior.
        prior: the stored one if None.

    Raises:
        InputError: if the curves are of different items, or there are fewer than 2.
    """
    _check(curves)
    prior = stored_prior() if prior is None else prior
    forecasts = [c.forecast([target]) for c in curves]
    x, deviations = (np.array([getattr(f, k)[0] for f in forecasts]) for k in ("risk", "deviation"))
    covariance = error_covariance(curves, deviations, prior)
    centres = prior_risks(curves, target, prior)
    weights, means, spread = mixture_posterior(x, covariance, centres, prior.bandwidth, _LEVEL)
    rng = np.random.default_rng(seed)
    chosen = means[rng.choice(len(weights), draws, p=weights)]
    values, vectors = np.linalg.eigh(spread)
    noise = rng.standard_normal((draws, len(x))) * np.sqrt(np.maximum(values, 0))
    drawn: Array = np.maximum(chosen + noise @ vectors.T, 0.0)
    return drawn


def _check(curves: Sequence[PilotCurve]) -> None:
    if len(curves) < 2:
        raise InputError(f"curves must be of at least 2 heads, got {len(curves)}")
    names = [c.head for c in curves]
    if len(set(names)) < len(names):
        raise InputError(f"curves must be of different heads, got {', '.join(names)}")
    if any(not np.array_equal(c.labels.targets, curves[0].labels.targets) for c in curves):
        raise InputError("curves must be measured on the same items")


@checked
def choose(
    curves: Sequence[PilotCurve],
    target: float,
    tolerance: float = 0.005,
    level: float = 0.9,
    prior: Prior | None = None,
) -> Choice:
    """Return which head is probably best at the target, and what each choice would cost.

    Args:
        curves: one a head, of the same items.
        target: n.
        tolerance: expected regret below which the choice does not matter, in the metric.
        level: of the intervals, one of those of `PilotCurve.forecast`.
        prior: of the heads' true risks; the stored one if None.

    Raises:
        InputError: for a target below 1, curves of different items, or fewer than 2.
    """
    size = float(sample_sizes("target", target)[0])
    non_negative("tolerance", tolerance)
    prior = stored_prior() if prior is None else prior
    drawn = posterior_draws(curves, size, prior=prior)
    metric = headline_metric(curves[0].labels)
    values = metric_draws(curves, drawn)
    # Heads that tie, as where none learns anything, share the draw.
    best = values >= values.max(1, keepdims=True) - _TIE
    p_best = (best / best.sum(1, keepdims=True)).mean(0)
    regret = (values.max(1, keepdims=True) - values).mean(0)
    # By risk, not by the metric, which is flat where little is learned.
    order = np.argsort(drawn.mean(0), kind="stable")
    ends = ((1 - level) / 2, (1 + level) / 2)
    gap = values - values[:, [order[0]]]
    own = pd.concat([c.to_frame([size], level) for c in curves])
    table = pd.DataFrame(
        {
            "head": [c.head for c in curves],
            "risk": drawn.mean(0),
            "expected": own[metric].to_numpy(),
            "low": own[f"{metric}_low"].to_numpy(),
            "high": own[f"{metric}_high"].to_numpy(),
            "p_best": p_best,
            "expected_regret": regret,
            "gap": gap.mean(0),
            "gap_low": np.quantile(gap, ends[0], axis=0),
            "gap_high": np.quantile(gap, ends[1], axis=0),
        }
    ).iloc[order]
    verdict = _verdict(curves, p_best[order], float(gap[:, order[1]].mean()), tolerance)
    return Choice(
        table.reset_index(drop=True),
        curves[order[0]].head,
        verdict,
        metric,
        size,
        f"true risks of {len(prior.heads)} heads in {len(prior.risks)} synthetic worlds",
    )


@checked
def metric_draws(curves: Sequence[PilotCurve], drawn: Array) -> Array:
    """Return the headline metric at drawn risks (draws, heads), each head by its own law.

    At one risk heads differ in accuracy: of many classes a linear head tells more apart than its
    risk says.
    """
    metric = headline_metric(curves[0].labels)
    values: Array = np.stack(
        [
            np.interp(column, _TABLE, curve.score_law.at(_TABLE)[metric])
            for curve, column in zip(curves, drawn.T, strict=True)
        ],
        axis=1,
    )
    return values


def _verdict(curves: Sequence[PilotCurve], p_best: Array, second: float, tolerance: float) -> str:
    if min(float(c.item_risk.mean()) for c in curves) > _NOTHING:
        return "undetermined"
    if p_best[0] >= 0.9:
        return "clear"
    return "does not matter" if abs(second) <= tolerance else "leaning"


@checked
def crossover(first: PilotCurve, second: PilotCurve, sizes: Array, draws: int = 1000) -> Crossover:
    """Return the smallest size from which the first head has the lower risk, with an interval.

    Errors of the two forecasts are drawn once for all sizes, correlated as in the calibration.

    Args:
        first, second: curves of the same items.
        sizes: (k,) rising grid.
        draws: of the interval.

    Raises:
        InputError: if the curves are of different items.
    """
    _check([first, second])
    n = np.sort(sample_sizes("sizes", sizes))
    a, b = first.forecast(n), second.forecast(n)
    gap, sign = a.risk - b.risk, np.array([1.0, -1.0])
    prior = stored_prior()
    spread = [
        sign @ error_covariance([first, second], x, prior) @ sign
        for x in np.column_stack([a.deviation, b.deviation])
    ]
    noise = np.random.default_rng(0).standard_normal((draws, 1))
    drawn = gap + noise * np.sqrt(spread)
    starts = np.array([_last_start(row, n) for row in drawn])
    crossed = starts[np.isfinite(starts)]
    low, high = np.quantile(crossed, (0.05, 0.95)) if crossed.size else (np.nan, np.nan)
    return Crossover(
        _last_start(gap, n), float(low), float(high), float(np.isfinite(starts).mean())
    )


def _last_start(gap: Array, sizes: Array) -> float:
    """Return the size after the last at which the gap is not below 0; NaN if that is the last."""
    above = np.flatnonzero(gap >= 0)
    if above.size == 0:
        return float(sizes[0])
    return float("nan") if above[-1] == sizes.size - 1 else float(sizes[above[-1] + 1])
