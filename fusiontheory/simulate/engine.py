"""Simulations: a grid goes in, one tidy table comes out, and interrupted work resumes."""

from __future__ import annotations

import functools
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.console import progress_bar
from fusiontheory.constraints import checked
from fusiontheory.parallel import LostTasks, scatter, scatter_over
from fusiontheory.simulate.best import best_of
from fusiontheory.simulate.grid import BEST, SimulationGrid
from fusiontheory.simulate.table import claim_folder, write_table
from fusiontheory.simulate.units import (
    Choice,
    Unit,
    run_unit,
    run_unit_on,
    searches_of,
    units_of,
)
from fusiontheory.solvers import Place, devices
from fusiontheory.store import RecordStore, check_writable

__all__ = ["LostUnits", "simulate"]

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


class LostUnits(RuntimeError):
    """Units of work whose worker died each time; the records of all others are kept.

    >>> print(LostUnits(3, ["additive head, seed 1, settings {}"], Path("out")))
    1 of 3 units of work was left out, as its worker died 3 times, killed or out of memory: \
additive head, seed 1, settings {}; all others are kept in out: run again, with fewer jobs or \
more memory, or ask for the table of the rest (--partial)
    """

    def __init__(self, total: int, lost: list[str], folder: Path) -> None:
        """Keep how many there are, the description of each lost one, and the folder."""
        super().__init__(total, lost, folder)
        self.total, self.lost, self.folder = total, lost, folder

    def __str__(self) -> str:
        """Name them and say how to go on."""
        count = len(self.lost)
        were = "units of work was left out, as its" if count == 1 else "units were left out, as the"
        more = f" and {count - 3} more" if count > 3 else ""
        return (
            f"{count} of {self.total} {were} worker died 3 times, killed or out of memory:"
            f" {'; '.join(self.lost[:3])}{more}; all others are kept in {self.folder}: run again,"
            " with fewer jobs or more memory, or ask for the table of the rest (--partial)"
        )


