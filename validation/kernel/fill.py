"""Fill the record store: retrieval, predictions, the search of ridges, measurements."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from rich.progress import Progress

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from fusiontheory.moments import Moments
from fusiontheory.parallel import scatter, scatter_over
from fusiontheory.solvers import computing_on
from fusiontheory.store import Cell, RecordStore
from fusiontheory.typing import Integers, Single
from validation.kernel.cells import measured_cells, predicted_cells, retrieval_cells, search_cells
from validation.kernel.measure import measure_cell, retrieval_rows
from validation.kernel.predict import predict_cell
from validation.kernel.search import chosen_ridges, search_cell, search_split
from validation.kernel.study import BEST, Study
from validation.moments import condition_moments

__all__ = ["fill_store", "fingerprints", "searched_ridges"]

Work = Callable[..., list[dict[str, Any]]]
"""(cell, image, text, rows to train on, rows to test on) -> rows of the record."""


def fingerprints(conditions: Mapping[str, FeatureSet]) -> dict[str, str]:
    """Return the fingerprint of the features of each condition."""
    return {name: features.fingerprint for name, features in conditions.items()}


def fill_store(
    study: Study,
    conditions: Mapping[str, FeatureSet],
    store: RecordStore,
    jobs: int,
    progress: Progress,
    devices: Sequence[str] = (),
) -> None:
    """Make every record of the study that the store does not have yet.

    Predictions come first, so that each is stored before what it predicts is measured.

    Args:
        study: what to measure.
        conditions: features by condition.
        store: where records go; each is written as soon as it is made.
        jobs: processes, each on one thread.
        progress: of the console.
        devices: by their own names, for a study with a precision; a GPU has one process.

    Raises:
        InputError: if a record in the store is corrupt.
        LostTasks: after all others, if a worker was killed three times with one cell alone.
    """
    known = fingerprints(conditions)
    places = _Places(conditions, store, jobs, progress, tuple(devices))
    _fill(
        "Retrieval",
        store.missing(retrieval_cells(study, known)),
        lambda cell: store.write(cell, retrieval_rows(conditions[_condition(cell)])),
        progress,
    )
    moments: dict[str, Moments] = {}

    def predict(cell: Cell) -> None:
        name = _condition(cell)
        if name not in moments:
            moments[name] = condition_moments(conditions[name], study.strengths[name])
        images = conditions[name].rows("train").size
        told = predict_cell(cell, moments[name], _test_images(conditions[name]), images)
        store.write(cell, told)

    _fill("Predict", store.missing(predicted_cells(study, known)), predict, progress)
    if study.ridge == BEST:
        rows = {name: search_split(one, study.entropy) for name, one in conditions.items()}
        _in_processes("Search", search_cell, search_cells(study, known), rows, places)
    ridges = searched_ridges(study, known, store)
    rows = {name: (one.rows("train"), one.rows("test")) for name, one in conditions.items()}
    _in_processes("Measure", measure_cell, measured_cells(study, known, ridges), rows, places)


def searched_ridges(
    study: Study, known: Mapping[str, str], store: RecordStore
) -> dict[tuple[str, str], list[float]] | None:
    """Return the ridges that the recorded search chose; None where the study's ridge is given.

    Raises:
        InputError: if a record of the search is missing or corrupt.
    """
    if study.ridge != BEST:
        return None
    cells = search_cells(study, known)
    if store.missing(cells):
        raise InputError(
            f"store must hold the {len(cells)} search records of these settings;"
            " python -m validation run makes them"
        )
    return chosen_ridges(store.read("search", cells), study.sizes)


@dataclass(frozen=True, eq=False)
class _Places:
    """Where features and records are, and what computes."""

    conditions: Mapping[str, FeatureSet]
    store: RecordStore
    jobs: int
    progress: Progress
    devices: tuple[str, ...]


def _in_processes(
    name: str,
    work: Work,
    cells: Iterable[Cell],
    rows: Mapping[str, tuple[Integers, Integers]],
    places: _Places,
) -> None:
    """Compute the cells that the store does not have, each in one process on one thread."""
    conditions, store, devices = places.conditions, places.store, places.devices
    todo = store.missing(list(cells))
    task = places.progress.add_task(name, total=len(todo))
    if devices and devices != ("cpu",):
        calls = [
            _Call(work, cell, conditions[_condition(cell)], rows[_condition(cell)], store)
            for cell in todo
        ]
        for _ in scatter_over(_Call.on, calls, devices):
            places.progress.advance(task)
        return
    device = devices[0] if devices else None
    tasks = [
        (
            work,
            cell,
            np.asarray(conditions[_condition(cell)].image),
            np.asarray(conditions[_condition(cell)].text),
            *rows[_condition(cell)],
            store,
            device,
        )
        for cell in todo
    ]
    # Processes of one thread each beat threads inside one process here, and large arrays reach
    # them as memory maps.
    for _ in scatter(_of_task, tasks, places.jobs):
        places.progress.advance(task)


def _of_task(task: tuple[Any, ...]) -> None:
    _compute_and_store(*task)


def _compute_and_store(
    work: Work,
    cell: Cell,
    image: Single,
    text: Single,
    train: Integers,
    test: Integers,
    store: RecordStore,
    device: str | None = None,
) -> None:
    start = time.perf_counter()
    # Its precision is in the cell; without a device it is NumPy's.
    with computing_on(device, str(cell.config.get("precision", "float64"))):
        rows = work(cell, image, text, train, test)
    environment = {
        "device": _device_name(device),
        "scipy": version("scipy"),
        "seconds": round(time.perf_counter() - start, 3),
    }
    store.write(cell, rows, environment)


@dataclass(frozen=True, eq=False)
class _Call:
    """One cell with its data, for a process that has a GPU."""

    work: Work
    cell: Cell
    features: FeatureSet
    rows: tuple[Integers, Integers]
    store: RecordStore

    def on(self, device: str) -> None:
        arrays = np.asarray(self.features.image), np.asarray(self.features.text)
        _compute_and_store(self.work, self.cell, *arrays, *self.rows, self.store, device)


def _device_name(device: str | None) -> str:
    if device is None or device == "cpu":
        torch = "" if device is None else ", PyTorch"
        return f"CPU, {platform.machine()}, 1 thread{torch}"
    from fusiontheory.solvers import device_name

    return device_name(device)


def _fill(
    name: str, cells: Iterable[Cell], make: Callable[[Cell], object], progress: Progress
) -> None:
    todo = list(cells)
    task = progress.add_task(name, total=len(todo))
    for cell in todo:
        make(cell)
        progress.advance(task)


def _condition(cell: Cell) -> str:
    return str(cell.config["condition"])


def _test_images(features: FeatureSet) -> int:
    return int(features.rows("test").size)
