"""The calibration that the library ships, from the study's tables.

Every cell of the study itself is judged by what all
other populations make (`judged`), never by this one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import fusiontheory
from experiments.foreign_features.config import SAMPLE
from experiments.foreign_features.ranges import HARMFUL_BELOW, RULES, Ranges, Rules, find_ranges
from fusiontheory.moments import EFFECTS, Calibration, read_calibration
from fusiontheory.synthetic import FOREIGN
from fusiontheory.typing import AnyArray

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["CALIBRATION", "CELL", "SAID", "calibrate", "cells", "judged", "stored", "units"]

CALIBRATION = Path(fusiontheory.__file__).with_name("moments") / "calibration.json"

_ITEMS = list(EFFECTS)
BEST = "best"
_UNIT = ["population", "images", "groups"]
CELL = [*_UNIT, "head", "ridge", "n"]
"""What a cell of the study is named by; it has a prediction for each moment sample."""
SAID = [*SAMPLE, "groups", "head", "ridge", "n", "trusted", "extra"]
"""Columns of the table of judged cells."""
# Share of cells that intervals hold after widening, a little above the nominal 95 % of the part
# that is known, and the least share in a population.
_HELD, _LEAST_HELD = 0.95, 0.90
# Populations from which a half-width of their own is taken.
_FEW = 3
# A unit, one population and number of images, is off where the mean prediction of a cell is off
# by more than this beyond noise, or its cells are on average; in accuracy.
_MOST_OFF, _MEAN_OFF = 0.018, 0.009


def cells(tables: Tables) -> pd.DataFrame:
    """Return every prediction with its measurement and the diagnosis of its sample.

    ``error`` is predicted less measured, ``miss`` how far the measured mean lies outside the
    interval, less one standard error of it; in accuracy.
    """
    text = {name: tables[name].copy() for name in ("predictions.csv", "measured.csv")}
    for table in text.values():
        # Tables that were written and read again have numbers there.
        table["ridge"] = table["ridge"].astype(str)
    key = ["population", "head", "ridge", "n"]
    found = text["predictions.csv"].merge(
        text["measured.csv"], on=key, suffixes=("", "_measured"), validate="m:1"
    )
    found = found.merge(tables["diagnoses.csv"], on=[*SAMPLE, "groups"], validate="m:1")
    found["error"] = found["predicted"] - found["measured"]
    outside = np.maximum(found["low"] - found["measured"], found["measured"] - found["high"])
    # Negative inside: how much narrower the interval might be.
    found["miss"] = outside - found["se"]
    return found


def units(judged_cells: pd.DataFrame, rules: Rules = RULES) -> pd.DataFrame:
    """Return a row for each population and number of images of one head's cells.

    With one value of each item, of its samples as the rules say, and whether its predictions are
    off.
    """
    half = (judged_cells["high"] - judged_cells["low"]) / 2
    spread = judged_cells.assign(variance=(half / 1.96) ** 2)
    mean = spread.groupby(CELL, sort=False).agg(
        error=("error", "mean"),
        se=("se", "first"),
        variance=("variance", "mean"),
        samples=("error", "size"),
    )
    noise = np.sqrt(mean["se"] ** 2 + mean["variance"] / mean["samples"])
    mean["off"] = np.maximum(mean["error"].abs() - noise, 0.0)
    grouped = mean.groupby(_UNIT, sort=False)["off"]
    worst = pd.DataFrame({"most": grouped.max(), "mean": grouped.mean()})
    worst["bad"] = (worst["most"] > _MOST_OFF) | (worst["mean"] > _MEAN_OFF)
    samples = judged_cells.groupby(_UNIT, sort=False)[_ITEMS]
    items = samples.mean()
    if rules.extremes:
        # A wrong unit is outside if all its samples are, a right one inside if all are.
        below = np.array([name in HARMFUL_BELOW for name in _ITEMS])
        items = samples.min().where(worst["bad"].to_numpy()[:, None] != below, samples.max())
    table = worst.join(items).reset_index()
    return table.assign(benign=[FOREIGN[name].kind == "benign" for name in table["population"]])


def calibrate(
    judged_cells: pd.DataFrame, known: pd.DataFrame | None = None, rules: Rules = RULES
) -> dict[str, Any]:
    """Return the calibration of one head, as the file has it.

    Ranges are those of the fixed ridge, half-widths are by kind of ridge.

    Args:
        judged_cells: its cells.
        known: its `units` at the fixed ridge, where they are known.
        rules: how ranges and widths are found.
    """
    fixed = judged_cells["ridge"] != BEST
    known = units(judged_cells[fixed], rules) if known is None else known
    limits = find_ranges(known, _ITEMS, rules)
    return {
        kind: _with_widths(judged_cells[part], limits)
        for kind, part in (("fixed", fixed), (BEST, ~fixed))
        if part.any()
    }


def _with_widths(judged_cells: pd.DataFrame, limits: Ranges) -> dict[str, Any]:
    sizes = sorted(judged_cells["n"].unique())
    draft: dict[str, Any] = {
        "sizes": [int(n) for n in sizes],
        "ranges": limits.ends,
        "spans": limits.spans,
        "inside": [0.0] * len(sizes),
        "outside": {name: [[0.0, 0.0]] * len(sizes) for name in _ITEMS},
    }
    known = read_calibration(draft)
    excess = {name: known.excess(name, judged_cells[name]) for name in _ITEMS}
    warned = np.any(list(excess.values()), axis=0)
    miss, place = judged_cells["miss"].to_numpy(), pd.factorize(judged_cells["population"])[0]
    at = [(judged_cells["n"] == n).to_numpy() for n in sizes]
    draft["inside"] = [_inside(judged_cells[~warned & own]) for own in at]
    for name in _ITEMS:
        draft["outside"][name] = [
            _near_and_far(miss[part], place[part], excess[name][part])
            for part in (warned & own for own in at)
        ]
    return draft


def _inside(part: pd.DataFrame) -> float:
    """Return the half-width that holds enough cells, and enough in every population."""
    if part.empty:
        return 0.0
    pooled = part["miss"].quantile(_HELD)
    own = part.groupby("population")["miss"].quantile(_LEAST_HELD)
    # The worst population of many is partly chance: the next to worst tenth.
    return round(max(float(pooled), float(own.quantile(0.95)), 0.0), 5)


def _near_and_far(miss: AnyArray, population: AnyArray, excess: AnyArray) -> list[float]:
    """Return half-widths just beyond a range and at its span; all that is warned if none is."""
    middle = 0.5
    widths = []
    for chosen in ((excess > 0) & (excess <= middle), excess > middle):
        for wider in (excess > 0, np.ones_like(chosen)):
            if np.unique(population[chosen]).size < _FEW:
                chosen = wider
        value = float(np.quantile(miss[chosen], _HELD)) if chosen.any() else 0.0
        widths.append(round(max(value, 0.0), 5))
    return [widths[0], max(widths)]


def judged(tables: Tables, more: Tables | None = None, rules: Rules = RULES) -> pd.DataFrame:
    """Return all cells with what the calibration of all other populations says of each.

    Columns ``trusted`` and ``extra``, the half-width added, are new.

    Args:
        tables: that calibrations are made of.
        more: tables of the cells to judge, where they are not the same ones.
        rules: how ranges and widths are found.
    """
    found = cells(tables)
    shown = found if more is None else cells(more)
    parts = []
    for head, own in found.groupby("head", sort=False):
        all_units = units(own[own["ridge"] != BEST], rules)
        asked = shown[shown["head"] == head]
        for name, part in asked.groupby("population", sort=False):
            known = all_units[all_units["population"] != name]
            others = calibrate(own[own["population"] != name], known, rules)
            for kind, cell in part.groupby(np.where(part["ridge"] == BEST, BEST, "fixed")):
                parts.append(_applied(cell, read_calibration(others[str(kind)])))
    return pd.concat(parts)


def _applied(part: pd.DataFrame, known: Calibration) -> pd.DataFrame:
    extra, trusted = (pd.Series(start, index=part.index) for start in (0.0, True))
    # One sample has the same diagnosis in all its cells.
    for _, own in part.groupby([*SAMPLE, "groups"], sort=False):
        values = {str(name): float(x) for name, x in own.iloc[0][_ITEMS].items()}
        trusted[own.index] = not known.beyond(values)
        extra[own.index] = known.half_width(values, own["n"].to_numpy(dtype=np.float64))
    return part.assign(trusted=trusted, extra=extra)


def stored(tables: Tables) -> str:
    """Return the file that the library ships, from all populations."""
    found = cells(tables)
    content = {
        "made by": "python -m experiments.foreign_features.publish",
        "populations": int(found["population"].nunique()),
        "samples": int(found["sample"].nunique()),
        "images": sorted(int(n) for n in found["images"].unique()),
        "heads": {str(head): calibrate(own) for head, own in found.groupby("head", sort=False)},
    }
    return json.dumps(content, indent=1) + "\n"
