"""Simulations: a grid goes in, one tidy table comes out, and interrupted work resumes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.console import progress_bar
from fusiontheory.parallel import scatter
from fusiontheory.simulate.grid import SimulationGrid
from fusiontheory.simulate.table import claim_folder, write_table
from fusiontheory.simulate.units import Unit, run_unit, units_of
from fusiontheory.store import RecordStore, check_writable

__all__ = ["simulate"]

_KEYS = ["config_index", "head", "n", "ridge"]
_PREDICTED = [
    "predicted_test",
    "predicted_training",
    "predicted_accuracy",
    "formula",
    "floor",
    "bayes",
]
_MEASURED = ["test", "training", "accuracy", "exact"]


def simulate(
    grid: SimulationGrid,
    folder: str | os.PathLike[str],
    jobs: int = 1,
    scheduler: str | None = None,
) -> pd.DataFrame:
    """Run a grid, or what of it is not in ``folder`` yet, and return its table.

    ``folder`` gets grid.json (what its results are of), records (one file per unit of work, written
    by this process alone) and table.parquet. Called again after an interruption it runs what is
    missing; the table is the same but for ``seconds``.

    Args:
        grid: configurations, heads, n, seeds and ridges.
        folder: of this grid alone.
        jobs: local processes, with one thread of linear algebra each; 1 runs in this process.
        scheduler: address of a Dask scheduler instead.

    Returns:
        One row per configuration, head, n, ridge and seed: its settings under dotted names
        (tuples as JSON); ``test``, exact if ``exact``, else on the test rows; ``training``;
        ``accuracy`` on the test rows (classification); ``predicted_*`` with the ``formula``;
        ``floor``, the least test error of the head, and ``bayes``; ``seconds``, the time of its
        unit over the unit's rows.

    Raises:
        InputError: if the folder holds results of another grid (the message says what differs) or
            cannot be written to, for jobs below 1, for a scheduler that does not answer.

    Example:
        >>> import tempfile
        >>> grid = SimulationGrid.of(
        ...     {"pairs.d_v": 4, "pairs.d_t": 4, "target.noise": 0.1},
        ...     {"target.interaction": [0.0, 1.0]},
        ...     heads=["additive"], n=[8000], seeds=1, ridges=[0.1])
        >>> table = simulate(grid, tempfile.mkdtemp())
        >>> table[["target.interaction", "test", "predicted_test"]].round(2)
           target.interaction  test  predicted_test
        0                 0.0   0.1             0.1
        1                 1.0   1.1             1.1
    """
    positive_integer("jobs", jobs)
    root = Path(folder)
    check_writable("folder", root)
    claim_folder(grid, root)
    store = RecordStore(root / "records")
    store.check_writable()
    units = {unit.cell(grid.study): unit for unit in units_of(grid)}
    missing = [units[cell] for cell in store.missing(units)]
    with progress_bar() as bar:
        task = bar.add_task(grid.study, total=len(units), completed=len(units) - len(missing))
        for unit, rows in scatter(run_unit, missing, jobs, scheduler):
            store.write(unit.cell(grid.study), rows)
            bar.advance(task)
    table = _tidy(grid, store, units)
    write_table(grid, table, root / "table.parquet")
    return table


def _tidy(grid: SimulationGrid, store: RecordStore, units: dict[Any, Unit]) -> pd.DataFrame:
    """Join settings, measurements and predictions, one row per run."""
    position = {config: k for k, config in enumerate(grid.configs)}
    records = store.read(grid.study, units)
    keys = {cell.key: unit for cell, unit in units.items()}
    owner = records["cell"].map(
        {key: [position[config] for config in unit.configs] for key, unit in keys.items()}
    )
    local = records["config"].tolist()
    records["config_index"] = [held[k] for held, k in zip(owner, local, strict=True)]
    seeded = records["cell"].map({key: unit.seed is not None for key, unit in keys.items()})
    measured = records.loc[seeded, [*_KEYS, "seed", *_MEASURED, "seconds"]]
    predicted = records.loc[~seeded, [*_KEYS, *_PREDICTED]]
    table = measured.merge(predicted, on=_KEYS, how="left", validate="many_to_one")
    if len(table) != grid.runs:
        raise InputError(
            f"records hold {len(table)} of {grid.runs} runs; delete them and run again"
        )
    settings = _settings(grid)
    table = table.sort_values([*_KEYS, "seed"], kind="stable").reset_index(drop=True)
    described = settings.iloc[table["config_index"].to_numpy()].reset_index(drop=True)
    table["intercept"] = grid.intercept & (table["head"] != "low-rank")
    table["rank"] = np.where(table["head"] == "low-rank", grid.rank or 0, 0)
    table["seed"] = table["seed"].astype(np.int64)
    table["exact"] = table["exact"].astype(bool)
    return pd.concat([described, table], axis=1)


def _settings(grid: SimulationGrid) -> pd.DataFrame:
    """Return the settings of each configuration; those that hold lists are JSON text."""
    rows = [config.settings() for config in grid.configs]
    lists = {name for row in rows for name, value in row.items() if isinstance(value, tuple)}
    return pd.DataFrame(
        [{k: json.dumps(v) if k in lists else v for k, v in row.items()} for row in rows]
    )
