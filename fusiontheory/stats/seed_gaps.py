"""Gaps of two heads by seed, checked: what every paired statistic starts from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, finite_array
from fusiontheory.typing import Array

__all__ = ["check_level", "gaps_at", "seed_gaps"]


def seed_gaps(first: ArrayLike, second: ArrayLike) -> Array:
    """Return first less second by seed, (seeds,); entry by entry of the same seeds.

    Raises:
        InputError: if they are not one-dimensional, of the same length of at least 2, and finite.
    """
    one, other = finite_array("first", first, 1), finite_array("second", second, 1)
    if one.shape != other.shape:
        raise InputError(
            f"first and second must hold the same seeds, got {one.size} and {other.size} values"
        )
    if one.size < 2:
        raise InputError("first and second must hold at least 2 seeds, got 1")
    return one - other


def gaps_at(
    gaps: ArrayLike, name: str, positions: ArrayLike, least_seeds: int = 2
) -> tuple[Array, Array]:
    """Return gaps (seeds, levels) and the positions of the levels (levels,), both checked.

    Raises:
        InputError: if the shapes do not fit, there are fewer seeds than ``least_seeds`` or fewer
            than two levels, a value is not finite, or a position is there twice.
    """
    table = finite_array("gaps", gaps, 2)
    levels = finite_array(name, positions, 1)
    if table.shape[1] != levels.size:
        raise InputError(
            f"gaps must have one column for each of {name}, got shape {table.shape}"
            f" and {levels.size} of {name}"
        )
    if table.shape[0] < least_seeds:
        raise InputError(f"gaps must hold at least {least_seeds} seeds, got {table.shape[0]}")
    if levels.size < 2 or np.unique(levels).size != levels.size:
        raise InputError(f"{name} must be at least 2 distinct values, got {levels.tolist()}")
    return table, levels


def check_level(name: str, value: Any) -> float:
    """Return a level of confidence, significance or power as a float inside (0, 1).

    Raises:
        InputError: if it is not such a number.
    """
    try:
        level = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be a number between 0 and 1, got {value!r}") from error
    if not 0 < level < 1:
        raise InputError(f"{name} must be between 0 and 1, both excluded, got {value!r}")
    return level
