"""Runs of another study that were on file, beside what the formula says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from experiments.logit_growth.config import HEAD, SHIPPED, Config
from fusiontheory.data import FeatureSet
from validation.conditions import fitted_rows
from validation.trained import PLACE, growth_predictions

__all__ = ["READ", "runs_on_file"]

_BLIND = Path(__file__).parents[1] / "blind_networks"
READ = (_BLIND / "results.csv", _BLIND / "predictions.csv")
"""Tables of the study of these encoders whose runs are on file."""


def runs_on_file(
    config: Config, sources: Callable[[str], Mapping[str, FeatureSet]]
) -> pd.DataFrame:
    """Return the published setting's runs of `experiments.blind_networks` beside the formula.

    They had been made before, and the formula was not looked at with them. ``sealed`` is what the
    earlier formula said before these runs.
    """
    names = ["source", "condition", "n"]
    parts = []
    for source in config.sources:
        if source == SHIPPED:
            continue
        conditions = sources(source)
        strengths = config.others.strengths
        known = {
            name: features.rows("train") if strengths[name] else fitted_rows(features)
            for name, features in conditions.items()
        }
        sizes = config.others.sizes
        places = pd.DataFrame(
            [(name, HEAD, n, 0.0, "both") for name in conditions for n in sizes], columns=PLACE
        )
        images = next(iter(conditions.values())).rows("train").size
        training = config.others.study("published").training
        told = growth_predictions(places, conditions, known, training, images)
        parts.append(told[["condition", "n", "predicted"]].assign(source=source))
    found = pd.concat(parts).set_index(names)
    columns = (("accuracy", "measured"), ("predicted", "sealed"))
    for path, (column, name) in zip(READ, columns, strict=True):
        rows = pd.read_csv(path).rename(columns={"encoder": "source"})
        mine = rows[(rows["setting"] == "published") & (rows["head"] == HEAD)]
        found[name] = mine.groupby(names)[column].mean()
    return found.reset_index()
