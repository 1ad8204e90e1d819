"""The numbers of the README, from the stored tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from experiments.study import Tables, verdict_on

__all__ = ["best_power_law", "errors", "paired", "summary", "verdict"]


def errors(results: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return quartiles of the absolute error in points, by group and method."""
    points = results.assign(error=100 * (results["foretold"] - results["measured"]).abs())
    grouped = points.groupby([*by, "method"], sort=False)["error"]
    table = grouped.quantile(np.array([0.25, 0.5, 0.75])).unstack()
    table.columns = ["quarter", "median", "three_quarters"]
    return table.reset_index()


def best_power_law(results: pd.DataFrame) -> str:
    """Return the form of least median error at the largest factor: one for all heads and n0."""
    far = errors(results[results["factor"] == results["factor"].max()], ["factor"])
    laws = far[far["method"].str.startswith("power law")]
    return str(laws.sort_values("median")["method"].iloc[0])


def paired(results: pd.DataFrame) -> pd.DataFrame:
    """Return the share of forecasts that are closer than the best power law's, same pilot and n."""
    keys = ["condition", "head", "n0", "pilot", "factor"]
    off = (results["foretold"] - results["measured"]).abs()
    wide = results.assign(off=off).pivot(index=keys, columns="method", values="off")
    closer = wide.lt(wide[best_power_law(results)], axis=0)
    return closer[["moments", "matched", "anchored"]].groupby(["head", "factor"]).mean()


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the errors."""
    return verdict_on(tables, verdict)


def verdict(results: pd.DataFrame) -> str:
    """Return median errors by factor and head, n0 and condition, with quartiles."""
    parts = []
    for by in (
        ["factor"],
        ["factor", "head"],
        ["factor", "n0"],
        ["factor", "condition", "head"],
        ["factor", "head", "n0"],
    ):
        table = errors(results, by)
        table["text"] = [
            f"{m:.1f} ({q:.1f}-{u:.1f})"
            for q, m, u in table[["quarter", "median", "three_quarters"]].itertuples(index=False)
        ]
        wide = table.pivot(index=by, columns="method", values="text")
        parts.append(wide[list(results["method"].unique())].to_string())
    parts.append(f"closer than {best_power_law(results)}")
    parts.append(paired(results).round(2).to_string())
    return "\n\n".join(parts)