@checked
def simulate(
    grid: SimulationGrid,
    folder: str | os.PathLike[str],
    jobs: int = 1,
    scheduler: str | None = None,
    partial: bool = False,
    *,
    device: str | None = None,
    precision: str = "float64",
) -> pd.DataFrame:
    """Run a grid, or what of it is not in ``folder`` yet, and return its table.

    ``folder`` gets grid.json (what its results are of), records (a store, one cell per unit of
    work) and table.parquet. Called again after an interruption it runs what is missing; the table
    is the same but for ``seconds``, on any number of processes. Several runs may share a folder.
    A grid with more seeds or heads extends the one that the folder holds: what is there is kept.

    Args:
        grid: configurations, heads, n, seeds and ridges.
        folder: of this grid alone.
        jobs: local processes, with one thread of linear algebra each; 1 runs in this process.
        scheduler: address of a Dask scheduler instead.
        partial: if workers died again and again, return the table of all other units with a
            warning, and write it to partial.parquet, instead of raising.
        device: of the Cholesky factors of kernels, as `fusiontheory.solvers.devices` takes it; of
            several each has a process, in place of ``jobs``. None: NumPy.
        precision: on a device, one of `fusiontheory.solvers.PRECISIONS`; a part of the records.

    Returns:
        One row per configuration, head, n, ridge and seed: its settings under dotted names
        (tuples as JSON); ``test``, exact if ``exact``, else on the test rows; ``training``;
        ``accuracy`` on the test rows (classification); ``predicted_*`` with the ``formula``, of
        best ridges also ``predicted_ridge``, beside ``ridge``, the one that was measured best;
        ``floor``, the least test error of the head, and ``bayes``; ``seconds``, the time of its
        unit over the unit's rows.

    Raises:
        InputError: if the folder holds results of another grid (the message says what differs) or
            cannot be written to, for jobs below 1, for a scheduler that does not answer, for a
            device that is not there or one beside a scheduler.
        LostUnits: after all others are done, for units whose worker died three times.

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
    places = _places(device, precision, scheduler)
    root = Path(folder)
    check_writable("folder", root)
    claim_folder(grid, root)
    store = RecordStore(root / "records")
    store.check_writable()
    asked = precision if places else None
    run = functools.partial(_fill, grid.study, store, jobs=jobs, scheduler=scheduler, places=places)
    searches = searches_of(grid, asked)
    lost = run(searches)
    if lost:
        raise LostUnits(len(searches), [unit.describe() for unit in lost], root)
    wanted = units_of(grid, asked, _choice(grid.study, store, searches))
    units = {unit.cell(grid.study): unit for unit in wanted}
    lost = run(wanted)
    if lost:
        problem = LostUnits(len(units), [unit.describe() for unit in lost], root)
        if not partial:
            raise problem
        warnings.warn(str(problem), stacklevel=2)
        table = _tidy(grid, store, units, partial=True)
        write_table(grid, table, root / "partial.parquet")
        return table
    table = _tidy(grid, store, units)
    write_table(grid, table, root / "table.parquet")
    (root / "partial.parquet").unlink(missing_ok=True)
    return table


def _fill(
    study: str,
    store: RecordStore,
    wanted: list[Unit],
    *,
    jobs: int,
    scheduler: str | None,
    places: list[str],
) -> list[Unit]:
    """Run the units without a record; return those whose worker died again and again."""
    units = {unit.cell(study): unit for unit in wanted}
    missing = [units[cell] for cell in store.missing(units)] if units else []
    if not missing:
        return []
    # One thread here as in workers: the last bits do not depend on the number of processes.
    with progress_bar() as bar, store.batch() as batch, threadpool_limits(1):
        task = bar.add_task(study, total=len(units), completed=len(units) - len(missing))
        try:
            for unit, rows in _run(missing, jobs, scheduler, places):
                batch.write(unit.cell(study), rows)
                bar.advance(task)
        except LostTasks as error:
            return list(error.tasks)
    return []


def _choice(study: str, store: RecordStore, searches: list[Unit]) -> Choice:
    """Return the best ridges that the searches found."""
    cells = {unit.cell(study): unit for unit in searches}
    if not cells:
        return {}
    chosen = store.read(study, cells)
    choice = {}
    for cell, unit in cells.items():
        own = chosen.loc[chosen["cell"] == cell.key]
        rows = ({str(name): x for name, x in row.items()} for row in own.to_dict("records"))
        choice[unit] = best_of(unit, rows)
    return choice


def _places(device: str | None, precision: str, scheduler: str | None) -> list[str]:
    if device is None:
        return []
    if scheduler is not None:
        raise InputError(f"device must not be given beside a scheduler, got {device!r}")
    places = devices(device)
    Place(places[0], precision)
    return places


def _run(
    units: list[Unit], jobs: int, scheduler: str | None, places: list[str]
) -> Iterator[tuple[Unit, list[dict[str, Any]]]]:
    if places in ([], ["cpu"]):
        work = run_unit if not places else functools.partial(run_unit_on, device="cpu")
        return scatter(work, units, jobs, scheduler)
    return scatter_over(run_unit_on, units, places)


def _tidy(
    grid: SimulationGrid, store: RecordStore, units: dict[Any, Unit], partial: bool = False
) -> pd.DataFrame:
    """Join settings, measurements and predictions, one row per run."""
    position = {config: k for k, config in enumerate(grid.configs)}
    records = store.read(grid.study, units, missing_ok=partial)
    keys = {cell.key: unit for cell, unit in units.items()}
    owner = records["cell"].map(
        {key: [position[config] for config in unit.configs] for key, unit in keys.items()}
    )
    local = records["config"].tolist()
    records["config_index"] = [held[k] for held, k in zip(owner, local, strict=True)]
    seeded = records["cell"].map({key: unit.seed is not None for key, unit in keys.items()})
    measured = records.loc[seeded].reindex(columns=[*_KEYS, "seed", *_MEASURED, "seconds"])
    predicted = records.loc[~seeded].reindex(columns=[*_KEYS, *_PREDICTED])
    place = _KEYS
    if grid.ridges == BEST:
        # Measured and predicted have each a best ridge of their own.
        place = [name for name in _KEYS if name != "ridge"]
        predicted = predicted.rename(columns={"ridge": "predicted_ridge"})
    table = measured.merge(predicted, on=place, how="left", validate="many_to_one")
    if len(table) != grid.runs and not partial:
        raise InputError(f"records hold {len(table)} of {grid.runs} runs; run again")
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
