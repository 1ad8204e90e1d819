"""Numbers as people read them."""

from __future__ import annotations

import math

__all__ = [
    "named_features",
    "number",
    "points",
]

_MINUS = "−"
_STRENGTHS = ("aligned", "unaligned")
"""Conditions whose names say what features are; other names are people's own."""


def named_features(condition: str) -> str:
    """Name the features of a condition in a sentence.

    >>> named_features("aligned"), named_features("mine")
    ('aligned features', 'the features mine')
    """
    return f"{condition} features" if condition in _STRENGTHS else f"the features {condition}"


def points(value: float, signed: bool = True) -> str:
    """Write points of accuracy with one decimal, a dash for NaN.

    >>> points(-0.04), points(2.25, signed=False)
    ('0.0', '2.2')
    """
    if not math.isfinite(value):
        return "–"
    text = f"{abs(value):.1f}"
    if not signed or float(text) == 0:
        return text
    return ("+" if value > 0 else _MINUS) + text


def number(value: float) -> str:
    """Write a count or a number of pairs in full, anything else with three digits; NaN is a dash.

    >>> number(8192), number(2913.4), number(0.25)
    ('8192', '2913', '0.25')
    """
    if not math.isfinite(value):
        return "–"
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
