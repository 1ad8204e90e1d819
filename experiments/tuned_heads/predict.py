"""What the tangent kernel of each head says at its best ridge, from the stored table of kernels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from experiments.tuned_heads.config import Config

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["SETTINGS", "predict"]

SETTINGS = Path(__file__).parents[2] / "docs" / "results" / "trained" / "settings"
"""The stored tables of the three settings."""


def predict(config: Config, _: Records) -> Tables:
    """Return a row per head and condition: its tangent kernel at the best ridge."""
    rows = pd.read_csv(SETTINGS / "adam_kernel.csv")
    rows = rows[(rows["ridge_rule"] == "best") & (rows["n"] == config.n)]
    places = pd.DataFrame(config.places, columns=["head", "condition"])
    kept = places.merge(rows, on=["head", "condition"], validate="1:1")
    return {"predictions.csv": kept[["head", "condition", "n", "growth", "predicted"]]}
