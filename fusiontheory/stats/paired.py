"""The gap of two heads from accuracies by seed: paired t interval and t-test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from fusiontheory.constraints import checked
from fusiontheory.stats.seed_gaps import check_level, seed_gaps

__all__ = ["PairedGap", "paired_gap", "t_test"]


@checked
@dataclass(frozen=True)
class PairedGap:
    """A mean gap over seeds; accuracies in, so fractions out.

    Attributes:
        gap: mean over seeds.
        sd: standard deviation over seeds.
        se: sd / sqrt(seeds).
        low, high: interval of the mean.
        t: gap / se.
        p_value: two-sided, of a mean gap of 0.
        seeds: number of them.
    """

    gap: float
    sd: float
    se: float
    low: float
    high: float
    t: float
    p_value: float
    seeds: int


@checked
def paired_gap(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> PairedGap:
    """Return mean gap, t interval and t-test, paired by seed.

        gap +- t_{seeds - 1} sd / sqrt(seeds)

    Exact for normal gaps. The interval is over seeds, on the test set at hand. If all seeds have
    the same gap, the formulas' limits: an interval of no width, and p of 1 for a gap of 0, else 0.

    Args:
        first, second: accuracies of two heads, (seeds,), on the same seeds in the same order; a
            constant second holds first against a number, such as chance.
        level: confidence of the interval.

    Raises:
        InputError: if the arrays do not fit, hold fewer than 2 seeds or a NaN, or for a level
            outside (0, 1).

    Example:
        >>> result = paired_gap([0.82, 0.84, 0.83], [0.80, 0.80, 0.80])
        >>> print(f"{result.gap:.3f} ({result.low:.3f} to {result.high:.3f})")
        0.030 (0.005 to 0.055)
    """
    gaps = seed_gaps(first, second)
    confidence = check_level("level", level)
    seeds = gaps.size
    gap, sd = float(gaps.mean()), float(gaps.std(ddof=1))
    # The mean of equal numbers can differ from them by round-off, which is no spread.
    sd = 0.0 if sd <= 1e-12 * abs(gap) else sd
    se = sd / np.sqrt(seeds)
    half = float(stats.t.ppf((1 + confidence) / 2, seeds - 1)) * se
    t, p_value = t_test(gap, se, seeds - 1)
    return PairedGap(gap, sd, float(se), gap - half, gap + half, t, p_value, seeds)


def t_test(estimate: float, se: float, df: float) -> tuple[float, float]:
    """Return t and the two-sided p of a true value of 0; the limits for a standard error of 0."""
    if se == 0:
        return (0.0, 1.0) if estimate == 0 else (float(np.copysign(np.inf, estimate)), 0.0)
    t = estimate / se
    return float(t), float(2 * stats.t.sf(abs(t), df))
