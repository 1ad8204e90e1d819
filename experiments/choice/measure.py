"""Truths of every task, and what follows for each rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from experiments.choice.compare import curve_errors, leaderboard, reliability
from experiments.choice.config import Config
from experiments.choice.tasks import source
from experiments.choice.truth import truths
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["judged", "measure", "truth_rows"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return truths, errors of the curves, regrets of each rule, and calibration of P(best)."""
    code = code_version(truth_rows)
    settings = {
        "training_sets": [list(s) for s in config.training_sets],
        "pool": config.pool,
        "test": config.test,
    }
    cells = [
        Cell(records.name, {**settings, "task": name}, name, code)
        for name in predicted["tasks.csv"]["task"]
    ]
    truth = records.computed(cells, truth_rows, config.jobs)[
        ["task", "n", "head", "true_risk", "true_accuracy"]
    ]
    return {"truth.csv": truth.round(5), **judged(config, predicted, truth)}


def judged(config: Config, predicted: Tables, truth: pd.DataFrame) -> Tables:
    """Return errors of the curves, regrets of each rule, and calibration of P(best)."""
    tasks = predicted["tasks.csv"]
    choices = predicted["choices.csv"].merge(tasks, on="task")
    curves = predicted["predictions.csv"].merge(
        choices[["task", "pilot", "head", "n0", "flat", "power"]], on=["task", "pilot", "head"]
    )
    return {
        "errors.csv": curve_errors(curves.merge(tasks, on="task"), truth, config.target),
        "leaderboard.csv": leaderboard(choices, truth, config.target),
        "reliability.csv": reliability(choices, truth, config.target),
    }


def truth_rows(cell: Cell) -> list[dict[str, Any]]:
    """Return measured risk and accuracy of each head of one task at each size."""
    settings = cell.config
    config = Config(pool=settings["pool"], test=settings["test"])
    found = source(config, settings["task"])
    sets = [(n, count) for n, count in settings["training_sets"]]
    return [
        {"n": n, "head": h, "true_risk": risk, "true_accuracy": accuracy}
        for n, heads in truths(found.pool, found.test, sets).items()
        for h, (risk, accuracy) in heads.items()
    ]
