"""Accuracies with intervals of every pilot, from its own arrays alone; stored before any truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from experiments.choice import pilot_curves, pilot_record
from experiments.pilot_accuracy.config import Config
from experiments.pilot_accuracy.tasks import families, source
from fusiontheory.checks import InputError
from fusiontheory.pilot import PilotCurve, metric_interval
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["KEY", "METRICS", "predict", "task_rows"]

KEY = ["task", "pilot", "head", "n"]
METRICS = ("accuracy", "balanced_accuracy")
_COLUMNS = [f"{m}{end}" for m in METRICS for end in ("", "_low", "_high")]
# Ends of the interval that holds the risk's error alone.
_CARRIED = ["carried_low", "carried_high"]


def predict(config: Config, records: Records) -> Tables:
    """Return the tables that the harness freezes.

    ``predictions.csv``: accuracy and balanced accuracy with 90 % intervals of each pilot's heads
    at each size, and the accuracies at the ends of the risk's interval (``carried``).
    ``tasks.csv``: family and number of classes.
    """
    names = families(config)
    code = code_version(task_rows)
    cells = []
    for k, task in enumerate(names):
        pilots = [*config.pilots, *([] if k % config.every else [config.large])]
        settings = {"task": task, "pilots": pilots, "sizes": config.sizes, "first": config.first}
        cells.append(Cell(records.name, settings, task, code))
    rows = records.computed(cells, task_rows, config.jobs)
    tasks = rows[["task", "classes"]].drop_duplicates()
    tasks = tasks.merge(pd.Series(names, name="family"), left_on="task", right_index=True)
    table = rows[[*KEY, *_COLUMNS, *_CARRIED]].round(4)
    return {"tasks.csv": tasks[["task", "family", "classes"]], "predictions.csv": table}


def task_rows(cell: Cell) -> list[dict[str, Any]]:
    """Return a row for each pilot, head and size of one task."""
    settings = cell.config
    draw = source(Config(first=settings["first"], pool=1, test=1), settings["task"]).draw
    rows: list[dict[str, Any]] = []
    for n in settings["pilots"]:
        try:
            record = pilot_record(*draw(n, 100 + 1000 * n))
        except (InputError, ValueError):
            continue  # a class with too few items, or a set with fewer than n
        for curve in pilot_curves(record):
            rows += _curve_rows(curve, settings["sizes"])
    return rows


def _curve_rows(curve: PilotCurve, sizes: list[int]) -> list[dict[str, Any]]:
    found, law = curve.forecast(sizes), curve.score_law
    columns = {}
    for metric in METRICS:
        columns[metric] = law.at(found.risk)[metric]
        ends = metric_interval(law, found, metric)
        columns[f"{metric}_low"], columns[f"{metric}_high"] = ends
    columns["carried_low"], columns["carried_high"] = (
        law.at(risk)["accuracy"] for risk in (found.high, found.low)
    )
    assert curve.labels.classes is not None
    about = {"pilot": curve.items, "head": curve.head, "classes": len(curve.labels.classes)}
    return [
        {**about, "n": n, **{name: float(column[k]) for name, column in columns.items()}}
        for k, n in enumerate(sizes)
    ]
