"""Fill the record store: measured cells, predicted cells, retrieval."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from fusiontheory.alignment import matched_cosine, retrieval_recall
from fusiontheory.curve import predict_curve
from fusiontheory.data import FeatureSet, draw_pairs, most_pairs
from fusiontheory.heads import find_head
from fusiontheory.kernel_ridge import gather, measure_curve
from fusiontheory.moments import Moments
from fusiontheory.store import Cell, RecordStore
from validation.conditions import condition_moments
from validation.study import FULL_THEORY, TERMS, Study

__all__ = ["fill_store", "fingerprints", "measure_cell", "predict_cell"]

_TRAIN, _TEST = 0, 1  # spawn keys of a seed


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
        store.missing(study.retrieval_cells(known)),
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

    _fill("Predict", store.missing(study.predicted_cells(known)), predict, progress)
    todo = store.missing(study.measured_cells(known))
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


def measure_cell(
    cell: Cell,
    image: NDArray[np.float32],
    text: NDArray[np.float32],
    train: NDArray[np.int64],
    test: NDArray[np.int64],
) -> list[dict[str, Any]]:
    """Return the rows (n, accuracy, risk) of one measured cell.

    Args:
        cell: of `Study.measured_cells`.
        image: features of all images, (n, d_v).
        text: of all captions, (n, captions, d_t).
        train: rows of the training images; the pairs depend on nothing but them and the seed.
        test: rows of the test images.
    """
    config = cell.config
    root = np.random.SeedSequence(config["entropy"], spawn_key=(config["seed"],))
    seeds = root.spawn(2)
    captions = text.shape[1]
    sizes = list(config["sizes"])
    training = draw_pairs(train, captions, max(sizes), seeds[_TRAIN])
    testing = draw_pairs(test, captions, config["test_pairs"], seeds[_TEST])
    measured = measure_curve(
        find_head(config["head"]),
        gather(image, text, training),
        gather(image, text, testing),
        sizes,
        config["ridge"],
    )
    return [{"n": m.n, "accuracy": m.accuracy, "risk": m.risk} for m in measured]


def predict_cell(
    cell: Cell, moments: Moments, test_images: int, training_images: int
) -> list[dict[str, Any]]:
    """Return the rows of one predicted cell: the columns of `predict_curve`.

    Args:
        cell: of `Study.predicted_cells`.
        moments: of the cell's condition.
        test_images: for the interval.
        training_images: that the training pairs are drawn from, for the full theory.
    """
    sizes = np.array(cell.config["sizes"])
    # From below the smallest size to twice the largest, if there are as many pairs.
    most = min(2 * sizes[-1], most_pairs(training_images, moments.captions))
    grid = np.geomspace(sizes[0] / 2, most, cell.config["points"])
    n = np.unique(np.concatenate([np.round(grid).astype(np.int64), sizes]))
    curve = predict_curve(
        cell.config["head"],
        moments,
        n,
        cell.config["ridge"],
        test_images=test_images,
        # The measured mean is over so many training sets.
        training_sets=cell.config["seeds"],
        terms=TERMS[cell.config["term"]],
        training_images=training_images if cell.config["term"] == FULL_THEORY else None,
    )
    return [dict(zip(curve.columns, row, strict=True)) for row in curve.itertuples(index=False)]


def retrieval_rows(features: FeatureSet) -> list[dict[str, Any]]:
    """Return retrieval recall and matched cosines on the test images as rows (metric, value)."""
    rows = features.rows("test")
    image, text = features.image[rows], features.text[rows]
    values = retrieval_recall(image, text) | matched_cosine(image, text)
    return [{"metric": name, "value": float(value)} for name, value in values.items()]


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
