"""The numbers of the README, from the stored tables."""

from __future__ import annotations

import pandas as pd

from experiments.relative_errors import relative_errors, verdict_line
from experiments.study import Tables, verdict_on

__all__ = ["errors", "summary", "verdict"]

FORMULAS = ["exact", "gaussian", "sharp"]


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    return verdict_on(tables, verdict)


def errors(tables: Tables) -> pd.DataFrame:
    """Return the error of each formula at every point (`relative_errors`); `near`: at n = p."""
    found = relative_errors(tables["results.csv"], FORMULAS)
    return found.assign(near=_near(found))


def _near(table: pd.DataFrame) -> pd.Series[bool]:
    return (table["n_over_p"] - 1).abs() <= 0.13


def verdict(table: pd.DataFrame) -> str:
    """Return errors by formula, head and ridge, at the peak and away from it, and peak heights."""
    lines = []
    keys = ["formula", "head", "ridge_over_trace", "near"]
    for (formula, head, ridge, near), rows in errors({"results.csv": table}).groupby(keys):
        where = "near n = p" if near else "elsewhere"
        lines.append(verdict_line(f"{formula}, {head}, ridge {ridge:g} tr, {where}", rows))
    shown = table[_near(table) | (table["n_over_p"] == 8)]
    lines.append(shown.drop(columns=["draws"]).round(4).to_string(index=False, float_format="%.4g"))
    return "\n".join(lines)
