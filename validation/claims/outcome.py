"""What an interval says about a claim, and what many such outcomes say together.

An outcome is "holds", "fails", or "open" where the interval is too wide to tell. Fractions in.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "RESOLUTION",
    "combine",
    "lead_outcome",
    "level_outcome",
    "range_outcome",
    "sign_outcome",
]

RESOLUTION = 0.01
"""One point: a smaller difference is none that the study sets out to see."""

# Round-off: a value on the very edge of a range is inside.
_EDGE = 1e-12


def lead_outcome(low: float, high: float) -> str:
    """Return whether something is above 0, given its interval.

    It holds if the interval is above 0 and fails if it is below, or if it meets 0 and ends below
    the resolution.
    """
    if low > _EDGE:
        return "holds"
    return "fails" if high < RESOLUTION - _EDGE else "open"


def level_outcome(low: float, high: float) -> str:
    """Return whether something is at most the resolution, given its interval."""
    if high <= RESOLUTION + _EDGE:
        return "holds"
    return "fails" if low > RESOLUTION + _EDGE else "open"


def range_outcome(low: float, high: float, least: float, most: float) -> str:
    """Return whether a lead is within [least, most] > 0, given its interval.

    It holds if the interval meets the range and not 0, and fails if it does not meet the range.
    """
    if high < least - _EDGE or low > most + _EDGE:
        return "fails"
    return "holds" if low > _EDGE else "open"


def combine(outcomes: Sequence[str]) -> str:
    """Return the verdict of a claim that says something about each of several cells.

    Supported if it holds in all; refuted if it fails somewhere and holds nowhere; mixed if both
    occur; not testable here if it fails nowhere and is open somewhere.
    """
    kinds = {*outcomes}
    if "fails" in kinds:
        return "mixed" if "holds" in kinds else "refuted"
    return "supported" if kinds == {"holds"} else "not testable here"


def sign_outcome(low: float, high: float) -> str:
    """Return whether something is above 0 rather than below, given its interval."""
    if low > _EDGE:
        return "holds"
    return "fails" if high < -_EDGE else "open"
