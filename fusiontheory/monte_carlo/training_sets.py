"""Training sets of a simulation: how many and how large, and random numbers of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fusiontheory.checks import InputError, positive_integer

__all__ = ["MOST_NUMBERS", "MOST_SAMPLES", "MOST_SETS", "limited", "random_numbers"]

MOST_SAMPLES = 1_000_000
"""Samples in one training set, and test pairs of one."""

MOST_SETS = 100_000
"""Training sets: a mean over so many is known to 0.3 % of what one differs from another."""

MOST_NUMBERS = 10**11
"""Random numbers of one call, which take about a quarter of an hour to draw."""

_MOST_BYTES = 4 * 2**30


def random_numbers(
    n: int,
    draws: int,
    seed: int,
    features: int,
    *,
    least: int = 2,
    name: str = "n",
    before: int = 0,
) -> Iterator[np.random.Generator]:
    """Return a generator of random numbers for each training set, all of them independent.

    Args:
        n: samples of a training set, 1 to `MOST_SAMPLES`.
        draws: training sets, ``least`` to `MOST_SETS`.
        seed: of the first generator, of which the others are children.
        features: random numbers that a sample takes.
        least: number of training sets.
        name: of the argument that says how many samples.
        before: generators that come first, for what the training sets share.

    Raises:
        InputError: for anything else, where one training set takes more than 4 GiB, and where all
            of them take more than `MOST_NUMBERS`.
    """
    n, draws = limited(name, n), limited("draws", draws, MOST_SETS, least)
    parent = np.random.default_rng(positive_integer("seed", seed, minimum=0))
    if (held := 8 * n * features) > _MOST_BYTES:
        raise InputError(
            f"{name} must be less: {n} samples of {features} features would take"
            f" {held / 2**30:.3g} GiB, 4 are given"
        )
    if n * features * draws > MOST_NUMBERS:
        raise InputError(
            f"draws must be less: {draws} training sets of {n} samples of {features} features have"
            f" more than {MOST_NUMBERS:.0e} numbers; simulate with several seeds and join them"
        )
    # One at a time: all of them would take gigabytes.
    return (parent.spawn(1)[0] for _ in range(before + draws))


def limited(name: str, value: Any, most: int = MOST_SAMPLES, least: int = 1) -> int:
    """Return an integer from ``least`` to ``most``; InputError for anything else."""
    number = positive_integer(name, value, minimum=least)
    if number > most:
        raise InputError(f"{name} must be at most {most}, got {number}")
    return number
