"""The numbers of the README, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["scatter", "summary"]


def scatter(tables: Tables) -> pd.DataFrame:
    """Return predicted and measured scatter over training sets, and their ratio.

    ``error`` is the standard error of the measured one over it.
    """
    keys = ["head", "population", "n"]
    table = tables["training_sets.csv"].merge(tables["predictions.csv"], on=keys, how="left")
    table["ratio"] = table["predicted_sd"] / table["measured_sd"]
    table["error"] = table["measured_sd_se"] / table["measured_sd"]
    return table


def summary(tables: Tables) -> str:
    """Return the checks or, where nothing is measured, the predictions."""
    if "training_sets.csv" not in tables:
        return tables["predictions.csv"].round(5).to_string(index=False)
    parts = [tables[name].round(4) for name in ("dot_product.csv", "length.csv")]
    parts.append(scatter(tables).round(4))
    return "\n\n".join(part.to_string(index=False) for part in parts)
