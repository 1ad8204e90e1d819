"""The exponent with which a gap scales in n, held against what orders imply.

    gap(n) ~ A n^exponent

An estimation gap has the exponent -1, or -1/2 with square roots (`fusiontheory.symbolic.orders`); a
flat gap has 0.

Estimate: least squares over A and the exponent e. For each e the best A is known, and what is left
to maximise is (u_e . g)^2, with g the mean gaps and u_e the vector n^e at unit norm.

Test of one exponent: c_e = d u_e/de is orthogonal to u_e. If the true gaps are A n^e, the numbers
c_e . g_s of the seeds have mean 0 whatever A is, and a one-sample t-test over seeds is exact for
normal gaps. The interval holds the exponents that this test does not reject at 1 - level: it has
its coverage with few seeds, and is unbounded if there is no gap whose scaling could be told
(Fieller's construction). The bootstrap over seeds of the same fit is given beside it; with 5 seeds
it is too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from fusiontheory.checks import InputError, finite_array, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.stats.seed_gaps import check_level, gaps_at
from fusiontheory.typing import Array

__all__ = ["ORDER_EXPONENTS", "ScalingExponent", "scaling_exponent"]


ORDER_EXPONENTS = (-1.0, -0.5, 0.0)
"""Of an estimation gap at the fast and at the slow rate, and of a flat gap."""

# Beyond these an exponent counts as unbounded.
_GRID = np.linspace(-4, 2, 1201)


@checked
@dataclass(frozen=True)
class ScalingExponent:
    """How a gap scales with n.

    Attributes:
        exponent: of the least squares fit to the mean gaps, to 0.005; NaN if they are all 0.
        low, high: interval by inverting the t-test; infinite where -4 or 2 is not rejected.
        bootstrap_low, bootstrap_high: quantiles of the fit over resampled seeds.
        amplitude: fitted gap at ``middle``.
        middle: geometric mean of the sizes.
        residual: root mean square of mean gaps less fit, in the units of the gap. A gap that
            is no power law shows here.
        one_sign: whether the mean gaps have one sign, as those of a power law have.
        p_values: two-sided p of each exponent asked for.
        excluded: those with p at most 1 - level.
        seeds, sizes: their numbers.
    """

    exponent: float
    low: float
    high: float
    bootstrap_low: float
    bootstrap_high: float
    amplitude: float
    middle: float
    residual: float
    one_sign: bool
    p_values: Mapping[float, float]
    excluded: tuple[float, ...]
    seeds: int
    sizes: int


@checked
def scaling_exponent(
    gaps: ArrayLike,
    n: ArrayLike,
    exponents: Sequence[float] = ORDER_EXPONENTS,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> ScalingExponent:
    """Return the exponent of a gap in n with its interval, and which exponents are excluded.

    Args:
        gaps: (seeds, sizes), the gap of each seed at each n.
        n: (sizes,), sample sizes.
        exponents: to be tested.
        level: confidence of the intervals; exponents are excluded at 1 - level, each on its own.
        resamples: of seeds.
        seed: of the resamples.

    Raises:
        InputError: if the shapes do not fit, for fewer than 2 seeds or sizes, a NaN, a size not
            above 0 or there twice, or settings out of range.

    Example:
        >>> n = np.array([1024, 2048, 4096])
        >>> result = scaling_exponent([20 / n, 24 / n, 22 / n], n)
        >>> round(result.exponent, 2), result.excluded
        (-1.0, (-0.5, 0.0))
    """
    table, sizes = gaps_at(gaps, "n", n)
    if sizes.min() <= 0:
        raise InputError(f"n must be above 0 everywhere, got {sizes.min():g}")
    asked = finite_array("exponents", exponents, 1)
    confidence = check_level("level", level)
    draws = positive_integer("resamples", resamples)
    rng = np.random.default_rng(positive_integer("seed", seed, minimum=0))
    seeds = len(table)
    mean = table.mean(axis=0)
    middle = float(np.exp(np.log(sizes).mean()))
    relative = sizes / middle

    picks = rng.integers(seeds, size=(draws, seeds))
    bootstrap = _fit(table[picks].mean(axis=1), relative)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    bootstrap_low, bootstrap_high = np.quantile(bootstrap, tails).tolist()
    estimate = float(_fit(mean[None], relative)[0])
    kept = np.append(_GRID[_p_values(table, relative, _GRID) > 1 - confidence], estimate)
    low, high = float(kept.min()), float(kept.max())
    curve = relative**estimate
    amplitude = float(mean @ curve / (curve @ curve))
    p_values = _p_values(table, relative, asked)
    return ScalingExponent(
        exponent=estimate if mean.any() else float("nan"),
        low=-np.inf if low == _GRID[0] else low,
        high=np.inf if high == _GRID[-1] else high,
        bootstrap_low=bootstrap_low,
        bootstrap_high=bootstrap_high,
        amplitude=amplitude,
        middle=middle,
        residual=float(np.sqrt(np.mean((mean - amplitude * curve) ** 2))),
        one_sign=bool(mean.min() > 0 or mean.max() < 0),
        p_values=dict(zip(asked.tolist(), p_values.tolist(), strict=True)),
        excluded=tuple(asked[p_values <= 1 - confidence].tolist()),
        seeds=seeds,
        sizes=sizes.size,
    )


def _fit(gaps: Array, n: Array) -> Array:
    """Return the least squares exponent of each row of gaps, (rows,)."""
    directions = n ** _GRID[:, None]
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    best: Array = _GRID[np.argmax((gaps @ directions.T) ** 2, axis=1)]
    return best


def _p_values(gaps: Array, n: Array, exponents: Array) -> Array:
    """Return the two-sided p of each exponent by t over seeds."""
    curves = n ** exponents[:, None]
    curves /= np.linalg.norm(curves, axis=1, keepdims=True)
    slopes = curves * np.log(n)
    contrasts = slopes - (slopes * curves).sum(axis=1, keepdims=True) * curves
    contrasts /= np.linalg.norm(contrasts, axis=1, keepdims=True)
    scores = gaps @ contrasts.T
    mean, se = scores.mean(axis=0), scores.std(axis=0, ddof=1) / np.sqrt(len(gaps))
    # Round-off is neither a score nor a spread.
    tiny = 1e-12 * np.abs(gaps).max()
    mean, se = np.where(np.abs(mean) <= tiny, 0, mean), np.where(se <= tiny, 0, se)
    t = np.zeros_like(mean)
    np.divide(mean, se, out=t, where=se > 0)
    t[(se == 0) & (mean != 0)] = np.inf
    p: Array = 2 * stats.t.sf(np.abs(t), len(gaps) - 1)
    return p
