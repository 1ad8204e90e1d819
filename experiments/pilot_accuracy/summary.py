"""The numbers of the README, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["summary"]


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, errors and coverage."""
    if "results.csv" not in tables:
        rows = len(tables["predictions.csv"])
        return f"{rows} accuracies of {len(tables['tasks.csv'])} tasks are predicted"
    table = tables["results.csv"]
    parts = [
        table[table["group"] == "all"],
        table[(table["group"] != "all") & (table["n"] == "any")],
    ]
    return "\n\n".join(part.round(3).to_string(index=False) for part in parts)
