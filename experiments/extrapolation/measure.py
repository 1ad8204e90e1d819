"""The learning curve of each pilot, measured, and what larger n turned out to be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.extrapolation.config import Config
from experiments.extrapolation.foretold import foretold
from experiments.extrapolation.pilots import Pilot, conditions
from fusiontheory.data import FeatureSet, draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.solvers import gather, measure_curve
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["TRUTH", "measure", "measured_rows"]

TRUTH = Path(__file__).parents[2] / "docs" / "results" / "ridge_0.1" / "comparison.csv"
"""Measured means over ten seeds, by the study on real features."""


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return the pilots' learning curves, and every method's forecasts beside what is measured."""
    features = conditions(config)
    code = code_version(measured_rows)
    names = ("orders", "test_pairs", "halvings", "points")
    own = {name: getattr(config, name) for name in names}
    cells = [
        Cell(
            records.name,
            {**case, **own},
            features=features[case["condition"]].fingerprint,
            code=code,
        )
        for case in config.cases
    ]

    def compute(cell: Cell) -> list[dict[str, Any]]:
        condition, n0, repeat = (cell.config[name] for name in ("condition", "n0", "pilot"))
        return measured_rows(config, features[condition], n0, repeat)

    columns = ["head", "kind", "n", "value", "error", *config.keys]
    pilots = records.computed(cells, compute)[columns]
    known = pd.concat([predicted["predictions.csv"], pilots], ignore_index=True)
    return {
        "pilots.csv": pilots,
        "results.csv": foretold(config, known, pd.read_csv(TRUTH)),
    }


def measured_rows(
    config: Config, features: FeatureSet, n0: int, repeat: int
) -> list[dict[str, Any]]:
    """Return the measured learning curve of one pilot: head, kind, n, value, error.

    ``value`` is the mean accuracy of subsets on test pairs, ``error`` that over orders.
    """
    pilot = Pilot.of(config, features, n0, repeat)
    test_rows = features.rows("test")
    testing = draw_pairs(test_rows, features.text.shape[1], config.test_pairs, pilot.test_seed)
    test = gather(features.image, features.text, testing)
    rows: list[dict[str, Any]] = []
    sizes = config.subsets(n0)
    parts = [gather(pilot.image, pilot.text[:, None], draw) for draw in pilot.draws]
    for head in config.heads:
        chosen = find_head(head)
        accuracies = np.array(
            [
                [
                    point.accuracy
                    for point in measure_curve(chosen, train, test, sizes, config.ridge)
                ]
                for train in parts
            ]
        )
        errors = accuracies.std(axis=0, ddof=1) / np.sqrt(len(accuracies))
        rows += [
            {"head": head, "kind": "measured", "n": n, "value": value, "error": error}
            for n, value, error in zip(sizes, accuracies.mean(axis=0), errors, strict=True)
        ]
    return rows
