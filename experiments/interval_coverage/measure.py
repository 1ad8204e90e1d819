"""How often the stored intervals hold what is measured."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.interval_coverage import trained
from experiments.interval_coverage.config import Config

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["coverage_rows", "measure"]

_CELL = ["population", "head", "images", "n"]
_MEANS = ["population", "kind", "head", "n", "mean", "se"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return coverage by population, head, images and n, and the measured means."""
    means = records.computed(
        trained.cells(config, records.name), partial(trained.means, config=config)
    )
    means = means[_MEANS]
    return {"results.csv": coverage_rows(predicted, means), "measured.csv": means}


def coverage_rows(predicted: Tables, means: pd.DataFrame) -> pd.DataFrame:
    """Return how often the limit and the measured means are below and above the intervals."""
    limits = {tuple(row[:3]): row[3:] for row in predicted["limits.csv"].to_numpy().tolist()}
    known = {tuple(row[:4]): row[4:] for row in means[_MEANS].to_numpy().tolist()}
    rows = []
    for _, part in predicted["predictions.csv"].groupby(_CELL, sort=False):
        population, head, images, n = (part[name].iloc[0] for name in _CELL)
        stated = (part["high"] - part["low"]) / (2 * 1.96)
        row: dict[str, Any] = {
            "population": population,
            "head": head,
            "images": images,
            "n": n,
            "replicates": len(part),
            "predicted": part["accuracy"].mean(),
            "predicted_sd": part["accuracy"].std(ddof=1),
            # Of n pairs of n images.
            "predicted_shared": part["shared"].mean(),
            # Of the interval, as a standard error.
            "stated_se": np.sqrt((stated**2).mean()),
        }
        row["limit"], row["limit_se"] = limits[population, head, n]
        for kind in ("measured", "independent"):
            row[kind], row[f"{kind}_se"] = known[population, kind, head, n]
        for name in ("limit", "measured", "independent"):
            ends = ("shared_low", "shared_high") if name == "measured" else ("low", "high")
            row[f"{name}_below"] = int((row[name] < part[ends[0]]).sum())
            row[f"{name}_above"] = int((row[name] > part[ends[1]]).sum())
        rows.append(row)
    return pd.DataFrame(rows)
