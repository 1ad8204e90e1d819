"""Units of work: what shares features and factorisations is measured together.

A unit is one set of pairs with all targets on it, one head, and one seed, at every n and ridge; or
the predictions for it. It is what a worker is sent, and one cell of the record store.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusiontheory import (
    correlated_products,
    curve,
    deterministic_equivalent,
    kernel_sum,
    low_rank,
    matching,
    matching_signal,
    moments,
)
from fusiontheory.cells import Cell, code_version
from fusiontheory.simulate import heads, predictions, ridge
from fusiontheory.simulate.grid import SimulationGrid
from fusiontheory.simulate.heads import HeadFit, fit_head
from fusiontheory.simulate.predictions import Prediction, predict_head
from fusiontheory.synthetic import (
    configuration,
    degradations,
    floors,
    latent_model,
    pairs,
    population,
    rotations,
    spectra,
    surrogates,
    targets,
)
from fusiontheory.synthetic.configuration import SyntheticConfig
from fusiontheory.synthetic.population import population_risk

__all__ = ["Unit", "run_unit", "units_of"]

_Array: TypeAlias = NDArray[np.float64]

# What measures, and what else predicts.
_MEASURING = (
    configuration,
    degradations,
    floors,
    heads,
    latent_model,
    pairs,
    population,
    ridge,
    rotations,
    spectra,
    surrogates,
    targets,
)
_PREDICTING = (
    correlated_products,
    curve,
    deterministic_equivalent,
    kernel_sum,
    low_rank,
    matching,
    matching_signal,
    moments,
    predictions,
)


@lru_cache(maxsize=2)
def _version(measured: bool) -> str:
    return code_version(*_MEASURING, *(() if measured else _PREDICTING))


@dataclass(frozen=True)
class Unit:
    """What one call of a worker does.

    Attributes:
        configs: configurations with the same pairs and degradation.
        head: name of the head.
        seed: of the draw; None for the predictions.
        n: sample sizes.
        ridges: delta.
        intercept, rank, test_rows, predict: as in `SimulationGrid`.
    """

    configs: tuple[SyntheticConfig, ...]
    head: str
    seed: int | None
    n: tuple[int, ...]
    ridges: tuple[float, ...]
    intercept: bool
    rank: int | None
    test_rows: int
    predict: str

    def cell(self, study: str) -> Cell:
        """Return the cell of the record store."""
        measured = self.seed is not None
        config = {
            # Nested settings have no place in a cell but as text.
            "settings": json.dumps([c.settings() for c in self.configs], sort_keys=True),
            "head": self.head,
            "seed": self.seed,
            "sizes": self.n,
            "ridges": self.ridges,
            "intercept": self.intercept,
            "rank": self.rank,
            "test_rows": self.test_rows if measured else None,
            "predict": None if measured else self.predict,
        }
        return Cell(study, config, features="synthetic", code=_version(measured))

    def describe(self) -> str:
        """Return what it is, for messages."""
        first = json.dumps(self.configs[0].settings(), sort_keys=True)
        seed = "predictions" if self.seed is None else f"seed {self.seed}"
        more = f" and {len(self.configs) - 1} more targets" if len(self.configs) > 1 else ""
        return f"{self.head} head, {seed}, settings {first[:160]}{more}"


def units_of(grid: SimulationGrid) -> list[Unit]:
    """Return the units of a grid: predictions first, as they take longest.

    Example:
        >>> grid = SimulationGrid.of({"pairs.d_v": 2, "pairs.d_t": 2},
        ...     {"target.interaction": [0.0, 1.0]}, heads=["additive"], n=[8], seeds=2,
        ...     ridges=[0.1])
        >>> [(unit.seed, len(unit.configs)) for unit in units_of(grid)]
        [(None, 2), (0, 2), (1, 2)]
    """
    groups: dict[Any, list[SyntheticConfig]] = {}
    for config in grid.configs:
        key = config.pairs, config.degradation, config.mismatched
        groups.setdefault(key, []).append(config)
    return [
        Unit(
            configs=tuple(configs),
            head=head,
            seed=seed,
            n=tuple(sorted(grid.n)),
            ridges=(0.0,) if head == "low-rank" else grid.ridges,
            intercept=grid.intercept,
            rank=grid.rank if head == "low-rank" else None,
            test_rows=grid.test_rows,
            predict=grid.predict,
        )
        for seed in (None, *grid.seeds)
        for configs in groups.values()
        for head in grid.heads
    ]


def run_unit(unit: Unit) -> list[dict[str, Any]]:
    """Return one row per configuration, n and ridge: ``config`` (its position), n, ridge, results.

    Example:
        >>> grid = SimulationGrid.of({"pairs.d_v": 2, "pairs.d_t": 2, "target.noise": 0.5}, {},
        ...     heads=["additive"], n=[1000], seeds=1, ridges=[0.1])
        >>> row = run_unit(units_of(grid)[1])[0]
        >>> row["n"], round(row["test"], 1)  # noise 0.5, and the bilinear half of the variance
        (1000, 1.0)
    """
    start = time.perf_counter()
    rows = _predicted(unit) if unit.seed is None else _measured(unit)
    seconds = (time.perf_counter() - start) / len(rows)
    return [{**row, "seconds": seconds} for row in rows]


def _predicted(unit: Unit) -> list[dict[str, Any]]:
    rows = []
    for k, config in enumerate(unit.configs):
        floor = config.floor(unit.intercept)
        bounds = {
            "bayes": floor.bayes,
            "floor": {
                "additive": floor.additive,
                "bilinear": floor.bilinear,
                "sum": floor.both,
                "dot-product": floor.dot_product,
            }.get(unit.head, float("nan")),
        }
        for delta in unit.ridges:
            found = None
            if unit.predict != "none":
                found = predict_head(
                    config,
                    unit.head,
                    list(unit.n),
                    delta,
                    unit.intercept,
                    unit.rank,
                    sharp=unit.predict == "sharp",
                )
            for position, n in enumerate(unit.n):
                rows.append(
                    {
                        "config": k,
                        "n": n,
                        "ridge": delta,
                        "predicted_test": _at(found, "test", position),
                        "predicted_training": _at(found, "training", position),
                        "predicted_accuracy": _at(found, "accuracy", position),
                        "formula": found.formula if found else "none",
                        **bounds,
                    }
                )
    return rows


def _at(found: Prediction | None, name: str, position: int) -> float:
    return float("nan") if found is None else float(getattr(found, name)[position])


def _measured(unit: Unit) -> list[dict[str, Any]]:
    assert unit.seed is not None
    first = unit.configs[0]
    draw = first.rows(max(unit.n), [unit.seed, 0])
    labels = np.stack([config.labels(draw) for config in unit.configs], axis=1)
    test, test_labels = None, None
    classified = any(config.target.task == "classification" for config in unit.configs)
    if classified or unit.head == "concat-mlp":
        rows = first.rows(unit.test_rows, [unit.seed, 1])
        test = rows.v, rows.t
        test_labels = np.stack([config.labels(rows) for config in unit.configs], axis=1)
    fits = fit_head(
        unit.head,
        draw.v,
        draw.t,
        labels,
        list(unit.n),
        list(unit.ridges),
        unit.intercept,
        unit.rank,
        test,
    )
    return [row for fit in fits for row in _scored(unit, fit, test, test_labels)]


def _scored(
    unit: Unit, fit: HeadFit, test: tuple[_Array, _Array] | None, test_labels: _Array | None
) -> list[dict[str, Any]]:
    outputs = fit.outputs
    if outputs is None and fit.predictor is not None and test is not None:
        outputs = fit.predictor(*test)
    risks = _exact_risks(unit, fit)
    rows = []
    for k, config in enumerate(unit.configs):
        accuracy, risk, exact = float("nan"), float(risks[k]), True
        if outputs is not None and test_labels is not None:
            y, f = test_labels[:, k], outputs[:, k]
            if np.isnan(risk):
                risk, exact = float(np.mean((y - f) ** 2)), False
            if config.target.task == "classification":
                # An output of 0 counts half.
                accuracy = float(np.mean((np.sign(f) * y + 1) / 2))
        rows.append(
            {
                "config": k,
                "n": fit.n,
                "ridge": fit.ridge,
                "test": risk,
                "training": float(fit.training[k]),
                "accuracy": accuracy,
                "exact": exact,
            }
        )
    return rows


def _exact_risks(unit: Unit, fit: HeadFit) -> _Array:
    """Return the population risks, NaN where there is no closed form."""
    labels = [config.label for config in unit.configs]
    known = [label for label in labels if label is not None]
    if fit.predictor is None or not known:
        return np.full(len(labels), np.nan)
    features = unit.configs[0].features
    if len(known) == len(labels):
        return population_risk(features, known, fit.predictor)
    return np.array(
        [
            np.nan
            if label is None
            else population_risk(features, label, fit.predictor.column(k))[0]
            for k, label in enumerate(labels)
        ]
    )
