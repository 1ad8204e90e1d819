"""Predicted beside measured, and what the claim is by these runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.degraded_networks import compared_networks
from validation.claims import find_claim, judge

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["comparison", "evidence", "summary", "verdict"]

_CLAIM = "chance-under-noise"


def comparison(tables: Tables) -> pd.DataFrame:
    """Return a row per head, n and sigma: predicted, measured and error, in per cent."""
    return compared_networks(tables)


def evidence(tables: Tables) -> pd.DataFrame:
    """Return the interval of each head's distance from chance in points, and what it decides.

    It *holds* within a point of chance, *fails* beyond one, and is *open* otherwise.
    """
    found = judge(find_claim(_CLAIM), tables["results.csv"]).evidence
    table = found[["n", "sigma", "outcome"]].copy()
    table["head"] = found["quantity"].str.split(", ").str[-1]
    table[["above", "low", "high"]] = 100 * found[["estimate", "low", "high"]]
    return table.reset_index(drop=True)


def verdict(tables: Tables) -> str:
    """Return what the claim is, and why."""
    one = judge(find_claim(_CLAIM), tables["results.csv"])
    return f"{one.verdict}: {one.reason}"


def summary(tables: Tables) -> str:
    """Return the predictions, and if there are results, these beside them, in points."""
    if "results.csv" not in tables:
        return tables["predictions.csv"].round(4).to_string(index=False)
    parts = [part(tables).round(2).to_string(index=False) for part in (comparison, evidence)]
    return "\n\n".join([*parts, verdict(tables)])
