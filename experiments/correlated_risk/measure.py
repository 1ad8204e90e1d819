"""Test error of both heads, measured: a record for each point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.correlated_risk.config import Case, Config
from experiments.ridge_points import measured_point, point_cells
from fusiontheory.store import Cell

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure", "point"]

_KEYS = ["head", "target", "rho", "n"]


def measure(config: Config, predicted: Tables, records: Records, jobs: int = 2) -> Tables:
    """Return the prediction with what is measured and its standard error."""
    found = records.computed(point_cells("correlated_risk", config, point), point, jobs)
    found = found[[*_KEYS, "measured", "standard_error"]]
    table = predicted["predictions.csv"].merge(found, on=_KEYS, how="left", validate="1:1")
    return {"results.csv": table}


def point(cell: Cell) -> list[dict[str, Any]]:
    """Return the mean test error over draws and its standard error."""
    return measured_point(cell, Config, Case)
