"""How many seeds see a gap of given size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.stats.power import TTestPower

from fusiontheory.checks import InputError, finite_array, non_negative, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.stats.seed_gaps import check_level

__all__ = ["SeedsNeeded", "paired_power", "seeds_needed"]

_MOST_SEEDS = 10**9


@checked
@dataclass(frozen=True)
class SeedsNeeded:
    """The number of seeds at which a paired t-test sees a gap often enough.

    Attributes:
        seeds: at the measured standard deviation.
        low, high: at the ends of its 95 % interval; wide if it was measured on few seeds.
        power: reached at ``seeds``, at least the power asked for.
        sd: of the gap over seeds, as measured.
        gap: that is to be seen.
    """

    seeds: int
    low: int
    high: int
    power: float
    sd: float
    gap: float


@checked
def paired_power(sd: float, seeds: int, gap: float = 0.01, significance: float = 0.05) -> float:
    """Return the probability that a two-sided paired t-test sees the gap.

    t has the noncentral t law with seeds - 1 degrees of freedom and noncentrality
    gap sqrt(seeds) / sd.

    Args:
        sd: standard deviation of the gap over seeds, in the units of ``gap``.
        seeds: number of seeds, at least 2.
        gap: true mean gap, above 0; 0.01 is one point of accuracy.
        significance: level of the test.

    Raises:
        InputError: if an argument is out of range.

    Example:
        >>> print(f"{paired_power(sd=0.01, seeds=10):.3f}")
        0.803
    """
    spread, count = non_negative("sd", sd), positive_integer("seeds", seeds, minimum=2)
    effect = _positive_gap(gap)
    alpha = check_level("significance", significance)
    if spread == 0:
        return 1.0
    power = float(TTestPower().power(effect / spread, count, alpha))
    if np.isfinite(power):
        return power
    # The series fails where the noncentrality is large; there only the denominator of t varies.
    noncentrality = effect * np.sqrt(count) / spread
    ratio = noncentrality / stats.t.isf(alpha / 2, count - 1)
    return float(stats.chi2.cdf((count - 1) * ratio**2, count - 1))


@checked
def seeds_needed(
    gaps: ArrayLike, gap: float = 0.01, power: float = 0.8, significance: float = 0.05
) -> SeedsNeeded:
    """Return how many seeds see a mean gap of ``gap`` with the given power, from a pilot.

    Args:
        gaps: measured gap of each seed of the pilot, (seeds,), at least 2; only their spread
            counts.
        gap: that is to be seen, above 0.
        power: probability with which it is to be seen.
        significance: level of the two-sided test.

    Raises:
        InputError: if an argument is out of range, or if more than 10^9 seeds were needed.

    Example:
        >>> needed = seeds_needed([0.01, 0.02, 0.03])
        >>> needed.seeds, needed.low, needed.high
        (10, 5, 312)
    """
    pilot = finite_array("gaps", gaps, 1)
    if pilot.size < 2:
        raise InputError("gaps must hold at least 2 seeds, got 1")
    effect = _positive_gap(gap)
    wanted, alpha = check_level("power", power), check_level("significance", significance)
    sd = float(pilot.std(ddof=1))
    freedom = pilot.size - 1
    least, most = (
        sd * float(np.sqrt(freedom / stats.chi2.ppf(quantile, freedom)))
        for quantile in (0.975, 0.025)
    )
    seeds, low, high = (_fewest(spread, effect, wanted, alpha) for spread in (sd, least, most))
    return SeedsNeeded(seeds, low, high, paired_power(sd, seeds, effect, alpha), sd, effect)


def _positive_gap(value: float) -> float:
    gap = non_negative("gap", value)
    if gap == 0:
        raise InputError("gap must be above 0, got 0")
    return gap


def _fewest(sd: float, gap: float, power: float, significance: float) -> int:
    """Return the smallest number of seeds with the power, which grows with them."""
    low, high = 1, 2
    while paired_power(sd, high, gap, significance) < power:
        low, high = high, 2 * high
        if high > _MOST_SEEDS:
            raise InputError(
                f"gap must be within reach of {_MOST_SEEDS} seeds, got {gap:g} at a standard"
                f" deviation of {sd:g}"
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (low, middle)
            if paired_power(sd, middle, gap, significance) >= power
            else (middle, high)
        )
    return high
