"""Errors on each split of images and on all of them, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["compared", "summary"]

_KEY = ["condition", "n"]


def compared(tables: Tables) -> pd.DataFrame:
    """Return a row per condition, n and split, "all" for its images together, in points.

    ``se`` has the scatter of training sets, if there are several, and the sampling of the images:
    each caption's matched and mismatched pair are right or wrong with those of its image.
    """
    measured = tables["results.csv"]
    together = [
        {
            **dict(zip([*_KEY, "seed"], place, strict=True)),
            "split": "all",
            "images": part["images"].sum(),
            "accuracy": np.average(part["accuracy"], weights=part["images"]),
        }
        for place, part in measured.groupby([*_KEY, "seed"])
    ]
    rows = pd.concat([measured, pd.DataFrame(together)])
    table = rows.groupby([*_KEY, "split"]).agg(
        images=("images", "first"),
        measured=("accuracy", "mean"),
        scatter=("accuracy", "sem"),
    )
    table = table.reset_index().merge(tables["predictions.csv"], on=_KEY, validate="m:1")
    p = table["measured"]
    scatter = table["scatter"].fillna(0)  # of one training set it is not known
    table["se"] = 100 * np.hypot(scatter, np.sqrt(p * (1 - p) / (2 * table["images"])))
    table["error"] = 100 * (table["accuracy"] - p)
    table["measured"], table["predicted"] = 100 * p, 100 * table["accuracy"]
    return table[[*_KEY, "split", "images", "measured", "se", "predicted", "error"]]


def summary(tables: Tables) -> str:
    """Return predictions, and if there are results, both and their difference."""
    if "results.csv" not in tables:
        return tables["predictions.csv"].to_string(index=False, float_format="%.4g")
    return compared(tables).round(2).to_string(index=False)
