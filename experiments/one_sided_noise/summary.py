"""Predicted beside measured, by the side that noise is on, and which side it hurts more on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.network_errors import beside_predictions

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["both_sides", "comparison", "errors", "leads", "right", "sides", "summary"]

BOTH = Path(__file__).parents[1] / "degraded_networks" / "results.csv"
"""Runs of the same pairs and seeds, with noise on images and texts."""

_CELL = ["condition", "head", "n", "side", "sigma"]
_LEAD = ["condition", "side", "sigma"]
_SIDES = ["condition", "head", "sigma"]


def comparison(tables: Tables) -> pd.DataFrame:
    """Return a row per cell: predicted, measured with its standard error, and error, in points."""
    return beside_predictions(tables, _CELL)


def errors(tables: Tables) -> pd.DataFrame:
    """Return mean and largest error by side and head."""
    table = comparison(tables)
    off = table.assign(off=table["error"].abs()).groupby(["side", "head"])["off"]
    return off.agg(cells="count", mean="mean", largest="max").reset_index()


def leads(tables: Tables) -> pd.DataFrame:
    """Return the lead of concat-mlp over bilinear, in points."""
    return _differences(tables, _LEAD, "head", "concat-mlp", "bilinear")


def sides(tables: Tables) -> pd.DataFrame:
    """Return by how much accuracy is higher with noise on images than with it on texts."""
    return _differences(tables, _SIDES, "side", "image", "text")


def both_sides(tables: Tables) -> pd.DataFrame:
    """Return by how much one noisy side is better than both, and whether it is clearly worse."""
    same = [*_SIDES, "n", "seed"]
    both = pd.read_csv(BOTH).rename(columns={"accuracy": "both"})
    runs = tables["results.csv"].merge(both[[*same, "both"]], on=same, validate="m:1")
    gain = (100 * (runs["accuracy"] - runs["both"])).groupby([runs[name] for name in _CELL])
    table = gain.agg(["mean", "sem"]).rename(columns={"mean": "gain", "sem": "se"})
    return table.assign(worse=table["gain"] < -2 * table["se"]).reset_index()


def right(tables: Tables) -> pd.DataFrame:
    """Return how often the sign of either difference is right where it is clear.

    Clear is beyond two standard errors over seeds.
    """
    rows = []
    for name, table in (("lead", leads(tables)), ("sides", sides(tables))):
        clear = table[table["difference"].abs() > 2 * table["se"]]
        same = np.sign(clear["difference"]) == np.sign(clear["predicted"])
        rows.append({"of": name, "cells": len(table), "clear": len(clear), "right": same.sum()})
    return pd.DataFrame(rows)


def _differences(
    tables: Tables, cell: list[str], column: str, first: str, second: str
) -> pd.DataFrame:
    """Return a row per cell: difference of accuracies, its standard error, and predicted."""
    runs = 100 * tables["results.csv"].pivot_table("accuracy", [*cell, "seed"], column)
    told = 100 * tables["predictions.csv"].pivot_table("predicted", cell, column)
    gap = (runs[first] - runs[second]).groupby(cell)
    table = gap.agg(["mean", "sem"]).rename(columns={"mean": "difference", "sem": "se"})
    return table.assign(predicted=told[first] - told[second]).reset_index()


def summary(tables: Tables) -> str:
    """Return the predictions, and if there are results, these beside them, in points."""
    if "results.csv" not in tables:
        told = tables["predictions.csv"]
        means = 100 * told.pivot_table("predicted", ["condition", "sigma"], ["head", "side"])
        return means.round(1).to_string()
    parts = [part(tables) for part in (comparison, errors, leads, sides, both_sides, right)]
    return "\n\n".join(part.round(2).to_string(index=False) for part in parts)
