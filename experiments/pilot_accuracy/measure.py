"""Truths of every task with their own noise, and how the stored intervals did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.choice import Fitted, fitted_heads
from experiments.pilot_accuracy.config import Config
from experiments.pilot_accuracy.predict import METRICS
from experiments.pilot_accuracy.tasks import source
from fusiontheory.pilot import Labels, score_metrics
from fusiontheory.store import Cell, code_version
from fusiontheory.typing import Array

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure", "truth_rows"]

_TRUTH = ["task", "n", "head", *(f"true_{m}" for m in METRICS), "noise"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return truths, and errors and coverage by family, head and number of classes."""
    code = code_version(truth_rows)
    settings = {
        "training_sets": [list(s) for s in config.training_sets],
        "pool": config.pool,
        "test": config.test,
        "first": config.first,
    }
    tasks = predicted["tasks.csv"]
    cells = [Cell(records.name, {**settings, "task": task}, task, code) for task in tasks["task"]]
    truth = records.computed(cells, truth_rows, config.jobs)[_TRUTH]
    both = predicted["predictions.csv"].merge(truth, on=["task", "n", "head"])
    return {"truth.csv": truth.round(6), "results.csv": results(both.merge(tasks, on="task"))}


def truth_rows(cell: Cell) -> list[dict[str, Any]]:
    """Return measured accuracies of each head of one task at each size.

    ``noise`` is the variance of the accuracy: over training sets, and of the items that judge.
    """
    settings = cell.config
    config = Config(pool=settings["pool"], test=settings["test"], first=settings["first"])
    found = source(config, settings["task"])
    labels = Labels.from_labels(np.r_[found.test[2], found.pool[2]])
    judged = labels.subset(np.arange(len(found.test[2])))
    sets = [(n, count) for n, count in settings["training_sets"]]
    rows = []
    for n, heads in fitted_heads(found.pool, found.test, sets):
        for head, fits in heads.items():
            values = _values(fits, judged)
            accuracy = values[:, 0]
            mean, several = float(accuracy.mean()), len(accuracy) > 1
            noise = mean * (1 - mean) / judged.items
            noise += float(accuracy.var(ddof=1)) / len(accuracy) if several else 0.0
            truths = {f"true_{m}": float(x) for m, x in zip(METRICS, values.mean(0), strict=True)}
            rows.append({"n": n, "head": head, **truths, "noise": noise})
    return rows


def _values(fits: list[Fitted], judged: Labels) -> Array:
    """Return each metric (training sets, metrics)."""
    found = [score_metrics(fit.scores[0], judged) for fit in fits]
    return np.array([[row[m] for m in METRICS] for row in found])


def results(both: pd.DataFrame) -> pd.DataFrame:
    """Return errors in points, coverage and width, for each grouping, pilot and size.

    ``beyond_noise`` is the mean absolute error times the root of the share of the mean square
    that is not noise of the truth; ``covered_error`` is the standard error of the coverage over
    tasks; ``carried`` is the coverage of intervals of the risk alone.
    """
    error = 100 * (both["accuracy"] - both["true_accuracy"])
    table = both.assign(
        error=error.abs(),
        bias=error,
        square=error**2,
        noise=1e4 * both["noise"],
        covered=_held(both, "accuracy", "accuracy"),
        below=both["true_accuracy"] < both["accuracy_low"],
        above=both["true_accuracy"] > both["accuracy_high"],
        width=both["accuracy_high"] - both["accuracy_low"],
        balanced_covered=_held(both, "balanced_accuracy", "balanced_accuracy"),
        carried=_held(both, "carried", "accuracy"),
    )
    groups: dict[str, pd.Series[Any]] = {
        "all": pd.Series("all", table.index),
        "family": table["family"],
        "head": table["head"],
        "classes": table["classes"].astype(str),
    }
    parts = [_grouped(table.assign(group=g, name=names)) for g, names in groups.items()]
    return pd.concat(parts, ignore_index=True).round(4)


def _held(both: pd.DataFrame, interval: str, truth: str) -> pd.Series:
    return both[f"true_{truth}"].between(both[f"{interval}_low"], both[f"{interval}_high"])


def _grouped(table: pd.DataFrame) -> pd.DataFrame:
    """Return the means of each group, pilot and size, sizes up to the pilot's together besides."""
    columns = ["error", "bias", "square", "noise", "covered", "below", "above", "width"]
    columns += ["balanced_covered", "carried"]
    within = table[table["n"] <= table["pilot"]].assign(n="within")
    table = pd.concat([table.assign(n=table["n"].astype(str)), within, table.assign(n="any")])
    keys = ["group", "name", "pilot", "n"]
    by_task = table.groupby([*keys, "task"])[columns].mean()
    found = table.groupby(keys)[columns].mean()
    left = (1 - found["noise"] / found["square"]).clip(lower=0)
    found.insert(1, "beyond_noise", found["error"] * np.sqrt(left))
    tasks = by_task["covered"].groupby(keys)
    found["covered_error"] = tasks.std() / np.sqrt(tasks.size())
    found["tasks"] = tasks.size()
    return found.drop(columns=["square", "noise"]).reset_index()
