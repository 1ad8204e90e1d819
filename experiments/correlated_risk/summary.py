"""The verdict, from the stored tables."""

from __future__ import annotations

import pandas as pd

from experiments.relative_errors import relative_errors, verdict_line
from experiments.study import Tables, verdict_on

__all__ = ["errors", "summary", "verdict"]


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    return verdict_on(tables, verdict)


def errors(tables: Tables) -> pd.DataFrame:
    """Return the error of both formulas at every point (`relative_errors`)."""
    return relative_errors(tables["results.csv"], ("gaussian", "predicted"))


def verdict(results: pd.DataFrame) -> str:
    """Return the bar held against the results: all, by head, and by correlation."""
    lines = []
    for formula, rows in errors({"results.csv": results}).groupby("formula", sort=False):
        lines.append(verdict_line(f"{formula}, all", rows))
        for key in ("head", "rho"):
            for name, part in rows.groupby(key, sort=False):
                lines.append(verdict_line(f"{formula}, {key} {name}", part))
    return "\n".join(lines)
