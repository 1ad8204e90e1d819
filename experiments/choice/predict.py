"""Curves and choices of every pilot, from its own arrays alone; stored before any truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.choice.config import Config
from experiments.choice.pilots import Record, pilot_curves, pilot_record
from experiments.choice.tasks import source, task_names
from fusiontheory.checks import InputError
from fusiontheory.pilot import PilotCurve, choose, metric_interval, plain_power, score_metrics
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["KEY", "predict", "task_rows"]

KEY = ["task", "pilot", "head"]
CURVE = ["n", "risk", "low", "high", "accuracy", "accuracy_low", "accuracy_high"]
CHOICE = [
    "n0",
    "advised_risk",
    "p_best",
    "expected_regret",
    "verdict",
    "forecast",
    "deviation",
    "flat",
    "power",
    "cv_risk",
    "cv_accuracy",
    "evidence",
    "h_score",
]
_DIGITS = 4
# Every so many tasks have the large pilot; families of worlds have a cycle of ten.
_LARGE = 7


def predict(config: Config, records: Records) -> Tables:
    """Return the tables that the harness freezes.

    ``predictions.csv``: risk with its 90 % interval and accuracy of each pilot's heads at each
    size. ``choices.csv``: what each rule sees at the target. ``tasks.csv``: names and families.
    """
    families = task_names(config)
    code = code_version(task_rows)
    cells = []
    for k, name in enumerate(families):
        pilots = [*config.pilots, *([] if k % _LARGE else [(config.large, 1)])]
        settings = {"pilots": [list(p) for p in pilots], "sizes": config.sizes}
        settings |= {"task": name, "target": config.target}
        cells.append(Cell(records.name, settings, name, code))
    rows = records.computed(cells, task_rows, config.jobs)
    rows = rows.merge(pd.Series(families, name="family"), left_on="task", right_index=True)
    tasks = rows[["task", "family", "labels", "classes"]].drop_duplicates()
    choices = rows[rows["n"] == config.target][[*KEY, *CHOICE]]
    return {
        "tasks.csv": tasks,
        "predictions.csv": rows[[*KEY, *CURVE]].round(_DIGITS),
        "choices.csv": choices.round(_DIGITS),
    }


def task_rows(cell: Cell) -> list[dict[str, Any]]:
    """Return a row for each pilot, head and size of one task."""
    config = Config(
        pilots=tuple((n, count) for n, count in cell.config["pilots"]),
        training_sets=tuple((n, 1) for n in cell.config["sizes"]),
        target=cell.config["target"],
    )
    draw = source(config, cell.config["task"]).draw
    rows: list[dict[str, Any]] = []
    for n, count in config.pilots:
        for k in range(count):
            try:
                record = pilot_record(*draw(n, 100 + k + 1000 * n))
            except (InputError, ValueError):
                continue  # a class with too few items, or a set with fewer than n
            rows += _pilot_rows(record, config, f"{n}-{k}")
    return rows


def _pilot_rows(record: Record, config: Config, number: str) -> list[dict[str, Any]]:
    curves = pilot_curves(record)
    labels = curves[0].labels
    about = {
        "pilot": number,
        "n0": record["n0"],
        "labels": "numbers" if labels.codes is None else "classes",
        "classes": 0 if labels.classes is None else len(labels.classes),
    }
    choice = choose(curves, config.target)
    table = choice.table
    advised = table.set_index("head")[["risk", "p_best", "expected_regret"]].to_dict("index")
    rows = []
    for curve in curves:
        found, law = curve.forecast(config.sizes), curve.score_law
        ahead = curve.forecast([config.target])
        name = "r2" if labels.codes is None else "accuracy"
        metric = (law.at(found.risk)[name], *metric_interval(law, found, name))
        scores = record["heads"].get(curve.head, {})
        seen = {
            **about,
            "head": curve.head,
            "advised_risk": float(advised[curve.head]["risk"]),
            "p_best": float(advised[curve.head]["p_best"]),
            "expected_regret": float(advised[curve.head]["expected_regret"]),
            "verdict": choice.verdict,
            "forecast": float(ahead.risk[0]),
            "deviation": float(ahead.deviation[0]),
            "flat": float(curve.forecast([curve.items]).risk[0]),
            "power": _power(curve, config.target),
            "cv_risk": float(curve.item_risk.mean()),
            "cv_accuracy": _validated(curve),
            **{key: scores.get(key, float("nan")) for key in ("evidence", "h_score")},
        }
        columns = (found.sizes, found.risk, found.low, found.high, *metric)
        rows += [
            {**seen, **dict(zip(CURVE, map(float, row), strict=True))}
            for row in zip(*columns, strict=True)
        ]
    return rows


def _power(curve: PilotCurve, target: float) -> float:
    """Return the power law through sub-pilots; NaN for an average, which has none."""
    if curve.within is None:
        return float("nan")
    return float(plain_power(curve.within, np.array([target / curve.items]))[0])


def _validated(curve: PilotCurve) -> float:
    """Return the plain leave-one-out accuracy, or R^2."""
    metrics = score_metrics(curve.labels.targets - curve.errors, curve.labels)
    return metrics.get("accuracy", metrics.get("r2", float("nan")))
