"""Fill the record store: measured cells, predicted cells, retrieval."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version

import joblib
import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from fusiontheory.data import FeatureSet
from fusiontheory.moments import Moments
from fusiontheory.store import Cell, RecordStore
from validation.kernel.cells import measured_cells, predicted_cells, retrieval_cells
from validation.kernel.measure import measure_cell, retrieval_rows
from validation.kernel.predict import predict_cell
from validation.kernel.study import Study
from validation.moments import condition_moments

__all__ = ["fill_store", "fingerprints"]


def fingerprints(conditions: Mapping[str, FeatureSet]) -> dict[str, str]:
    """Return the fingerprint of the features of each condition."""
    return {name: features.fingerprint for name, features in conditions.items()}


def fill_store(
    study: Study,
    conditions: Mapping[str, FeatureSet],
    store: RecordStore,
    jobs: int,
    progress: Progress,
) -> None:
    """Make every record of the study that the store does not have yet.

    Args:
        study: what to measure.
        conditions: features by condition.
        store: where records go; each is written as soon as it is made.
        jobs: processes, each on one thread.
        progress: of the console.

    Raises:
        InputError: if a record in the store is corrupt.
    """
    known = fingerprints(conditions)
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
    todo = store.missing(measured_cells(study, known))
    task = progress.add_task("Measure", total=len(todo))
    # Processes of one thread each beat threads inside one process here, and large arrays reach
    # them as memory maps.
    with joblib.parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
        done = joblib.Parallel(return_as="generator_unordered", max_nbytes="1M")(
            joblib.delayed(_measure_and_store)(
                cell,
                np.asarray(conditions[_condition(cell)].image),
                np.asarray(conditions[_condition(cell)].text),
                conditions[_condition(cell)].rows("train"),
                conditions[_condition(cell)].rows("test"),
                store,
            )
            for cell in todo
        )
        for _ in done:
            progress.advance(task)


def _measure_and_store(
    cell: Cell,
    image: NDArray[np.float32],
    text: NDArray[np.float32],
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    store: RecordStore,
) -> None:
    start = time.perf_counter()
    rows = measure_cell(cell, image, text, train, test)
    environment = {
        "device": f"CPU, {platform.machine()}, 1 thread",
        "scipy": version("scipy"),
        "seconds": round(time.perf_counter() - start, 3),
    }
    store.write(cell, rows, environment)


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
