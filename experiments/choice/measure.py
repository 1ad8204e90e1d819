"""Truths of every task, and what follows for each rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.choice.compare import curve_errors, leaderboard, reliability
from experiments.choice.config import Config
from experiments.choice.tasks import source
from experiments.choice.truth import fitted_heads
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure", "truth_rows"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return truths, errors of the curves, regrets of each rule, and calibration of P(best)."""
    code = code_version(truth_rows)
    settings = {
        "training_sets": [list(s) for s in config.training_sets],
        "pool": config.pool,
        "test": config.test,
        "first": config.first,
    }
    cells = [
        Cell(records.name, {**settings, "task": name}, name, code)
        for name in predicted["tasks.csv"]["task"]
    ]
    truth = records.computed(cells, truth_rows, config.jobs)[
        ["task", "n", "head", "true_risk", "true_accuracy", "first_accuracy"]
    ]
    tasks = predicted["tasks.csv"]
    choices = predicted["choices.csv"].merge(tasks, on="task")
    curves = predicted["predictions.csv"].merge(
        choices[["task", "pilot", "head", "n0", "flat", "power"]], on=["task", "pilot", "head"]
    )
    return {
        "truth.csv": truth.round(5),
        "errors.csv": curve_errors(curves.merge(tasks, on="task"), truth, config.target),
        "leaderboard.csv": leaderboard(choices, truth, config.target),
        "reliability.csv": reliability(choices, truth, config.target),
    }


def truth_rows(cell: Cell) -> list[dict[str, Any]]:
    """Return measured risk and accuracy of each head of one task at each size.

    ``first_accuracy`` is that of the first training set alone.
    """
    settings = cell.config
    config = Config(pool=settings["pool"], test=settings["test"], first=settings["first"])
    found = source(config, settings["task"])
    sets = [(n, count) for n, count in settings["training_sets"]]
    rows = []
    for n, heads in fitted_heads(found.pool, found.test, sets):
        for head, fits in heads.items():
            values = np.array([[fit.risk[0], fit.accuracy[0]] for fit in fits])
            risk, accuracy = map(float, values.mean(0))
            row = {"n": n, "head": head, "true_risk": risk, "true_accuracy": accuracy}
            rows.append({**row, "first_accuracy": float(values[0, 1])})
    return rows
