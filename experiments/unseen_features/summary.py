"""Errors and intervals, with and without a warning, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.foreign_features import cell_errors, targets
from fusiontheory.synthetic import UNSEEN

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["by_population", "judged", "summary"]


def judged(tables: Tables) -> pd.DataFrame:
    """Return every prediction with its truth, its error, and whether its interval holds, ``wide``.

    An interval holds if it comes within two standard errors of the measured mean.
    """
    predicted, truth = (tables[name].copy() for name in ("predictions.csv", "results.csv"))
    for table in (predicted, truth):
        table["ridge"] = table["ridge"].astype(str)
    key = ["population", "head", "ridge", "n"]
    found = predicted.merge(truth[[*key, "measured", "se"]], on=key, validate="m:1")
    slack = 2 * found["se"]
    return found.assign(
        kind=[UNSEEN[name].kind for name in found["population"]],
        error=found["predicted"] - found["measured"],
        wide=(found["low"] - slack <= found["measured"])
        & (found["measured"] <= found["high"] + slack),
    )


def by_population(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row a population: what is warned, errors, and intervals that hold."""
    cells = cell_errors(table)
    rows = []
    for (kind, name), part in table.groupby(["kind", "population"], sort=False):
        safe, warned = part[part["trusted"]], part[~part["trusted"]]
        own = cells[cells["population"] == name]
        at = own.iloc[int(own["off"].to_numpy().argmax())]
        groups = ", groups" if at["groups"] else ""
        rows.append(
            {
                "kind": kind,
                "population": name,
                "warned": 100 * len(warned) / len(part),
                "unwarned error": 100 * safe["error"].abs().mean(),
                "warned error": 100 * warned["error"].abs().mean(),
                "unwarned holds": 100 * safe["wide"].mean(),
                "warned holds": 100 * warned["wide"].mean(),
                "worst": f"{at['head']}, {at['n']}, N = {at['images']}, {at['ridge']}{groups}",
                "its error": 100 * at["error"],
                "is warned": "no" if at["trusted"] > 0.5 else "yes",
            }
        )
    return pd.DataFrame(rows)


def summary(tables: Tables) -> str:
    """Return what was asked and found, and the table by population."""
    if "results.csv" not in tables:
        table = tables["predictions.csv"]
        return f"{len(table)} predictions of {table['population'].nunique()} populations"
    table = judged(tables)
    parts = targets(table), by_population(table)
    return "\n\n".join(part.round(1).to_string(index=False) for part in parts)
