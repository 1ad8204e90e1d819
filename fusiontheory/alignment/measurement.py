r"""Metrics with what their intervals and nulls need, and the two resampling schemes.

Interval. A metric is a mean over images, or over pairs of distinct images, or a smooth function of
such means. Image i moves it by psi_i / n to first order (its influence, 0 on average), as itself
and as partner, neighbour or competitor of others. A bootstrap replicate draws the images' weights
w ~ Multinomial(n) and is

    value + (s/n) sum_i (w_i - 1) psi_i.

Nothing is recomputed on a resample in which an image stands beside its own copy: that copy would
be a perfect neighbour, a mismatched partner that matches, and a leak between folds.
A mean over pairs has noise of its own in each pair {i, j}, which psi_i and psi_j both carry, so
that sum_i psi_i^2 / n^2 counts it twice: variance = sum_i psi_i^2 / n^2 - pair noise, at least
the pair noise, and s scales to it. (That is the variance of dyads that share an image.)

Null. Captions, all those of an image together, are given to the images in random order; what does
not depend on the pairing, such as Gram matrices, is computed once.

Sources: Hoeffding, Ann. Math. Statist. 19 (1948), for the projection; Efron & Stein, Ann. Statist.
9 (1981), for its excess variance; Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010), for p.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from fusiontheory.constraints import between, checked
from fusiontheory.typing import Array

__all__ = ["Measurement", "bootstrap_interval", "p_value"]


_LEVEL = (0.025, 0.975)
# Replicates held at a time; 64 rows of weights of 10^5 images are 50 MB.
_REPLICATES = 64


def _same(values: Array) -> Array:
    return values


@checked
@dataclass(frozen=True, eq=False)
class Measurement:
    """Some metrics of one kind that share their work.

    Attributes:
        metrics: m names.
        value: (m,), on the scale on which the influence is taken.
        influence: (n, m), each image's psi_i; its mean does not matter.
        null: draws the values under one random pairing, (m,), on the same scale.
        pair_noise: (m,) variance of each value that belongs to single pairs of images.
        scale: increasing function from that scale to the one that is reported.

    Example:
        >>> Measurement(("mean",), np.zeros(1), np.ones((3, 1)), lambda rng: np.zeros(1)).metrics
        ('mean',)
    """

    metrics: Sequence[str]
    value: Array
    influence: Array
    null: Callable[[np.random.Generator], Array]
    pair_noise: Array | float = 0.0
    scale: Callable[[Array], Array] = field(default=_same)


@checked(replicates=between(1, 10**6))
def bootstrap_interval(
    measurement: Measurement, replicates: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the ends of the 95 % percentile intervals, each (m,), on the reported scale.

    Args:
        measurement: of n images.
        replicates: number of bootstrap replicates, at least 1.
        rng: of the weights.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((400, 1))
        >>> mean = Measurement(("mean",), x.mean(axis=0), x, lambda rng: np.zeros(1))
        >>> low, high = bootstrap_interval(mean, 2000, rng)
        >>> round(float((high - low)[0] / (2 * 1.96 / 20)), 1)  # 20 = sqrt(n)
        1.0
    """
    psi = measurement.influence - measurement.influence.mean(axis=0)
    n = len(psi)
    total = (psi**2).sum(axis=0) / n**2
    # What is left of the variance is its part of single images and the pair noise itself.
    variance = np.maximum(total - measurement.pair_noise, measurement.pair_noise)
    stretch = np.zeros_like(total)
    np.divide(variance, total, out=stretch, where=total > 0)
    scaled = psi * np.sqrt(stretch) / n
    moves = []
    for start in range(0, replicates, _REPLICATES):
        size = min(_REPLICATES, replicates - start)
        # psi sums to 0, so that subtracting 1 from the weights would change nothing.
        moves.append(rng.multinomial(n, np.full(n, 1 / n), size=size) @ scaled)
    ends = np.quantile(measurement.value + np.concatenate(moves), _LEVEL, axis=0)
    return measurement.scale(ends[0]), measurement.scale(ends[1])


@checked
def p_value(value: float, null: Array) -> float:
    """Return (1 + number of null values at or above ``value``) / (1 + number of null values).

    Values within rounding (1e-12) of each other are equal.

    Example:
        >>> p_value(3.0, np.array([1.0, 2.0, 3.0]))
        0.5
    """
    return float((1 + np.count_nonzero(null >= value - 1e-12)) / (1 + null.size))
