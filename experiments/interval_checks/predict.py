"""The scatter of accuracy over training sets, from one sample of images of each population."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from experiments.interval_checks.config import Config
from experiments.interval_checks.training_sets import HEADS
from experiments.interval_coverage import Population
from fusiontheory.checks import ValidityWarning
from fusiontheory.curves import find_model, predict_curve
from fusiontheory.matching import Terms, training_deviation
from fusiontheory.moments import Moments
from fusiontheory.store import Cell, code_version
from fusiontheory.typing import Array

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict", "scatter"]

_IMAGES = 10_000


def predict(config: Config, records: Records) -> Tables:
    """Return what one training set's accuracy is said to vary by.

    ``predictions.csv``: head, population, n, predicted_sd.
    """
    code, shared = code_version(predict), config.settings("sizes", "ridge")
    cells = [
        Cell(
            records.name,
            {**shared, "head": head, "population": population.name},
            features="synthetic",
            code=code,
        )
        for head in HEADS
        for population in config.populations
    ]
    table = records.computed(cells, partial(_rows, config=config))
    return {"predictions.csv": table[["head", "population", "n", "predicted_sd"]]}


def _rows(cell: Cell, config: Config) -> list[dict[str, Any]]:
    deviation = scatter(config.population(cell.config["population"]), cell.config["head"], config)
    return [
        {"n": n, "predicted_sd": float(one)} for n, one in zip(config.sizes, deviation, strict=True)
    ]


def scatter(population: Population, head: str, config: Config) -> Array:
    """Return the predicted standard deviation of one training set's accuracy at each size."""
    moments = Moments.from_features(*population.draw(_IMAGES, np.random.default_rng(3)))
    sizes = np.array(config.sizes, dtype=np.float64)
    with warnings.catch_warnings():
        # Heavy tails are warned of; how far the formula is off there is what is asked.
        warnings.simplefilter("ignore", ValidityWarning)
        accuracy = predict_curve(head, moments, sizes, config.ridge)["accuracy"].to_numpy()
    deviation = training_deviation(find_model(head)(moments, Terms()), sizes, config.ridge)
    return np.asarray(deviation * norm.pdf(norm.ppf(accuracy)))
