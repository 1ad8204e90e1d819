"""The words that refuse an argument, and values in a few of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fusiontheory.checks import InputError

__all__ = ["refuse", "short"]


def short(value: Any) -> str:
    """Return a value in at most 60 characters: an array as its shape, a table as its size.

    >>> short([[1.0, 2.0]]), short(np.float64(0.5))
    ('[[1.0, 2.0]]', '0.5')
    """
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        value = value.item()  # NumPy's own words name the type
    if isinstance(value, str | int | float | complex | bytes | list | tuple | dict | None):
        try:
            text = repr(value)
        except (RecursionError, ValueError):
            return f"a {type(value).__name__} too long to show"
        return text if len(text) <= 60 else f"{text[:56]} ..."
    return f"a {type(value).__name__}"


def refuse(name: str, wanted: str, value: Any) -> InputError:
    """Return the refusal of an argument that has to be something else.

    >>> refuse("rank", "an integer", 1.5)
    InputError('rank must be an integer, got 1.5')
    """
    return InputError(f"{name} must be {wanted}, got {short(value)}")
