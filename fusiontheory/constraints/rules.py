"""Rules of range and shape, which `checked` takes by the names of arguments."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fusiontheory.checks import InputError, finite_array, non_negative, positive_integer
from fusiontheory.constraints.kinds import Kind
from fusiontheory.constraints.words import short

__all__ = [
    "as_many",
    "at_most",
    "being",
    "between",
    "finite",
    "in_memory",
    "instead",
    "non_negatives",
    "positive",
    "positive_integers",
    "ragged",
    "shaped",
    "single",
]


def between(low: float, high: float, below: bool = False) -> Kind:
    """Return the rule of a number from low to high, or where ``below`` to below high."""

    def rule(name: str, value: Any) -> Any:
        if not (low <= value < high or (value == high and not below)):
            words = f"from {low} to {'below ' if below else ''}{high}"
            raise InputError(f"{name} must be {words}, got {short(value)}")
        return value

    return rule


def at_most(high: float) -> Kind:
    """Return the rule of a number of at most high; what is too low is left to the body.

    >>> at_most(100_000)("draws", 10**7)
    Traceback (most recent call last):
    fusiontheory.checks.InputError: draws must be at most 100000, got 10000000
    """

    def rule(name: str, value: Any) -> Any:
        if value > high:
            raise InputError(f"{name} must be at most {high}, got {short(value)}")
        return value

    return rule


def being(words: str, holds: Callable[[Any], bool]) -> Kind:
    """Return the rule of a value of which something holds; the words say what that is.

    >>> being("even", lambda k: k % 2 == 0)("k", 3)
    Traceback (most recent call last):
    fusiontheory.checks.InputError: k must be even, got 3
    """

    def rule(name: str, value: Any) -> Any:
        if not holds(value):
            raise InputError(f"{name} must be {words}, got {short(value)}")
        return value

    return rule


def finite(*dimensions: int, least: int = 1) -> Kind:
    """Return the rule of a finite array, its dimensions one of these, of ``least`` rows or more."""

    def rule(name: str, value: Any) -> Any:
        rows = len(finite_array(name, value, dimensions))
        if rows < least:
            raise InputError(f"{name} must hold at least {least} values, got {rows}")
        return value

    return rule


def shaped(*least: int) -> Kind:
    """Return the rule of an array with these dimensions, each of at least so many entries."""

    def rule(name: str, value: Any) -> Any:
        shape = np.shape(value)
        if len(shape) != len(least) or any(map(operator.lt, shape, least)):
            raise InputError(
                f"{name} must have {len(least)} dimensions of at least"
                f" {', '.join(map(str, least))} entries, got shape {shape}"
            )
        return value

    return rule


def positive(name: str, value: Any) -> Any:
    """Return finite numbers above 0, or refuse them."""
    if (lowest := np.min(finite_array(name, value, (0, 1, 2)))) <= 0:
        raise InputError(f"{name} must be above 0, got {lowest:g}")
    return value


def positive_integers(name: str, value: Any) -> Any:
    """Return integers of at least 1, or refuse them."""
    for one in value:
        positive_integer(name, one)
    return value


def non_negatives(name: str, value: Any) -> Any:
    """Return finite numbers of at least 0, or refuse them."""
    for one in value:
        non_negative(name, one)
    return value


def ragged(name: str, value: Any) -> Any:
    """Return an array, or a sequence of arrays whose lengths may differ; refuse anything else."""
    try:
        sequence = not isinstance(value, str | bytes | Mapping) and value[:0] is not None
        if not sequence or any(isinstance(one, str | bytes) or len(one) < 0 for one in value):
            raise TypeError
    except (TypeError, KeyError, IndexError):
        raise InputError(f"{name} must be a sequence of arrays, got {short(value)}") from None
    return value


def single(name: str, value: Any) -> Any:
    """Return numbers that float32 can hold, or refuse them; NaN and infinity are left to others."""
    high = np.abs(value, where=np.isfinite(value), out=np.zeros(np.shape(value)))
    if np.max(high, initial=0) > (most := np.finfo(np.float32).max):
        raise InputError(f"{name} must be at most {most:.3g}, got {np.max(high):.3g}")
    return value


@dataclass(frozen=True)
class instead:
    """A rule that is asked in place of the annotation, as one that has its own words."""

    kind: Kind | None = None

    def __call__(self, name: str, value: Any) -> Any:
        """Return the value, held to the rule."""
        return value if self.kind is None else self.kind(name, value)


_MOST_BYTES = 4 * 2**30


def in_memory(
    name: str, values: Callable[[Mapping[str, Any]], float]
) -> Callable[[Mapping[str, Any]], None]:
    """Return the rule that arrays of float64 have at most 4 GiB, for ``together``.

    Args:
        name: of the argument to ask less of.
        values: from all arguments by name to how many values there are at once.

    >>> in_memory("n", lambda given: given["n"] * given["d"])({"n": 10**9, "d": 2})
    Traceback (most recent call last):
    fusiontheory.checks.InputError: n must be less: 1000000000 would take 14.9 GiB, 4 are given
    """

    def rule(given: Mapping[str, Any]) -> None:
        if (wanted := 8 * values(given)) > _MOST_BYTES:
            raise InputError(
                f"{name} must be less: {short(given[name])} would take {wanted / 2**30:.3g} GiB,"
                " 4 are given"
            )

    return rule


def as_many(*names: str, at_most: str | None = None) -> Callable[[Mapping[str, Any]], None]:
    """Return the rule that arguments have as many rows, for ``together``.

    Args:
        names: of the arguments.
        at_most: name of an argument that holds integers, none above the number of rows.
    """

    def rule(given: Mapping[str, Any]) -> None:
        rows = [len(given[name]) for name in names]
        if len(set(rows)) > 1:
            words = f"{', '.join(names[:-1])} and {names[-1]}"
            got = f"{', '.join(map(str, rows[:-1]))} and {rows[-1]}"
            raise InputError(f"{words} must have as many rows, got {got}")
        for one in given[at_most] if at_most else ():
            if one > rows[0]:
                raise InputError(f"{at_most} must be at most the {rows[0]} rows, got {one}")

    return rule
