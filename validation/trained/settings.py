"""The stored predictions and the forecasts held against the runs at the three settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.curves import forecast_trained, predict_curve
from fusiontheory.moments import Moments
from fusiontheory.stats import extrapolate_with_error
from fusiontheory.store import check_writable, write_tables
from validation.moments import condition_moments
from validation.trained.bars import bar_table, gap_table, linear_table
from validation.trained.earlier import joined_runs, repeated_runs
from validation.trained.lazy import lazy_table
from validation.trained.predictors import (
    COLUMNS,
    PLACE,
    adam_kernel_curves,
    error_table,
    feature_learning_curve,
    forecast_errors,
    forecast_table,
    growth_predictions,
    optimiser_predictions,
    scored,
    tangent_curve,
)
from validation.trained.session import TrainedSession

__all__ = ["setting_errors", "write_settings"]

_TIMED = ("bilinear", "concat-mlp")


def setting_errors(predicted: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return the errors of each stored predictor at each setting, as `error_table` gives them.

    Args:
        predicted: columns setting (one, or several joined by "and"), condition, head, n, predictor,
            predicted, low, high and by.
        runs: one row per run without noise, with a column setting.
    """
    parts = []
    for setting, own in runs.groupby("setting", sort=False):
        mine = predicted[predicted["setting"].str.contains(rf"\b{setting}\b", regex=True)]
        if mine.empty:
            continue
        table = mine.assign(sigma=0.0, side="both").reindex(columns=COLUMNS)
        wrong = error_table(scored(table, own))
        parts.append(wrong.assign(setting=setting))
    if not parts:
        return pd.DataFrame()
    return pd.concat(parts, ignore_index=True).set_index("setting").reset_index()


def write_settings(session: TrainedSession, out: Path, *, smaller: bool = False) -> pd.DataFrame:
    """Write errors, forecasts, their errors and what a prediction costs; return the errors.

    They are ``measured.csv`` (mean over seeds of each cell, and where it was run), ``errors.csv``,
    ``between.csv`` (of strengths of alignment between, at the published setting),
    ``forecasts.csv``, ``forecast_errors.csv``, ``bars.csv``, ``gap_signs.csv`` (what was asked and
    what was found, with intervals over seeds) and ``cost.csv``; with
    ``adam_kernel.csv`` also ``lazy.csv``, with ``best_kernels.csv`` also ``linear_heads.csv``, with
    ``earlier_runs.csv`` also ``repeated.csv``. Cells that ``runs.csv`` lacks are those of earlier
    runs (`joined_runs`).

    Args:
        session: of the study, whose features the forecasts start from.
        out: folder with ``runs.csv`` of ``trained-report`` and the stored ``predicted.csv``.
        smaller: whether a table may take the place of one that holds more.

    Raises:
        InputError: if one of them is not there, ``out`` cannot be written to, or a table would lose
            rows or numbers (`fusiontheory.store.write_tables`).
    """
    for name in ("runs.csv", "predicted.csv"):
        if not (out / name).is_file():
            raise InputError(f"out must hold {name}; {out / name} is not there")
    check_writable("out", out)
    clean = _clean_runs(out)
    between = clean["condition"].isin({*session.study.strengths} - {*session.study.ends})
    predicted = pd.read_csv(out / "predicted.csv")
    apart = _distances(predicted, clean[between])
    clean = clean[~between]
    errors = setting_errors(predicted, clean)
    strengths = {name: session.study.strengths.get(name) for name in clean["condition"].unique()}
    moments = {
        str(name): condition_moments(session.conditions[str(name)], strength)
        for name, strength in strengths.items()
    }
    images = next(iter(session.conditions.values())).rows("train").size
    forecasts = forecast_table(clean, moments, images)
    place = ["setting", "condition", "head", "n", "from"]
    measured = clean.groupby(place)["accuracy"].agg(["count", "mean", "sem"]).reset_index()
    measured = measured.rename(columns={"count": "seeds", "mean": "accuracy", "sem": "se"})
    tables = {"measured": measured, "errors": errors, "forecasts": forecasts}
    if len(apart):
        tables["between"] = apart
    if len(repeated := repeated_runs(out)):
        tables["repeated"] = repeated
    tables["forecast_errors"] = forecast_errors(forecasts)
    tables |= {"bars": bar_table(clean, predicted), "gap_signs": gap_table(clean, predicted)}
    if (kernels := out / "adam_kernel.csv").is_file():
        tables["lazy"] = lazy_table(pd.read_csv(kernels), measured)
    if (best := out / "best_kernels.csv").is_file():
        tables["linear_heads"] = linear_table(pd.read_csv(best), clean)
    tables["cost"] = _cost(session, images)
    write_tables(out, tables, smaller=smaller)
    return errors


def _clean_runs(out: Path) -> pd.DataFrame:
    """Return the runs without noise and control, with those that are not run anew."""
    runs = joined_runs(out)
    clean = runs[(runs["sigma"] == 0) & ~runs["condition"].str.contains("rotated|shuffled")]
    return clean.reset_index(drop=True)


def _distances(predicted: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return predicted, measured and their distance in points of each cell of the runs."""
    place = ["setting", "condition", "head", "n"]
    means = runs.groupby(place)["accuracy"].mean().rename("measured").reset_index()
    both = predicted[[*place, "predictor", "predicted"]].merge(means, on=place)
    return both.assign(points=100 * (both["predicted"] - both["measured"]))


def _three_runs_on(sizes: list[int]) -> None:
    """Carry three made-up accuracies on to the other sizes."""
    first = np.array(sizes[:3], dtype=float)
    for n in sizes[3:]:
        extrapolate_with_error(first, np.array([0.6, 0.7, 0.75]), np.full(3, 1e-3), float(n))


def _cost(session: TrainedSession, images: int) -> pd.DataFrame:
    """Return processor seconds of each predictor, from features to a curve at all sizes.

    The features of the first gradient need labelled pairs and are timed at one size.
    """
    study = session.study
    name = study.ends[-1]
    features = session.conditions[name]
    rows = features.rows("train")
    sizes = [*study.smaller, *study.sizes]

    def moments() -> Moments:
        return Moments.from_features(features.image[rows], features.text[rows])

    parts = []
    for head in _TIMED:
        # Only the time counts here, so the three small runs are made up.
        runs = pd.DataFrame({"head": head, "n": sizes[:3], "accuracy": 0.7})
        places = pd.DataFrame([(name, head, n, 0.0, "both") for n in sizes], columns=PLACE)
        known = (study.training, images)
        ways: dict[str, Callable[[], object]] = {
            "best ridge": partial(
                lambda head: predict_curve(head, moments(), sizes, "best", training_images=images),
                head,
            ),
            "optimiser": partial(
                optimiser_predictions, places, {name: features}, {name: rows}, *known, "published"
            ),
            "logit growth": partial(
                growth_predictions, places, {name: features}, {name: rows}, *known
            ),
            "forecast": partial(
                lambda runs: forecast_trained(moments(), runs, sizes[2:], training_images=images),
                runs,
            ),
            "own kernel": partial(adam_kernel_curves, head, features, sizes, study.training),
            "stored tangent kernel": partial(tangent_curve, head, features, sizes, study.training),
            "power law": partial(_three_runs_on, sizes),
        }
        for predictor, way in ways.items():
            start = process_time()
            way()
            parts.append((predictor, head, len(sizes), process_time() - start))
    start = process_time()
    feature_learning_curve(features, study, study.small, 0)
    parts.append(("first gradient", "concat-mlp", 1, process_time() - start))
    return pd.DataFrame(parts, columns=["predictor", "head", "sizes", "seconds"])
