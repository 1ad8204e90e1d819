"""The gap of two heads where both the seeds and the test images are a sample.

Correctness a_sp, b_sp in {0, 1} of two heads, trained with seed s, on test pair p of image g(p).
With D_sg the sum of a - b over the pairs of image g and m_g their number, the gap is

    gap = sum_sg D_sg / (S sum_g m_g).

Seeds and images are crossed: each seed meets each image. Drawing both with replacement counts
three times the variance of single (seed, image) cells (Owen, Ann. Appl. Stat. 1, 2007), and S of S
seeds give (S - 1)/S of the variance of seeds, which matters at S = 5. So S - 1 seeds and G - 1
images are drawn (Rao & Wu, J. Am. Stat. Assoc. 83, 1988), each resample is looked at three times,

    seeds alone  gap_s,     images alone  gap_g,     both  gap_sg,

and with V_s = Var gap_s, V_g = Var gap_g, V_e = Var(gap_sg - gap_s - gap_g), taken over resamples,

    V = V_s + V_g - V_e,    at least max(V_s, V_g).

V_s and V_g each hold the cells' variance once, V_e is that variance. For the same number of pairs
per image these are the mean squares of a crossed analysis of variance, in the limit of many
resamples. The interval is gap +- t_f sqrt(V) with Satterthwaite's degrees of freedom,

    f = V^2 / (V_s^2/(S - 1) + V_g^2/(G - 1) + V_e^2/((S - 1)(G - 1))).

Quantiles of the resampled gaps would be narrower, and with 5 seeds cover far less than they say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from fusiontheory.checks import InputError, finite_array, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.stats.paired import t_test
from fusiontheory.stats.seed_gaps import check_level
from fusiontheory.typing import Array

__all__ = ["CrossedGap", "crossed_gap"]


# Weights of images held at a time: 32 MB.
_BATCH_CELLS = 4_000_000


@checked
@dataclass(frozen=True)
class CrossedGap:
    """A gap with what seeds and test images contribute to its uncertainty.

    Attributes:
        gap: mean over seeds and test pairs, a fraction.
        se: square root of V.
        low, high: interval of the gap.
        p_value: two-sided, of a gap of 0.
        freedom: degrees of freedom of t.
        seed_se: square root of V_s, what the seeds contribute.
        image_se: square root of V_g, what the images contribute.
        seeds, images, pairs: their numbers.
    """

    gap: float
    se: float
    low: float
    high: float
    p_value: float
    freedom: float
    seed_se: float
    image_se: float
    seeds: int
    images: int
    pairs: int


@checked
def crossed_gap(
    first: ArrayLike,
    second: ArrayLike,
    images: ArrayLike,
    level: float = 0.95,
    resamples: int = 4000,
    seed: int = 0,
) -> CrossedGap:
    """Return the gap of two heads with an interval by bootstrap over seeds and test images.

    A mismatched pair shares its caption with pairs of another image. That dependence is not
    counted, unless ``images`` joins what belongs together.

    Args:
        first, second: correctness of two heads, (seeds, pairs), 0 or 1 (or a probability), on the
            same seeds and the same test pairs in the same order.
        images: (pairs,), the image of each test pair; integers or strings.
        level: confidence of the interval.
        resamples: number of bootstrap draws; 4000 give the standard error to about 1 %.
        seed: of the draws.

    Raises:
        InputError: if the shapes do not fit, a value is outside [0, 1], for fewer than 2 seeds,
            images or resamples, and for a level outside (0, 1).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> first, second = rng.random((5, 200)) < 0.8, rng.random((5, 200)) < 0.7
        >>> result = crossed_gap(first, second, np.arange(200) // 2)
        >>> print(f"{result.gap:.3f} ({result.low:.3f} to {result.high:.3f})")
        0.072 (0.010 to 0.134)
    """
    table, sizes = _by_image(first, second, images)
    confidence = check_level("level", level)
    draws = positive_integer("resamples", resamples, minimum=2)
    rng = np.random.default_rng(positive_integer("seed", seed, minimum=0))
    seeds, groups = table.shape
    gap = float(table.sum() / (seeds * sizes.sum()))

    by_seed, by_image, both = _resample(table, sizes, draws, rng)
    v_seed, v_image = float(by_seed.var(ddof=1)), float(by_image.var(ddof=1))
    v_cell = float((both - by_seed - by_image).var(ddof=1))
    variance = max(v_seed + v_image - v_cell, v_seed, v_image)
    spread = (
        v_seed**2 / (seeds - 1)
        + v_image**2 / (groups - 1)
        + v_cell**2 / ((seeds - 1) * (groups - 1))
    )
    freedom = max(variance**2 / spread, 1.0) if spread > 0 else float(seeds - 1)
    se = float(np.sqrt(variance))
    half = float(stats.t.ppf((1 + confidence) / 2, freedom)) * se
    return CrossedGap(
        gap=gap,
        se=se,
        low=gap - half,
        high=gap + half,
        p_value=t_test(gap, se, freedom)[1],
        freedom=float(freedom),
        seed_se=float(np.sqrt(v_seed)),
        image_se=float(np.sqrt(v_image)),
        seeds=seeds,
        images=groups,
        pairs=int(sizes.sum()),
    )


def _by_image(first: ArrayLike, second: ArrayLike, images: ArrayLike) -> tuple[Array, Array]:
    """Return D, (seeds, images), and the number of pairs of each image, (images,)."""
    one, other = finite_array("first", first, 2), finite_array("second", second, 2)
    if one.shape != other.shape:
        raise InputError(
            f"first and second must have the same shape, got {one.shape} and {other.shape}"
        )
    for name, values in (("first", one), ("second", other)):
        if values.min() < 0 or values.max() > 1:
            raise InputError(
                f"{name} must hold correctness from 0 to 1, got values from"
                f" {values.min():g} to {values.max():g}"
            )
    owner = np.asarray(images)
    if owner.shape != one.shape[1:] or owner.dtype.kind not in "iuSU":
        raise InputError(
            f"images must hold one integer or string for each of the {one.shape[1]} test pairs,"
            f" got shape {owner.shape} of {owner.dtype}"
        )
    names, index = np.unique(owner, return_inverse=True)
    for what, count in (("first and second", one.shape[0]), ("images", names.size)):
        if count < 2:
            unit = "images" if what == "images" else "seeds"
            raise InputError(f"{what} must hold at least 2 {unit}, got {count}")
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(names.size))
    table = np.add.reduceat((one - other)[:, order], starts, axis=1)
    return table, np.bincount(index).astype(float)


def _resample(
    table: Array, sizes: Array, draws: int, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Return resampled gaps, each (draws,): of seeds alone, of images alone, of both."""
    seeds, groups = table.shape
    batch = max(1, _BATCH_CELLS // groups)
    parts: list[tuple[Array, Array, Array]] = []
    for start in range(0, draws, batch):
        count = min(batch, draws - start)
        seed_weights = rng.multinomial(seeds - 1, np.full(seeds, 1 / seeds), size=count)
        picked = rng.integers(groups, size=(count, groups - 1))
        picked += groups * np.arange(count)[:, None]
        image_weights = np.bincount(picked.ravel(), minlength=count * groups)
        image_weights = image_weights.reshape(count, groups)
        drawn = (image_weights @ table.T) / (image_weights @ sizes)[:, None]
        parts.append(
            (
                seed_weights @ table.sum(axis=1) / ((seeds - 1) * sizes.sum()),
                drawn.mean(axis=1),
                (seed_weights * drawn).sum(axis=1) / (seeds - 1),
            )
        )
    by_seed, by_image, both = (np.concatenate(column) for column in zip(*parts, strict=True))
    return by_seed, by_image, both
