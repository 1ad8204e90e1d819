"""Permutation test of a paired gap: under the null either head could have had either accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import positive_integer
from fusiontheory.constraints import checked
from fusiontheory.stats.seed_gaps import seed_gaps
from fusiontheory.typing import Array

__all__ = ["SignFlipTest", "sign_flip_test"]

_MOST_EXACT_SEEDS = 16
_BATCH = 4096


@checked
@dataclass(frozen=True)
class SignFlipTest:
    """A test of a mean gap of 0 by flipping the signs of the seeds' gaps.

    Attributes:
        gap: mean over seeds.
        p_value: two-sided.
        smallest_p: what p_value could be at the least with so many seeds and flips: 1/16 at 5
            seeds, 1/512 at 10.
        flips: number of sign patterns looked at.
        exact: whether these were all.
        seeds: number of them.
    """

    gap: float
    p_value: float
    smallest_p: float
    flips: int
    exact: bool
    seeds: int


@checked
def sign_flip_test(
    first: ArrayLike, second: ArrayLike, flips: int = 100_000, seed: int = 0
) -> SignFlipTest:
    """Return the sign-flip test of the mean gap, paired by seed.

    p is the share of sign patterns whose mean is as far from 0 as the one seen. Up to 16 seeds
    all 2^seeds patterns are looked at; beyond, ``flips`` random ones, and the one seen is counted
    as one more (Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010). Valid if each gap is as
    likely as its negative under the null.

    Args:
        first, second: accuracies of two heads, (seeds,), on the same seeds in the same order.
        flips: number of random patterns, beyond 16 seeds.
        seed: of the random patterns.

    Raises:
        InputError: if the arrays do not fit, hold fewer than 2 seeds or a NaN, or for flips or
            seed that are no integers of at least 1 and 0.

    Example:
        >>> sign_flip_test([0.83, 0.84, 0.82, 0.85, 0.83], [0.80] * 5).p_value
        0.0625
    """
    gaps = seed_gaps(first, second)
    wanted = positive_integer("flips", flips)
    rng = np.random.default_rng(positive_integer("seed", seed, minimum=0))
    exact = gaps.size <= _MOST_EXACT_SEEDS
    total = 2**gaps.size if exact else wanted
    # Sums that differ by round-off alone are equal.
    seen = abs(gaps.sum()) - 1e-12 * np.abs(gaps).sum()
    hits = 0
    for start in range(0, total, _BATCH):
        count = min(_BATCH, total - start)
        signs = _patterns(start, count, gaps.size) if exact else _random(rng, count, gaps.size)
        hits += int(np.count_nonzero(np.abs(signs @ gaps) >= seen))
    return SignFlipTest(
        gap=float(gaps.mean()),
        p_value=hits / total if exact else (1 + hits) / (1 + total),
        smallest_p=2 / total if exact else 1 / (1 + total),
        flips=total,
        exact=exact,
        seeds=gaps.size,
    )


def _patterns(start: int, count: int, seeds: int) -> Array:
    """Return the sign patterns number start to start + count, (count, seeds)."""
    number = np.arange(start, start + count)[:, None]
    return np.where((number >> np.arange(seeds)) & 1, -1.0, 1.0)


def _random(rng: np.random.Generator, count: int, seeds: int) -> Array:
    return rng.choice([-1.0, 1.0], size=(count, seeds))
