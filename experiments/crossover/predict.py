"""Both predicted risks of each ridge, cell and n; nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.crossover.config import CELL, Config
from fusiontheory.simulate import predict_head

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict", "risks"]


def predict(config: Config, _: Records) -> Tables:
    """Return what the harness freezes."""
    return {"predictions.csv": risks(config)}


def risks(config: Config) -> pd.DataFrame:
    """Return both predicted risks of each ridge, cell and n; nothing is run."""
    rows = []
    sizes = list(config.n)
    for cell in config.grid().configs:
        settings = cell.settings()
        rho, share = settings["pairs.correlation"], settings["target.interaction"]
        for ridge in config.ridges:
            additive, bilinear = (
                predict_head(cell, head, sizes, ridge).test for head in config.heads
            )
            rows += [
                (ridge, rho, share, *point) for point in zip(sizes, additive, bilinear, strict=True)
            ]
    columns = [*CELL, "n", "predicted_additive", "predicted_bilinear"]
    return pd.DataFrame(rows, columns=columns).sort_values([*CELL, "n"], ignore_index=True)
