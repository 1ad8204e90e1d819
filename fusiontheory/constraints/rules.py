"""Rules of range and shape, which `checked` takes by the names of arguments."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from fusiontheory.checks import InputError, finite_array
from fusiontheory.constraints.kinds import Kind, short

__all__ = ["between", "finite", "shaped"]


def between(low: float, high: float, below: bool = False) -> Kind:
    """Return the rule of a number from low to high, or where ``below`` to below high."""

    def rule(name: str, value: Any) -> Any:
        if not (low <= value < high or (value == high and not below)):
            words = f"from {low} to {'below ' if below else ''}{high}"
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
