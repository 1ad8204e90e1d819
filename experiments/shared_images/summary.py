"""The table, from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["errors", "summary"]


def summary(tables: Tables) -> str:
    """Return measured and predicted differences in points, a column per case."""
    name = "results.csv" if "results.csv" in tables else "predictions.csv"
    return tables[name].round(2).T.to_string()


def errors(tables: Tables) -> pd.DataFrame:
    """Return a row for each case and head: what sharing changes, as measured and as predicted.

    Returns:
        population, images, captions, n, `head`, `shared` and its `se` (points), and `error`,
        predicted less measured.
    """
    table = tables["results.csv"]
    parts = [
        table[["population", "images", "captions", "n"]].assign(
            head=head,
            shared=table[f"{head} shared"],
            se=table[f"{head} shared se"],
            error=table[f"{head} predicted"] - table[f"{head} shared"],
        )
        for head in ("concat-mlp", "bilinear")
    ]
    return pd.concat(parts, ignore_index=True)
