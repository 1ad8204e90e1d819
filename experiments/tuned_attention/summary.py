"""Tuned heads of attention beside what was said of them, and the fixed setting, in points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.tuned_attention.predict import CONCATENATION
from experiments.tuned_heads import stored_fixed, tuned_means

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["comparison", "summary"]

_PLACE = ["head", "condition", "n"]


def comparison(tables: Tables) -> pd.DataFrame:
    """Return a row per head and condition that was searched.

    Columns: kernel (the best of what kernels of both starts say), concatenation (of two-way
    attention), fixed (the stored runs without a search), tuned with its standard error, what the
    search chose and out of how many, and the error of the kernel.
    """
    told = tables["predictions.csv"].pivot_table("predicted", _PLACE, "by", sort=False)
    table = pd.DataFrame(
        {
            "kernel": 100 * told.drop(columns=CONCATENATION).max(axis=1),
            "concatenation": 100 * told[CONCATENATION],
            "fixed": stored_fixed().set_index(_PLACE)["fixed"].reindex(told.index),
        }
    ).join(tuned_means(tables["results.csv"]))
    found = table.assign(error=table["kernel"] - table["tuned"]).loc[told.index]
    return found.dropna(subset=["tuned"]).reset_index()


def summary(tables: Tables) -> str:
    """Return the predictions, and if there are results, these beside them."""
    parts = [tables["predictions.csv"].round(4)]
    if "results.csv" in tables:
        parts.append(comparison(tables).round(5))
    return "\n\n".join(part.to_string(index=False) for part in parts)
