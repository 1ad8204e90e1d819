"""Make the stored calibration: ``python -m experiments.foreign_features.calibrate``.

Writes ``fusiontheory/calibration.json`` from all populations, and ``leave_one_out.csv`` with every
cell under the calibration of all other populations, from which `summary` takes its numbers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import fusiontheory
from experiments.foreign_features.config import DIAGNOSES, MEASURED, PREDICTIONS
from experiments.foreign_features.ranges import find_ranges
from fusiontheory.moments import EFFECTS, Calibration, read_calibration

__all__ = ["CALIBRATION", "LEAVE_ONE_OUT", "calibrate", "cells", "leave_one_out", "main", "units"]

CALIBRATION = Path(fusiontheory.__file__).with_name("calibration.json")
LEAVE_ONE_OUT = Path(__file__).with_name("leave_one_out.csv")

_ITEMS = list(EFFECTS)
_CELL = ["population", "images", "head", "ridge", "n"]
# Share of cells that intervals hold after widening, a little above the nominal 95 % of the part
# that is known, and the least share in a population.
_HELD, _LEAST_HELD = 0.95, 0.90
# A unit, one population and number of images, is off where the mean prediction of a cell is off
# by more than this beyond noise, or its cells are on average; in accuracy.
_MOST_OFF, _MEAN_OFF = 0.018, 0.009


def cells() -> pd.DataFrame:
    """Return every prediction with its measurement and the diagnosis of its sample.

    ``error`` is predicted less measured, ``miss`` how far the measured mean lies outside the
    interval, less one standard error of it; in accuracy.
    """
    text = {"ridge": str}
    predictions, measured = (pd.read_csv(path, dtype=text) for path in (PREDICTIONS, MEASURED))
    found = predictions.merge(
        measured, on=["population", "head", "ridge", "n"], suffixes=("", "_measured")
    ).merge(pd.read_csv(DIAGNOSES), on=["population", "images", "sample"])
    found["error"] = found["predicted"] - found["measured"]
    outside = np.maximum(found["low"] - found["measured"], found["measured"] - found["high"])
    # Negative inside: how much narrower the interval might be.
    found["miss"] = outside - found["se"]
    return found


def units(found: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each population and number of images of one head's cells.

    With the worst value of each item over its samples, and whether its predictions are off.
    """
    half = (found["high"] - found["low"]) / 2
    spread = found.assign(variance=(half / 1.96) ** 2)
    mean = spread.groupby(_CELL, sort=False).agg(
        error=("error", "mean"),
        se=("se", "first"),
        variance=("variance", "mean"),
        samples=("error", "size"),
    )
    noise = np.sqrt(mean["se"] ** 2 + mean["variance"] / mean["samples"])
    mean["off"] = np.maximum(mean["error"].abs() - noise, 0.0)
    grouped = mean.groupby(["population", "images"], sort=False)["off"]
    worst = pd.DataFrame({"most": grouped.max(), "mean": grouped.mean()})
    worst["bad"] = (worst["most"] > _MOST_OFF) | (worst["mean"] > _MEAN_OFF)
    items = found.groupby(["population", "images"], sort=False)[_ITEMS].mean()
    return worst.join(items).reset_index()


def calibrate(found: pd.DataFrame) -> dict[str, Any]:
    """Return the calibration of one head from its cells, as the file has it."""
    known = units(found)
    limits = find_ranges(known, _ITEMS)
    sizes = sorted(found["n"].unique())
    stored: dict[str, Any] = {
        "sizes": [int(n) for n in sizes],
        "ranges": limits.ends,
        "spans": limits.spans,
        "inside": [0.0] * len(sizes),
        "outside": {},
    }
    draft = read_calibration(stored)
    excess = pd.DataFrame(
        {name: [draft.excess(name, value) for value in found[name]] for name in _ITEMS},
        index=found.index,
    )
    warned = (excess > 0).any(axis=1)
    stored["inside"] = [_inside(found[~warned & (found["n"] == n)]) for n in sizes]
    for name in _ITEMS:
        stored["outside"][name] = [
            _near_and_far(found[warned & (found["n"] == n)], excess[name]) for n in sizes
        ]
    return stored


def _inside(part: pd.DataFrame) -> float:
    """Return the half-width that holds enough cells, and enough in every population."""
    if part.empty:
        return 0.0
    pooled = part["miss"].quantile(_HELD)
    own = part.groupby("population")["miss"].quantile(_LEAST_HELD)
    # The worst population of many is partly chance: the next to worst tenth.
    return round(max(float(pooled), float(own.quantile(0.95)), 0.0), 5)


def _near_and_far(part: pd.DataFrame, excess: pd.Series) -> list[float]:
    """Return half-widths just beyond a range and at its span; all that is warned if none is."""
    own = excess[part.index]
    middle = 0.5
    bins = [part[(own > 0) & (own <= middle)], part[own > middle]]
    widths = []
    for chosen in bins:
        if chosen["population"].nunique() < 3:
            chosen = part[own > 0]
        if chosen["population"].nunique() < 3:
            chosen = part
        value = float(chosen["miss"].quantile(_HELD)) if len(chosen) else 0.0
        widths.append(round(max(value, 0.0), 5))
    return [widths[0], max(widths)]


def leave_one_out(found: pd.DataFrame) -> pd.DataFrame:
    """Return all cells with what the calibration of all other populations says of each.

    Columns ``trusted`` and ``extra`` are added.
    """
    parts = []
    for _, own in found.groupby("head", sort=False):
        for name, part in own.groupby("population", sort=False):
            known = read_calibration(calibrate(own[own["population"] != name]))
            parts.append(_applied(part, known))
    return pd.concat(parts)


def _applied(part: pd.DataFrame, known: Calibration) -> pd.DataFrame:
    trusted, extra = [], []
    for row in part.itertuples(index=False):
        values = {name: getattr(row, name) for name in _ITEMS}
        trusted.append(not known.beyond(values))
        extra.append(float(known.half_width(values, np.array([row.n], dtype=np.float64))[0]))
    return part.assign(trusted=trusted, extra=extra)


def main() -> None:
    """Write both files."""
    found = cells()
    heads = {str(head): calibrate(own) for head, own in found.groupby("head", sort=False)}
    counts = {
        "populations": int(found["population"].nunique()),
        "samples": int(found["sample"].nunique()),
        "images": sorted(int(n) for n in found["images"].unique()),
    }
    stored = {
        "made by": "python -m experiments.foreign_features.calibrate",
        **counts,
        "heads": heads,
    }
    CALIBRATION.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    table = leave_one_out(found)
    columns = [*_CELL, "sample", "predicted", "low", "high", "measured", "se", "trusted", "extra"]
    table[columns].to_csv(LEAVE_ONE_OUT, index=False, float_format="%.5g", lineterminator="\n")


if __name__ == "__main__":
    main()
