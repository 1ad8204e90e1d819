"""Whether a prediction is to be trusted: what a stored study of many populations says.

For each item of a diagnosis of the features, the range within which predicted accuracies were seen
to hold; and half-widths, in accuracy, that have to be added to an interval: a small one within all
ranges, for what the theory itself is off by, and beyond a range one that grows with the distance.
Nothing is fitted to the case itself. ``python -m experiments.foreign_features.publish`` makes the
file.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.moments.diagnosis_items import EFFECTS, LOGARITHMIC
from fusiontheory.typing import Array

__all__ = [
    "Calibration",
    "Trust",
    "calibration",
    "calibration_of",
    "ranges",
    "read_calibration",
    "scaled",
    "trust",
]

_Ranges: TypeAlias = dict[str, tuple[float, float]]

_FILE = "calibration.json"

# Heads that no population of the study had, and the one of the same kernel that stands for each.
_STANDS_FOR = {"concat-mlp-aligned": "concat-mlp"}


@checked
@dataclass(frozen=True)
class Calibration:
    """What the study says of one head.

    Attributes:
        sizes: n at which half-widths are known, increasing.
        ranges: low and high end by item; None for no end.
        spans: by item, the distance beyond its range of the farthest population of the study.
        inside: extra half-width within all ranges at each of the sizes.
        outside: by item, extra half-widths beyond its range, at distance 0 and at the span, for
            each of the sizes.
    """

    sizes: tuple[float, ...]
    ranges: dict[str, tuple[float | None, float | None]]
    spans: dict[str, float]
    inside: tuple[float, ...]
    outside: dict[str, tuple[tuple[float, float], ...]]

    def excess(self, name: str, value: ArrayLike) -> Array:
        """Return how far values are beyond their range, in units of the farthest one seen.

        0 within the range; above 1 farther than any population of the study.
        """
        own = scaled(name, value)
        low, high = (scaled(name, end) for end in self.ends(name))
        distance = np.maximum(np.maximum(low - own, own - high), 0.0)
        span = self.spans.get(name, 0.0)
        return np.asarray(distance / span if span > 0 else np.sign(distance))

    def ends(self, name: str) -> tuple[float, float]:
        """Return the range, infinite where it has no end."""
        low, high = self.ranges.get(name, (None, None))
        return (-math.inf if low is None else low, math.inf if high is None else high)

    def beyond(self, values: dict[str, float]) -> dict[str, float]:
        """Return the excess of each item that is beyond its range."""
        excesses = {name: float(self.excess(name, value)) for name, value in values.items()}
        return {name: excess for name, excess in excesses.items() if excess > 0}

    def half_width(self, values: dict[str, float], n: Array) -> Array:
        """Return the extra half-width at each n: the largest over the items beyond their ranges.

        It is linear in the excess, beyond the study proportional to it, and half at most; between
        sizes it is linear in log n, and held beyond them.
        """
        place, known = np.log(n), np.log(self.sizes)
        widest = np.interp(place, known, self.inside)
        for name, excess in self.beyond(values).items():
            near_far = np.array(self.outside[name])
            grown = np.maximum(near_far[:, 1] - near_far[:, 0], 0.0)
            # Farther than any population of the study the width grows as the distance does.
            width = (near_far[:, 0] + min(excess, 1.0) * grown) * max(excess, 1.0)
            widest = np.maximum(widest, np.interp(place, known, width))
        return np.minimum(widest, 0.5)


@dataclass(frozen=True)
class Trust:
    """Whether to trust a head's predicted accuracies for some features.

    Attributes:
        trusted: whether all items are within their ranges.
        extra_half_width: to add to each side of a nominal 95 % interval, in accuracy, one for
            each n.
        reasons: a sentence for each item beyond its range: name, value, range, effect.
    """

    trusted: bool
    extra_half_width: Array
    reasons: tuple[str, ...]


@checked
def trust(values: dict[str, float], head: str, n: ArrayLike, *, best: bool = False) -> Trust:
    """Return whether to trust a head's predictions, and how much wider their intervals have to be.

    Args:
        values: of the features' diagnosis (`fusiontheory.diagnose`), by item.
        head: one of `fusiontheory.HEADS`; concat-mlp-aligned has the widths of concat-mlp, as no
            population of the study had it.
        n: number of training pairs, one or many.
        best: whether the ridge is the best one at each n, not a given one.

    Raises:
        InputError: for a head that the study does not have, or n below 1.

    Example:
        >>> from fusiontheory.moments import diagnose
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((600, 24))
        >>> x[:, 0] *= 10  # one direction dominates
        >>> values = diagnose(x, x + rng.standard_normal((600, 24))).values
        >>> said = trust(values, "concat-mlp", 100)
        >>> said.trusted, any("first_share" in reason for reason in said.reasons)
        (False, True)
    """
    own = calibration_of(_STANDS_FOR.get(head, head), best)
    sizes = sample_sizes("n", n)
    beyond = own.beyond(values)
    reasons = tuple(
        _sentence(name, values[name], own.ends(name))
        for name in sorted(beyond, key=lambda name: -beyond[name])
    )
    return Trust(not beyond, own.half_width(values, sizes), reasons)


def _sentence(name: str, value: float, ends: tuple[float, float]) -> str:
    side, end = ("below", ends[0]) if value < ends[0] else ("above", ends[1])
    return f"{name} is {value:.3g}, {side} {end:.3g}. {EFFECTS[name]}"


@checked
def scaled(name: str, value: ArrayLike) -> Array:
    """Return values on the scale on which distances of their item are measured."""
    given = np.asarray(value, dtype=np.float64)
    return np.log(np.maximum(given, 1e-12)) if name in LOGARITHMIC else given


@checked
def ranges(head: str | None = None) -> _Ranges:
    """Return the range of each item, infinite where open, of a head or, where None, of all.

    Example:
        >>> "mean_share" in ranges()
        True
    """
    chosen = list(calibration().values()) if head is None else [calibration_of(head)]
    limits = {}
    for name in EFFECTS:
        ends = [own.ends(name) for own in chosen]
        limits[name] = max(low for low, _ in ends), min(high for _, high in ends)
    return limits


@checked
def calibration_of(head: str, best: bool = False) -> Calibration:
    """Return the stored calibration of a head, for a given ridge or for the best one at each n.

    Raises:
        InputError: if the study does not have the head.
    """
    known = calibration("best" if best else "fixed")
    if head not in known:
        raise InputError(f"head must be one of {', '.join(known)}, got {head!r}")
    return known[head]


@checked
@cache
def calibration(kind: str = "fixed") -> dict[str, Calibration]:
    """Return the stored calibration by head, of predictions at a "fixed" or at the "best" ridge.

    Ranges are the same for both, half-widths are not: the ridge that is predicted to be the best
    is not always the one that is.
    """
    text = files("fusiontheory.moments").joinpath(_FILE).read_text(encoding="utf-8")
    stored: dict[str, Any] = json.loads(text)
    return {head: read_calibration(own[kind]) for head, own in stored["heads"].items()}


@checked
def read_calibration(stored: dict[str, Any]) -> Calibration:
    """Return the calibration of one head as the file has it."""
    return Calibration(
        sizes=tuple(stored["sizes"]),
        ranges={name: (ends[0], ends[1]) for name, ends in stored["ranges"].items()},
        spans=dict(stored["spans"]),
        inside=tuple(stored["inside"]),
        outside={
            name: tuple((near, far) for near, far in widths)
            for name, widths in stored["outside"].items()
        },
    )
