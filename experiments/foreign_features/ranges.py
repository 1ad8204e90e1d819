"""Ranges of a diagnosis within which predictions held: as few cuts as leave nothing wrong inside.

Starting from no limit, the cut of one item at one value that puts the most wrong populations
outside, less the right ones that go with them, is made again and again until none gains. A limit
is between the last right population inside and the nearest wrong one outside; an item without a
cut has its limit a little beyond the last population that was seen to be right. `Rules` has what is
open in this; which of them are kept is `experiments.foreign_features.rules`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusiontheory.moments import LOGARITHMIC, scaled
from fusiontheory.typing import Array

__all__ = ["HARMFUL_BELOW", "RULES", "Ranges", "Rules", "find_ranges"]


HARMFUL_BELOW = frozenset(
    {
        "length_kurtosis_low",
        "leading_bimodality",
        "effective_dimensions",
        "distinct_values",
        "images_per_dimension",
        "signal_agreement",
    }
)
"""Items of which low values are the unusual ones; of the others high ones are."""

# What centred Gaussian features show, in seven effective directions or more and with correlations
# up to 0.87, and by chance at 500 rows: no limit may leave it outside, whatever errors there are at
# such values.
_ORDINARY = {
    "mean_share": 0.01,
    "length_kurtosis": 1.1,
    "length_kurtosis_low": 0.9,
    "leading_kurtosis": 0.6,
    "leading_bimodality": -0.6,
    "leading_skewness": 0.3,
    "effective_dimensions": 7.0,
    "first_share": 0.34,
    "repeated_rows": 0.01,
    "distinct_values": 0.9,
    "near_duplicates": 0.01,
    "grouped_copies": 0.5,
    "largest_group": 0.01,
    "images_per_dimension": 4.0,
    "signal_agreement": 0.5,
    "leading_correlation": 0.87,
    "shared_lengths": 0.1,
    "square_dependence": 0.15,
    "mixed_dependence": 0.15,
}
# Nor may one leave out the features that ship, with so much to spare: their predictions were held
# against measurement.
_SHIPPED = Path(__file__).with_name("shipped.csv")
_SPARE = 1.1
_SHARES = frozenset(_ORDINARY) - {
    "length_kurtosis",
    "length_kurtosis_low",
    "leading_kurtosis",
    "leading_bimodality",
    "leading_skewness",
    "effective_dimensions",
    "images_per_dimension",
}
# Limits that are set whatever the errors: groups mend what is beyond the first, and one item of a
# fiftieth of all rows is beyond what frames of videos show.
_SET = {"near_duplicates": 0.01, "largest_group": 0.02}
# Of the spread of what was seen to be right: how much farther a limit without a cut lies.
_MARGIN = 0.02
# Wrong populations that a cut has to put outside for each right benign one that goes with it; one
# of another kind, of which a needless warning costs less, is the rules' ``price``.
_BENIGN_PRICE = 2.0
# Least span, as a share of the spread inside: distances are not measured in smaller units.
_LEAST_SPAN = 0.1


class Rules(NamedTuple):
    """What is open in how ranges and widths are found.

    Attributes:
        part: where a limit lies between the last right population and the nearest wrong one.
        price: wrong populations that a cut has to put outside for each right one, not benign.
        extremes: whether an item's value is that of a wrong population's least unusual sample and
            of a right one's most unusual one, not the mean over samples.
    """

    part: float
    price: float
    extremes: bool


RULES = Rules(part=0.25, price=0.1, extremes=True)
"""The rules that the study and the library go by."""


class Ranges(NamedTuple):
    """Ends of each item's range, None for none, and how far populations lay beyond."""

    ends: dict[str, tuple[float | None, float | None]]
    spans: dict[str, float]


def find_ranges(units: pd.DataFrame, items: list[str], rules: Rules = RULES) -> Ranges:
    """Return the ranges of one head.

    Args:
        units: a row a population and number of images, with the items, whether its predictions
            are ``bad``, and whether its kind is ``benign``.
        items: names of the columns to limit.
        rules: where limits lie, and what they may cost.
    """
    bad = units["bad"].to_numpy(dtype=bool)
    price = np.where(units["benign"].to_numpy(dtype=bool), _BENIGN_PRICE, rules.price)
    # Every item so turned that high values are the unusual ones.
    values = {name: _turned(name, scaled(name, units[name])) for name in items}
    limits = dict(_SET)
    inside = np.ones(len(units), dtype=bool)
    for name, limit in limits.items():
        inside &= values[name] <= limit
    while (inside & bad).any():
        name, limit, gain = _best_cut(values, inside, bad, price, rules.part)
        if gain <= 0:
            break
        limits[name] = min(limit, limits.get(name, np.inf))
        inside &= values[name] <= limit
    ends: dict[str, tuple[float | None, float | None]] = {}
    spans = {}
    for name in items:
        limit = limits.get(name, _beyond_seen(values[name][inside & ~bad]))
        below = name in HARMFUL_BELOW
        limit = max(limit, _ordinary(name))
        end = round(_unscaled(name, -limit if below else limit), 6)
        if name in _SHARES:
            end = min(max(end, 0.0), 1.0)
        ends[name] = (end, None) if below else (None, end)
        beyond = float(max((values[name] - limit).max(), 0.0))
        least = _LEAST_SPAN * float(np.ptp(values[name][inside])) if inside.any() else 0.0
        spans[name] = round(max(beyond, least), 6)
    return Ranges(ends, spans)


def _best_cut(
    values: dict[str, Array],
    inside: NDArray[np.bool_],
    bad: NDArray[np.bool_],
    price: Array,
    part: float,
) -> tuple[str, float, float]:
    best: tuple[str, float, float] = ("", np.inf, 0.0)
    widest = 0.0
    worth = np.where(bad, 1.0, -price)[inside]
    for name, own in values.items():
        kept = np.sort(own[inside])
        spread = float(np.ptp(kept)) or 1.0
        at = np.unique(own[inside & bad])
        at = at[at > kept[0]]
        gains = (own[inside] >= at[:, None]) @ worth
        # The last value that stays inside.
        last = kept[np.searchsorted(kept, at) - 1]
        limits, gaps = last + part * (at - last), (at - last) / spread
        for gain, gap, limit in zip(gains, gaps, limits, strict=True):
            if (gain, gap) > (best[2], widest) and limit >= _ordinary(name):
                best, widest = (name, float(limit), float(gain)), float(gap)
    return best


def _beyond_seen(right: Array) -> float:
    if not right.size:
        return 0.0
    return float(right.max() + _MARGIN * (np.ptp(right) + 1e-9))


def _ordinary(name: str) -> float:
    """Return the least limit of an item, so turned that high values are the unusual ones."""
    known = [_ORDINARY[name], *_shipped()[name]]
    return max(float(_turned(name, scaled(name, value))) for value in known)


@cache
def _shipped() -> dict[str, tuple[float, ...]]:
    """Return values a little more unusual than those of the shipped features, by item."""
    table = pd.read_csv(_SHIPPED)
    found = {}
    for name in _ORDINARY:
        more = [
            x / _SPARE if (name in HARMFUL_BELOW) == (x > 0) else x * _SPARE for x in table[name]
        ]
        found[name] = tuple(more)
    return found


def _turned(name: str, scale: Array) -> Array:
    return -scale if name in HARMFUL_BELOW else scale


def _unscaled(name: str, value: float) -> float:
    return float(np.exp(value)) if name in LOGARITHMIC else value
