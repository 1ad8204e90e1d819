"""Write the tables, the figure and the list of what is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from fusiontheory.data import FeatureSet
from fusiontheory.store import RecordStore, check_writable, write_atomically
from fusiontheory.training import TrainingSettings
from validation.claims import CLAIMS, judge
from validation.trained.design import (
    FIXED,
    TrainedCell,
    TrainedStudy,
    controlled_features,
    held_out_pairs,
)
from validation.trained.report.effects import effect_table
from validation.trained.report.facts import record_facts
from validation.trained.report.figure import draw
from validation.trained.report.page import own_conditions, write_page
from validation.trained.report.predictions import predictions
from validation.trained.report.tables import (
    RUN_COLUMNS,
    gap_table,
    power_table,
    scaling_table,
    trend_table,
)
from validation.trained.runs import chosen_table, recorded_runs

__all__ = ["Trained", "tables", "write_report"]

_PLACE = ["condition", "head", "n", "sigma", "side"]
_THRESHOLD = {"learned": "learned as any parameter", "scores": "set from the training scores"}
_JUDGED = ("published", "fixed", "tuned")


@dataclass(frozen=True)
class Trained:
    """The tables by name, one row per run in ``runs``, and the cells that lack seeds."""

    runs: pd.DataFrame = field(repr=False)
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    missing: tuple[str, ...]


def tables(
    study: TrainedStudy,
    conditions: Mapping[str, FeatureSet],
    store: RecordStore,
    cells: Sequence[TrainedCell],
    kind: str = "cpu",
) -> Trained:
    """Return every table from the records; nothing is trained.

    ``accuracy`` has mean and standard error over seeds beside the prediction; ``choices`` what the
    search chose, ``effects`` what each ablation changes; ``claims`` the verdicts and ``evidence``
    what they rest on. Only cells on record are predicted. A run that diverged has no accuracy and
    counts in no mean or gap.

    Args:
        study: with all settings.
        conditions: features by strength.
        store: with the records.
        cells: of all parts, those tuned included.
        kind: of the device that they were trained on, "cpu" or "cuda".
    """
    every, missing = recorded_runs(study, conditions, store, cells, kind)
    if every.empty:
        return Trained(every, {}, tuple(missing))
    runs = every[every["setting"].isin(_JUDGED)]
    ablations = every[~every["setting"].isin((*_JUDGED, "search"))]
    known = _predicted(study, conditions, [c for c in cells if c.variant.setting in _JUDGED], runs)
    judged: dict[str, pd.DataFrame] = {}
    if not own_conditions(runs["condition"]):
        joined = runs.merge(known.drop(columns="by"), on=_PLACE, how="left")
        judged = dict(zip(("claims", "evidence"), _judged(joined), strict=True))
    _, test = held_out_pairs(study, next(iter(conditions.values())))
    ablated = ["setting", "level", *_PLACE]
    return Trained(
        runs,
        {
            "runs": _shown(runs, ["setting", *_PLACE, "seed"], RUN_COLUMNS),
            "accuracy": _accuracy(runs, known),
            "gaps": gap_table(runs, test.image),
            "scaling": scaling_table(runs),
            "trends": trend_table(runs),
            "power": power_table(runs),
            "choices": chosen_table(every[every["setting"] == "search"], study.least_trials),
            "ablations": _shown(
                ablations, [*ablated, "seed"], ["setting", "level", *RUN_COLUMNS[1:]]
            ).rename(columns={"setting": "ablation"}),
            "effects": effect_table(
                ablations, runs[(runs["setting"] == "published") & (runs["sigma"] == 0)]
            ),
            **judged,
        },
        tuple(missing),
    )


def _shown(runs: pd.DataFrame, order: list[str], columns: list[str]) -> pd.DataFrame:
    return runs.sort_values(order)[columns].reset_index(drop=True)


def _predicted(
    study: TrainedStudy,
    conditions: Mapping[str, FeatureSet],
    cells: Sequence[TrainedCell],
    runs: pd.DataFrame,
) -> pd.DataFrame:
    measured = set(runs[_PLACE].itertuples(index=False, name=None))
    there = [cell for cell in cells if _place(cell) in measured]
    controlled = {
        name: controlled_features(
            conditions[name.removesuffix(f"-{condition.control}")], condition.control, study.entropy
        )
        for name, condition in study.conditions.items()
        if condition.control and any(cell.condition == name for cell in there)
    }
    return predictions(study, {**conditions, **controlled}, there)


def _judged(runs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    verdicts = {claim.name: judge(claim, runs) for claim in CLAIMS}
    claims = [
        {
            "claim": claim.name,
            "verdict": verdicts[claim.name].verdict,
            "expected": claim.expected,
            "reason": verdicts[claim.name].reason,
            "missing": "; ".join(verdicts[claim.name].missing),
        }
        for claim in CLAIMS
    ]
    evidence = [verdict.evidence.assign(claim=name) for name, verdict in verdicts.items()]
    table = pd.concat(evidence, ignore_index=True).set_index("claim").reset_index()
    return pd.DataFrame(claims), table


def _place(cell: TrainedCell) -> tuple[str, str, int, float, str]:
    return cell.condition, cell.head, cell.n, cell.noise.sigma, cell.noise.side


def _accuracy(runs: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    grouped = runs.groupby(["setting", *_PLACE])
    table = grouped["accuracy"].agg(["count", "mean", "sem", "min", "max"])
    table["train"] = grouped["train_accuracy"].mean()
    table["epoch"] = grouped["epoch"].mean()
    table["diverged"] = grouped["diverged"].sum()
    table = table.rename(columns={"count": "seeds", "mean": "accuracy", "sem": "se"})
    return table.reset_index().merge(known, on=_PLACE, how="left")


def write_report(
    study: TrainedStudy,
    conditions: Mapping[str, FeatureSet],
    store: RecordStore,
    cells: Sequence[TrainedCell],
    out: Path,
    kind: str = "cpu",
    caution: str | None = None,
) -> Trained:
    """Write each table as CSV, ``missing.json``, ``figure.svg`` and the page; return the tables.

    The records are of one kind of device, "cpu" or "cuda". A caution stands first on the page.
    The page has the errors of the predictors if ``trained-predict`` wrote them to ``out`` before.

    Raises:
        InputError: if ``out`` cannot be written to.
    """
    check_writable("out", out)
    made = tables(study, conditions, store, cells, kind)
    for name, table in made.tables.items():
        text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_atomically(out / f"{name}.csv", text.encode())
    write_atomically(out / "missing.json", (_listed(made.missing) + "\n").encode())
    if len(made.runs):
        draw(made.tables["runs"], made.tables["gaps"], out / "figure")
        shown = {**made.tables, **_written_before(out)}
        facts = _facts(study, conditions, made.runs, store)
        write_page(shown, made.missing, {**facts, "caution": caution}, out)
    return made


def _written_before(out: Path) -> dict[str, pd.DataFrame]:
    """Return the errors of the predictors, if ``trained-predict`` has written them to ``out``."""
    path = out / "predictor_errors.csv"
    return {path.stem: pd.read_csv(path)} if path.is_file() else {}


def _facts(
    study: TrainedStudy,
    conditions: Mapping[str, FeatureSet],
    runs: pd.DataFrame,
    store: RecordStore,
) -> dict[str, Any]:
    """Return what the page says of how the runs were made."""
    return {
        "features": sorted({str(features.name) for features in conditions.values()}),
        "fingerprint": {name: features.fingerprint for name, features in conditions.items()},
        "settings": sorted({str(setting) for setting in runs["setting"]}),
        "published setting": _words(study.training),
        "fixed setting": _words(FIXED.settings(study.training)),
        "tuned setting": _words(replace(study.training, **dict(study.tuning))),
        "seeds": study.seeds,
        "test_pairs": study.test_pairs,
        **record_facts(runs, store),
    }


def _words(setting: TrainingSettings) -> str:
    return (
        f"{setting.optimiser}, learning rate {setting.learning_rate:g}, batch {setting.batch_size},"
        f" up to {setting.epochs} epochs, patience {setting.patience} on dev"
        f" {setting.criterion}, threshold {_THRESHOLD[setting.threshold]}, products in"
        f" {setting.dtype}"
    )


def _listed(names: Sequence[str]) -> str:
    return json.dumps(list(names), indent=1)
