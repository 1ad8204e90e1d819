"""The verdict, from the stored tables."""

from __future__ import annotations

import pandas as pd

from experiments.relative_errors import relative_errors, verdict_line
from experiments.ridge_risk.config import CONTROL, FORMULAS
from experiments.study import Tables, verdict_on

__all__ = ["errors", "summary", "verdict"]


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    return verdict_on(tables, verdict)


def errors(tables: Tables) -> pd.DataFrame:
    """Return the error of both formulas at every point (`relative_errors`)."""
    return relative_errors(tables["results.csv"], FORMULAS)


def verdict(results: pd.DataFrame) -> str:
    """Return the bar held against the results, for both heads, each head, and the control."""
    lines = []
    for formula, rows in errors({"results.csv": results}).groupby("formula", sort=False):
        names = rows["head"].unique()
        if len(names) > 1:
            lines.append(verdict_line(f"{formula}, both heads", rows[rows["head"] != CONTROL]))
        for name in names:
            lines.append(verdict_line(f"{formula}, {name}", rows[rows["head"] == name]))
    return "\n".join(lines)
