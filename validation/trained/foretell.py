"""What is predicted of the networks at the three settings, written once and before they are run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.store import check_writable, write_tables
from validation.conditions import fitted_rows
from validation.moments import condition_moments
from validation.trained.predictors import (
    PLACE,
    growth_predictions,
    optimiser_predictions,
    sharp_predictions,
)
from validation.trained.session import TrainedSession

__all__ = ["setting_predictions", "write_setting_predictions"]

_COLUMNS = ["setting", "condition", "head", "n", "predictor", "predicted", "low", "high", "by"]


def setting_predictions(session: TrainedSession) -> pd.DataFrame:
    """Return a row for each setting, condition, head, n and predictor that says something of it.

    The predictors are "best ridge" and "best accuracy", kernel ridge regression at the ridge of
    least predicted risk and of highest predicted accuracy, for the fixed and the tuned setting of
    the conditions at both ends; for all strengths of alignment "optimiser", Adam's metric and at
    the published setting the lag of the intercept behind a least-squares fit; and there "logit
    growth", its lag behind logits that go on growing.

    Args:
        session: of the study, with its features.

    Returns:
        Columns setting, condition, head, n, predictor, predicted, low, high and by, as
        ``docs/results/trained/settings/predicted.csv`` has them.
    """
    study, features = session.study, session.conditions
    heads, sizes = session.heads or study.heads, (*study.smaller, *study.sizes)
    first = next(iter(features.values()))
    images, tested = first.rows("train").size, first.rows("test").size
    moments = {
        name: condition_moments(features[name], study.strengths[name]) for name in study.ends
    }
    ends = _places(study.ends, heads, sizes)
    known = (ends, moments, study.renormalise, tested, images)
    parts = []
    for ridge in ("least-risk", "best"):
        told = sharp_predictions(*known, ridge)
        parts.append(told[told["predicted"].notna()].assign(setting="fixed and tuned"))
    rows = {
        name: features[name].rows("train") if strength else fitted_rows(features[name])
        for name, strength in study.strengths.items()
    }
    everywhere = _places(tuple(study.strengths), heads, sizes)
    for setting in ("fixed", "published"):
        told = optimiser_predictions(everywhere, features, rows, study.training, images, setting)
        parts.append(told.assign(setting=setting))
    told = growth_predictions(everywhere, features, rows, study.training, images)
    parts.append(told.assign(setting="published"))
    return pd.concat(parts, ignore_index=True)[_COLUMNS]


def write_setting_predictions(session: TrainedSession, out: Path) -> pd.DataFrame:
    """Write `setting_predictions` to ``predicted.csv``; return it.

    Args:
        session: of the study, with its features.
        out: folder of the table.

    Raises:
        InputError: if there is a ``predicted.csv``, which is never replaced, or ``out`` cannot be
            written to.
    """
    path = out / "predicted.csv"
    if path.exists():
        raise InputError(
            f"out must have no predicted.csv, predictions are not replaced; {path} is there: name"
            " another folder and compare"
        )
    check_writable("out", out)
    table = setting_predictions(session)
    write_tables(out, {path.stem: table})
    return table


def _places(
    conditions: tuple[str, ...], heads: tuple[str, ...], sizes: tuple[int, ...]
) -> pd.DataFrame:
    rows = [(name, head, n, 0.0, "both") for name in conditions for head in heads for n in sizes]
    return pd.DataFrame(rows, columns=PLACE)
