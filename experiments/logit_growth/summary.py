"""Predicted distances and biases beside the measured ones, and how far off they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.logit_growth.config import SHIPPED

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["comparison", "errors", "published", "summary"]

_PLACE = ["source", "condition", "n", "epochs"]
_READ = ["distance", "bias", "accuracy"]


def comparison(tables: Tables) -> pd.DataFrame:
    """Return a row per place: predicted and measured distance, bias and accuracy (per cent).

    ``spread`` is the range over seeds of the measured accuracy, in points.
    """
    means = tables["results.csv"].groupby(_PLACE)
    told = tables["predictions.csv"].set_index(_PLACE)
    both = told.add_suffix("_predicted").join(means[_READ].mean().add_suffix("_measured"))
    both = both.join((100 * (means["accuracy"].max() - means["accuracy"].min())).rename("spread"))
    for what in ("accuracy_predicted", "accuracy_measured"):
        both[what] *= 100
    both["error"] = both["accuracy_predicted"] - both["accuracy_measured"]
    for what in ("distance", "bias"):
        both[f"{what}_ratio"] = both[f"{what}_predicted"] / both[f"{what}_measured"]
    return both.reset_index()


def errors(tables: Tables) -> pd.DataFrame:
    """Return mean and largest distance by epochs, of the shipped features and of the others.

    Distances and biases are off by shares of the measured ones, accuracies by points.
    """
    table = comparison(tables)
    table["features"] = table["source"].where(table["source"] == SHIPPED, "unseen")
    off = pd.DataFrame(
        {
            "distance": 100 * (table["distance_ratio"] - 1).abs(),
            "bias": 100 * (table["bias_ratio"] - 1).abs(),
            "accuracy": table["error"].abs(),
        }
    )
    grouped = off.groupby([table["features"], table["epochs"]]).agg(["mean", "max"])
    grouped.columns = pd.Index(["_".join(map(str, name)) for name in grouped.columns])
    return grouped.reset_index()


def published(tables: Tables) -> pd.DataFrame:
    """Return the errors in points on runs that were on file, of this formula and of the earlier."""
    table = tables["published.csv"]
    off = {name: 100 * (table[name] - table["measured"]) for name in ("predicted", "sealed")}
    return table[["source", "condition", "n"]].assign(error=off["predicted"], sealed=off["sealed"])


def summary(tables: Tables) -> str:
    """Return the predictions, and if there are results, these beside them."""
    if "results.csv" not in tables:
        return tables["predictions.csv"].round(3).to_string(index=False)
    parts = [comparison(tables), errors(tables), published(tables)]
    return "\n\n".join(part.round(2).to_string(index=False) for part in parts)
