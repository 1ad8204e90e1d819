"""The table, from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["summary"]


def summary(tables: Tables) -> str:
    """Return measured and predicted differences in points, a column per case."""
    name = "results.csv" if "results.csv" in tables else "predictions.csv"
    return tables[name].round(2).T.to_string()
