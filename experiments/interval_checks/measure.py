"""Runs the three checks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from experiments.interval_checks import dot_product, length, training_sets
from experiments.interval_checks.config import Config

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return the tables of the checks; what the scatter is predicted to be is not looked at."""
    checks: list[tuple[str, Any, Callable[..., Any]]] = [
        ("dot_product", dot_product, dot_product.jackknife_rows),
        ("length", length, length.order_zero_rows),
        ("training_sets", training_sets, training_sets.scatter_rows),
    ]
    tables = {}
    for name, check, compute in checks:
        cells = check.cells(config, records.name)
        place = {cell.key: row for row, cell in enumerate(cells)}
        table = records.computed(cells, partial(compute, config=config))
        # Populations in the order of the settings, not of the records.
        table = table.sort_values("cell", key=lambda column: column.map(place), kind="stable")
        tables[f"{name}.csv"] = table[check.COLUMNS]
    tables["training_sets.csv"] = tables["training_sets.csv"].round(6)
    return tables
