"""The tables, from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.token_attention import comparison, networks

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["comparison", "networks", "summary"]


def summary(tables: Tables) -> str:
    """Return predictions, and if there are results, these beside them, in points."""
    if "results.csv" not in tables:
        told = tables["predictions.csv"]
        means = 100 * told.pivot_table("accuracy", ["population", "head"], "n", sort=False)
        return means.round(1).to_string()
    table = comparison(tables)
    kept = table.assign(size=table["error"].abs())
    errors = kept.groupby(["population", "head"], sort=False)["size"].agg(["mean", "max"])
    errors.loc[("all", "all heads"), :] = kept["size"].mean(), kept["size"].max()
    parts = [
        table.round(1).to_string(index=False),
        f"absolute errors in points\n{errors.round(2).to_string()}",
    ]
    if "trained.csv" in tables:
        parts.append(networks(tables).round(1).to_string(index=False))
    return "\n\n".join(parts)
