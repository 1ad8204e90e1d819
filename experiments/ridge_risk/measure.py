"""Test error of both heads and of the control, measured: a record for each point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.ridge_points import measured_point, point_cells
from experiments.ridge_risk.config import Case, Config
from fusiontheory.store import Cell

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure", "point"]

_KEYS = ["head", "target", "n"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return the prediction with what is measured, its standard error and the draws."""
    found = records.computed(point_cells("ridge_risk", config, point), point)
    found = found[[*_KEYS, "measured", "standard_error", "draws"]]
    table = predicted["predictions.csv"].merge(found, on=_KEYS, how="left", validate="1:1")
    return {"results.csv": table}


def point(cell: Cell) -> list[dict[str, Any]]:
    """Return the mean test error over draws and its standard error."""
    return measured_point(cell, Config, Case)
