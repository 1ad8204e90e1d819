"""The table, from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["comparison", "summary"]


def comparison(tables: Tables) -> pd.DataFrame:
    """Return a row per condition, head and n: predicted, measured with standard error, error."""
    keys = ["condition", "head", "n"]
    predicted = tables["predictions.csv"].set_index(keys)
    measured = tables["results.csv"].groupby(keys)
    frame = pd.DataFrame(
        {
            "directions": measured["directions"].mean(),
            "measured": 100 * measured["accuracy"].mean(),
            "se": 100 * measured["accuracy"].std(ddof=1) / measured["accuracy"].count() ** 0.5,
        }
    )
    frame["predicted"] = 100 * predicted["accuracy"].reindex(frame.index)
    frame["error"] = frame["predicted"] - frame["measured"]
    return frame.reset_index()


def summary(tables: Tables) -> str:
    """Return predictions, and if there are results, predicted beside measured, in points."""
    if "results.csv" not in tables:
        return tables["predictions.csv"].to_string(index=False, float_format="%.4g")
    table = comparison(tables)
    errors = (
        table.dropna()
        .groupby("head")["error"]
        .agg(mean=lambda e: e.abs().mean(), largest=lambda e: e.abs().max())
    )
    return "\n\n".join([table.round(1).to_string(index=False), errors.round(2).to_string()])
