"""Whether a gap grows or falls along an axis: sigma, or log n."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from fusiontheory.checks import positive_integer
from fusiontheory.constraints import at_most, checked
from fusiontheory.stats.paired import t_test
from fusiontheory.stats.seed_gaps import check_level, gaps_at

__all__ = ["GapTrend", "gap_trend"]


@checked
@dataclass(frozen=True)
class GapTrend:
    """The slope of the gap along an axis.

    Attributes:
        slope: mean over seeds of the least squares slope, gap per unit of the axis.
        se: standard error over seeds.
        low, high: t interval of the slope.
        t: slope / se.
        p_value: two-sided, of a slope of 0, by t over seeds.
        permutation_p: two-sided, by permuting the levels within each seed.
        sign: 1 or -1 if the interval leaves out 0, else 0.
        seeds, levels: their numbers.
    """

    slope: float
    se: float
    low: float
    high: float
    t: float
    p_value: float
    permutation_p: float
    sign: int
    seeds: int
    levels: int


@checked(permutations=at_most(1_000_000))
def gap_trend(
    gaps: ArrayLike,
    positions: ArrayLike,
    level: float = 0.95,
    permutations: int = 10_000,
    seed: int = 0,
) -> GapTrend:
    """Return the slope of the gap along the positions, tested in two ways.

    t over seeds: each seed has its own line, the slopes are one sample. For a complete design this
    is what a mixed model with random intercepts and slopes estimates. Permutation: under the null
    that the gap does not depend on the level at all, the levels of each seed are exchangeable.
    It can reach small p with few seeds, which flipping the signs of the slopes cannot; against a
    gap that varies without a trend it is conservative.

    A straight line is the alternative to be seen, not an assumption about the gap: a gap that
    rises and falls again may have slope 0.

    Args:
        gaps: (seeds, levels), the gap of each seed at each level.
        positions: (levels,), sigma or log n.
        level: confidence of the interval.
        permutations: number of random permutations, 1 to 1,000,000.
        seed: of the permutations.

    Raises:
        InputError: if the shapes do not fit, for fewer than 2 seeds or levels, a NaN, a level
            there twice, or settings out of range.

    Example:
        >>> trend = gap_trend([[0.01, 0.02, 0.04], [0.02, 0.03, 0.04]], [0.0, 0.1, 0.2])
        >>> print(f"{trend.slope:.3f} {trend.sign}")
        0.125 0
    """
    table, axis = gaps_at(gaps, "positions", positions)
    confidence = check_level("level", level)
    wanted = positive_integer("permutations", permutations)
    rng = np.random.default_rng(positive_integer("seed", seed, minimum=0))
    seeds, levels = table.shape
    centred = axis - axis.mean()
    weights = centred / (centred @ centred)
    slopes = table @ weights
    slope, sd = float(slopes.mean()), float(slopes.std(ddof=1))
    sd = 0.0 if sd <= 1e-12 * abs(slope) else sd
    se = sd / np.sqrt(seeds)
    half = float(stats.t.ppf((1 + confidence) / 2, seeds - 1)) * se
    t, p_value = t_test(slope, float(se), seeds - 1)

    shuffled = rng.permuted(np.tile(weights, (wanted, seeds, 1)), axis=2)
    permuted = np.einsum("bsl,sl->b", shuffled, table) / seeds
    # A permutation that changes nothing counts as seen, whatever the order of its sums.
    seen = abs(slope) - 1e-12 * float(np.abs(table).max() * np.abs(weights).sum())
    hits = int(np.count_nonzero(np.abs(permuted) >= seen))
    low, high = slope - half, slope + half
    return GapTrend(
        slope=slope,
        se=float(se),
        low=low,
        high=high,
        t=t,
        p_value=p_value,
        permutation_p=(1 + hits) / (1 + wanted),
        sign=int(low > 0) - int(high < 0),
        seeds=seeds,
        levels=levels,
    )
