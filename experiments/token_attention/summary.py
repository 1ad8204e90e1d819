"""The tables, from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["comparison", "mended", "networks", "summary"]

_CELL = ["population", "head", "n"]
_PLACE = ["population", "seed", "head", "n"]


def comparison(tables: Tables) -> pd.DataFrame:
    """Return a row per population, head and n: predicted, measured, error and its standard error.

    Means over seeds, in points; the error's standard error is over seeds, whose images are their
    own on made-up tokens and drawn from the same 900 on real ones.
    """
    both = tables["predictions.csv"].merge(
        tables["results.csv"], on=_PLACE, suffixes=("_predicted", "_measured"), validate="1:1"
    )
    both["predicted"] = 100 * both["accuracy_predicted"]
    both["measured"] = 100 * both["accuracy_measured"]
    both["error"] = both["predicted"] - both["measured"]
    groups = both.groupby(_CELL, sort=False)
    table = groups[["predicted", "measured", "error"]].mean()
    table["se"] = groups["error"].std(ddof=1) / groups["error"].count() ** 0.5
    table["within"] = groups["dimensions"].first() <= groups["images"].first() / 4
    return table.reset_index()


def mended(tables: Tables) -> pd.DataFrame:
    """Return `comparison` of what the law of now predicts, made after the measurement."""
    return comparison({**tables, "predictions.csv": tables["mended.csv"]})


def networks(tables: Tables) -> pd.DataFrame:
    """Return a row per population and network: trained, and its kernel predicted and measured."""
    found = tables["trained.csv"].groupby(_CELL, sort=False)["accuracy"]
    table = pd.DataFrame({"trained": 100 * found.mean()})
    table["se"] = 100 * found.std(ddof=1) / found.count() ** 0.5
    kernels = comparison(tables).set_index(_CELL)[["predicted", "measured"]]
    return table.join(kernels.rename(columns={"measured": "kernel"})).reset_index()


def summary(tables: Tables) -> str:
    """Return predictions, and if there are results, these beside them, in points."""
    if "results.csv" not in tables:
        told = tables["predictions.csv"]
        means = 100 * told.pivot_table("accuracy", ["population", "head"], "n", sort=False)
        return means.round(1).to_string()
    table = comparison(tables)
    kept = table[table["within"]].assign(size=lambda rows: rows["error"].abs())
    real = kept["population"] == kept["population"].iloc[-1]
    parts = [table.round(1).to_string(index=False)]
    for name, rows in (("all", kept), ("made-up", kept[~real]), ("real", kept[real])):
        errors = rows.groupby("head", sort=False)["size"].agg(["mean", "max"])
        errors.loc["all heads"] = rows["size"].mean(), rows["size"].max()
        parts.append(f"absolute errors in points, {name}\n{errors.round(2).to_string()}")
    if "trained.csv" in tables:
        parts.append(networks(tables).round(1).to_string(index=False))
    return "\n\n".join(parts)
