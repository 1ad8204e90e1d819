"""What the head's tangent kernel says, from the stored table of kernels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from experiments.leaving_chance.config import Config

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["SETTINGS", "predict"]

SETTINGS = Path(__file__).parents[2] / "docs" / "results" / "trained" / "settings"
"""The stored tables of the three settings."""


def predict(config: Config, _: Records) -> Tables:
    """Return one row: the tangent kernel in Adam's metric, at the best ridge."""
    rows = pd.read_csv(SETTINGS / "adam_kernel.csv")
    mine = (rows["head"] == config.head) & (rows["condition"] == config.condition)
    mine &= (rows["ridge_rule"] == "best") & (rows["n"] == config.n)
    return {"predictions.csv": rows.loc[mine, ["head", "condition", "n", "predicted"]]}
