"""Accuracies of trained networks beside their predictions, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from experiments.study import Tables

__all__ = ["beside_predictions"]


def beside_predictions(tables: Tables, cell: list[str]) -> pd.DataFrame:
    """Return a row per cell: predicted, measured with its standard error, and error, in points.

    Args:
        tables: `predictions.csv` with ``predicted`` and `results.csv` with ``accuracy``, shares.
        cell: columns that name a cell; the runs of a cell differ in their seed alone.
    """
    runs = tables["results.csv"].groupby(cell)["accuracy"].agg(["mean", "sem", "count"])
    table = tables["predictions.csv"].merge(runs.reset_index(), on=cell, validate="1:1")
    found = table[cell].assign(
        predicted=100 * table["predicted"],
        measured=100 * table["mean"],
        se=100 * table["sem"],
        seeds=table["count"],
    )
    return found.assign(error=found["predicted"] - found["measured"])
