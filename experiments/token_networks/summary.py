"""Predicted beside trained, and what the search chose, in points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.token_networks.config import Config

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["comparison", "edges", "summary"]

_PLACE = ["population", "head"]


def comparison(tables: Tables) -> pd.DataFrame:
    """Return a row per population and network: predicted, trained and what the search chose.

    Populations on which none was trained are left out.
    """
    runs = tables["results.csv"].groupby(_PLACE, sort=False)
    table = pd.DataFrame(
        {
            "predicted": 100
            * tables["predictions.csv"].groupby(_PLACE, sort=False)["accuracy"].mean(),
            "trained": 100 * runs["accuracy"].mean(),
            "se": 100 * runs["accuracy"].sem(),
            "rate": runs["rate"].first(),
            "decay": runs["decay"].first(),
        }
    )
    table["error"] = table["predicted"] - table["trained"]
    return table.dropna(subset=["trained"]).reset_index()


def edges(tables: Tables) -> pd.DataFrame:
    """Return how many choices of the search stand at an end of its rates, and of its decays."""
    chosen, config = comparison(tables), Config()
    ends = {
        "rate": (config.rates[0], config.rates[-1]),
        "decay": config.decays[:: len(config.decays) - 1],
    }
    rows = [
        {
            "of": name,
            "low": int((chosen[name] == low).sum()),
            "high": int((chosen[name] == high).sum()),
        }
        for name, (low, high) in ends.items()
    ]
    return pd.DataFrame(rows).assign(choices=len(chosen))


def summary(tables: Tables) -> str:
    """Return the predictions, and if there are results, these beside them."""
    if "results.csv" not in tables:
        told = tables["predictions.csv"]
        means = 100 * told.pivot_table("accuracy", "population", "head", sort=False)
        return means.round(1).to_string()
    parts = (comparison(tables), edges(tables))
    return "\n\n".join(part.round(5).to_string(index=False) for part in parts)
