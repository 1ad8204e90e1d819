"""Predicted beside measured, and how far off each setting and head is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.network_errors import beside_predictions

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["BARS", "comparison", "errors", "signs", "summary"]

_CELL = ["encoder", "condition", "setting", "head", "n"]
_GAP = ["encoder", "condition", "setting", "n"]

BARS = {
    ("published", "bilinear", "both"): 1.5,
    ("published", "concat-mlp", "both"): 1.5,
    ("fixed", "bilinear", "both"): 1.0,
    ("fixed", "concat-mlp", "both"): 1.0,
    ("tuned", "bilinear", "both"): 0.4,
    ("tuned", "concat-mlp", "aligned"): 0.7,
    ("tuned", "concat-mlp", "unaligned"): 2.0,
}
"""Mean error in points that was wanted on the shipped features, by setting, head and condition."""

SLACK = 1.3
"""Times as much is wanted on features that no predictor had seen."""


def comparison(tables: Tables) -> pd.DataFrame:
    """Return a row per cell: predicted, measured with its standard error, and error, in points."""
    return beside_predictions(tables, _CELL)


def errors(tables: Tables) -> pd.DataFrame:
    """Return mean and largest error of what was run, by setting, head and condition with a bar."""
    table = comparison(tables)
    rows = []
    for (setting, head, condition), bar in BARS.items():
        own = table[(table["setting"] == setting) & (table["head"] == head)]
        if condition != "both":
            own = own[own["condition"] == condition]
        if own.empty:
            continue
        off = own["error"].abs()
        told = {"setting": setting, "head": head, "condition": condition, "cells": len(own)}
        told |= {"mean": off.mean(), "largest": off.max(), "bar": SLACK * bar}
        rows.append(told | {"met": bool(off.mean() <= SLACK * bar)})
    return pd.DataFrame(rows)


def signs(tables: Tables) -> pd.DataFrame:
    """Return by setting how many gaps are beyond two standard errors, and have the right sign.

    The gap is concat-mlp less bilinear; both heads have the same pairs at one seed.
    """
    runs = tables["results.csv"]
    paired = runs.pivot_table("accuracy", [*_GAP, "seed"], "head")
    gap = (paired["concat-mlp"] - paired["bilinear"]).groupby(_GAP).agg(["mean", "sem"])
    told = tables["predictions.csv"].pivot_table("predicted", _GAP, "head")
    gap["predicted"] = told["concat-mlp"] - told["bilinear"]
    clear = gap[gap["mean"].abs() > 2 * gap["sem"]]
    right = (clear["mean"] > 0) == (clear["predicted"] > 0)
    counted = right.groupby("setting").agg(right="sum", clear="count")
    return counted.reset_index()


def summary(tables: Tables) -> str:
    """Return the predictions, and if there are results, these beside them, in points."""
    if "results.csv" not in tables:
        told = tables["predictions.csv"]
        means = 100 * told.pivot_table("predicted", _CELL[:-1], "n", sort=False)
        return means.round(1).to_string()
    parts = [comparison(tables), errors(tables), signs(tables)]
    return "\n\n".join(part.round(2).to_string(index=False) for part in parts)
