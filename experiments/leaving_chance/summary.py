"""The runs, in per cent, beside the fixed setting and the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.leaving_chance.predict import SETTINGS

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["comparison", "summary"]

_PLACE = ["head", "condition", "n"]


def comparison(tables: Tables) -> pd.DataFrame:
    """Return a row per run: rate, initial scale, dev and test accuracy, kernel, fixed setting."""
    stored = pd.read_csv(SETTINGS / "measured.csv")
    fixed = stored[stored["setting"] == "fixed"].set_index(_PLACE)["accuracy"]
    runs = tables["results.csv"].merge(tables["predictions.csv"], on=_PLACE, validate="m:1")
    table = runs[["learning_rate", "init_scale", "epoch"]].copy()
    for name, column in (("dev", "dev_accuracy"), ("test", "accuracy"), ("kernel", "predicted")):
        table[name] = 100 * runs[column]
    place = pd.MultiIndex.from_frame(runs[_PLACE])
    return table.assign(fixed=100 * fixed.reindex(place).to_numpy())


def summary(tables: Tables) -> str:
    """Return the prediction, and if there are results, these beside it."""
    if "results.csv" not in tables:
        return tables["predictions.csv"].to_string(index=False)
    return comparison(tables).round(2).to_string(index=False)
