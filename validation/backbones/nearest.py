"""Unknown names, answered with the nearest known ones."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from fusiontheory.checks import InputError

__all__ = ["check_known"]


def check_known(argument: str, value: str, known: Collection[str]) -> str:
    """Return ``value`` if it is known.

    Raises:
        InputError: naming up to three known names that are nearest to it, or the first ones.

    >>> check_known("tag", "opanai", ["openai", "laion2b_s34b_b79k"])
    Traceback (most recent call last):
    fusiontheory.checks.InputError: tag must be a known name, got 'opanai'; nearest: openai
    """
    if value in known:
        return value
    folded = {name.lower(): name for name in known}
    close = difflib.get_close_matches(value.lower(), folded, n=3, cutoff=0.5)
    if close:
        hint = "nearest: " + ", ".join(folded[name] for name in close)
    else:
        hint = "known: " + ", ".join(sorted(known)[:5]) + (", ..." if len(known) > 5 else "")
    raise InputError(f"{argument} must be a known name, got {value!r}; {hint}")
