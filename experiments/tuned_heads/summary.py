"""Tuned networks beside their kernels and the fixed setting, in points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.tuned_heads.predict import SETTINGS

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["comparison", "stored_fixed", "summary", "tuned_means"]

_PLACE = ["head", "condition", "n"]


def comparison(tables: Tables) -> pd.DataFrame:
    """Return a row per head and condition that was searched.

    Columns: predicted (of its tangent kernel), fixed (the stored runs without a search), tuned with
    its standard error, what the search chose and out of how many, and the error of the prediction.
    """
    table = tuned_means(tables["results.csv"])
    told = 100 * tables["predictions.csv"].set_index(_PLACE)["predicted"]
    table.insert(0, "predicted", told)
    found = (
        table.dropna(subset=["tuned"]).reset_index().merge(stored_fixed(), on=_PLACE, how="left")
    )
    return found.assign(error=found["predicted"] - found["tuned"])


def tuned_means(runs: pd.DataFrame) -> pd.DataFrame:
    """Return by head, condition and n the mean accuracy in per cent, and what the search chose."""
    grouped = runs.groupby(_PLACE, sort=False)
    return pd.DataFrame(
        {
            "tuned": 100 * grouped["accuracy"].mean(),
            "se": 100 * grouped["accuracy"].sem(),
            "rate": grouped["learning_rate"].first(),
            "decay": grouped["weight_decay"].first(),
            "scale": grouped["init_scale"].first(),
            "tried": grouped["tried"].first(),
        }
    )


def stored_fixed() -> pd.DataFrame:
    """Return head, condition, n and ``fixed``, the accuracy without a search in per cent."""
    stored = pd.read_csv(SETTINGS / "measured.csv")
    stored = stored[stored["setting"] == "fixed"]
    return stored[_PLACE].assign(fixed=100 * stored["accuracy"])


def summary(tables: Tables) -> str:
    """Return the predictions, and if there are results, these beside them."""
    if "results.csv" not in tables:
        return tables["predictions.csv"].round(4).to_string(index=False)
    return comparison(tables).round(5).to_string(index=False)
