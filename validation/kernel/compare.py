"""Predictions beside measurements: the tables of the report, from stored records alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.heads import GAP_HEADS
from fusiontheory.store import Cell, RecordStore
from fusiontheory.typing import Array
from validation.kernel.cells import measured_cells, predicted_cells, search_cells
from validation.kernel.predict import FULL_THEORY, TERMS
from validation.kernel.search import chosen_ridges
from validation.kernel.study import Study

__all__ = ["Comparison", "MissingRecords", "compare"]

_RESAMPLES = 2000


class MissingRecords(InputError):
    """A store that does not hold all the records of a study."""


@dataclass(frozen=True)
class Comparison:
    """The tables of the report; accuracies are between 0 and 1.

    Attributes:
        comparison: condition, head, n, seeds, measured, measured_se (standard error over seeds),
            predicted, predicted_low, predicted_high, trusted (whether the features are of the
            kind on which predictions were seen to hold), predicted_ridge and ridge: the ridges
            that the prediction and the measurement took.
        curves: condition, head, n, risk, accuracy, accuracy_low, accuracy_high, trusted, as
            predicted.
        gaps: condition, n, seeds, measured_gap, measured_gap_se (paired by seed),
            predicted_gap.
        crossovers: condition, measured, measured_low, measured_high, predicted: the n at which
            the gap changes sign for the last time, NaN if it does not.
        terms: condition, head, term, mean_absolute_error of the theory's terms so far.
        ridges: condition, head, seed, n, at_ridge, accuracy, risk: the search on dev pairs; empty
            where the ridge was given.
    """

    comparison: pd.DataFrame
    curves: pd.DataFrame
    gaps: pd.DataFrame
    crossovers: pd.DataFrame
    terms: pd.DataFrame
    ridges: pd.DataFrame


def compare(study: Study, fingerprints: Mapping[str, str], store: RecordStore) -> Comparison:
    """Read the records of the study and lay predictions beside measurements.

    Args:
        study: as it was run.
        fingerprints: of the features, by condition.
        store: with all its records.

    Raises:
        MissingRecords: if not all are there.
        InputError: if a record is corrupt; it is named.
    """
    ridges = _ridges(study, fingerprints, store)
    chosen = None if ridges.empty else chosen_ridges(ridges, study.sizes)
    measured = _read(store, measured_cells(study, fingerprints, chosen))
    predicted = _read(store, predicted_cells(study, fingerprints))
    curves = predicted[predicted["term"] == FULL_THEORY]
    # Conditions and heads in the order of the study, not of the alphabet.
    order = [(c, h) for c in study.strengths for h in study.heads_of(c)]
    comparison = _comparison(measured, curves, order)
    comparison["ridge"] = _measured_at(study, comparison, chosen)
    gaps = _gaps(measured, comparison, list(study.strengths))
    columns = ["condition", "head", "n", "risk"]
    columns += ["accuracy", "accuracy_low", "accuracy_high", "trusted"]
    return Comparison(
        comparison=comparison,
        curves=_in_order(curves[columns], order),
        gaps=gaps,
        crossovers=_crossovers(measured, curves, list(study.strengths)),
        terms=_terms(comparison, predicted, order),
        ridges=ridges,
    )


def _ridges(study: Study, fingerprints: Mapping[str, str], store: RecordStore) -> pd.DataFrame:
    """Return the search for the best ridge; no row where the ridge was given."""
    columns = ["condition", "head", "seed", "n", "at_ridge", "accuracy", "risk"]
    cells = search_cells(study, fingerprints)
    if not cells:
        return pd.DataFrame(columns=columns)
    return _read(store, cells)[columns]


def _read(store: RecordStore, cells: list[Cell]) -> pd.DataFrame:
    missing = len(store.missing(cells))
    if missing:
        raise MissingRecords(
            f"store must hold the {len(cells)} {cells[0].study} records of these settings, got"
            f" {len(cells) - missing}; python -m validation run makes the others"
        )
    return store.read(cells[0].study, cells)


def _in_order(table: pd.DataFrame, order: list[tuple[str, str]]) -> pd.DataFrame:
    parts = [
        table[(table["condition"] == condition) & (table["head"] == head)].sort_values("n")
        for condition, head in order
    ]
    return pd.concat(parts, ignore_index=True)


def _comparison(
    measured: pd.DataFrame, curves: pd.DataFrame, order: list[tuple[str, str]]
) -> pd.DataFrame:
    grouped = measured.groupby(["condition", "head", "n"])["accuracy"]
    table = grouped.agg(seeds="count", measured="mean", measured_se="sem").reset_index()
    names = {
        "accuracy": "predicted",
        "accuracy_low": "predicted_low",
        "accuracy_high": "predicted_high",
        "trusted": "trusted",
        "at_ridge": "predicted_ridge",
    }
    known = curves.rename(columns=names)[["condition", "head", "n", *names.values()]]
    return _in_order(table.merge(known, on=["condition", "head", "n"], validate="1:1"), order)


def _measured_at(
    study: Study, comparison: pd.DataFrame, chosen: Mapping[tuple[str, str], list[float]] | None
) -> list[float]:
    """Return the ridge that each row was measured with."""
    if chosen is None:
        return [float(study.ridge)] * len(comparison)
    places = zip(comparison["condition"], comparison["head"], comparison["n"], strict=True)
    return [chosen[str(c), str(h)][study.sizes.index(int(n))] for c, h, n in places]


def _paired(measured: pd.DataFrame, condition: str) -> pd.DataFrame:
    """Return the gap of each seed (rows) at each n (columns); pairs are the same for both."""
    part = measured[measured["condition"] == condition]
    accuracy = part.pivot(index=["seed", "n"], columns="head", values="accuracy")
    if not set(GAP_HEADS) <= set(accuracy.columns):
        return pd.DataFrame()
    return (accuracy[GAP_HEADS[0]] - accuracy[GAP_HEADS[1]]).unstack("n")


def _gaps(measured: pd.DataFrame, comparison: pd.DataFrame, conditions: list[str]) -> pd.DataFrame:
    rows = []
    for condition in conditions:
        paired = _paired(measured, condition)
        part = comparison[comparison["condition"] == condition]
        by_head = part.pivot(index="n", columns="head", values="predicted")
        predicted = (
            {} if paired.empty else (by_head[GAP_HEADS[0]] - by_head[GAP_HEADS[1]]).to_dict()
        )
        for n in paired.columns:
            rows.append(
                {
                    "condition": condition,
                    "n": int(n),
                    "seeds": len(paired),
                    "measured_gap": paired[n].mean(),
                    "measured_gap_se": paired[n].sem(),
                    "predicted_gap": predicted[n],
                }
            )
    columns = ["condition", "n", "seeds", "measured_gap", "measured_gap_se", "predicted_gap"]
    return pd.DataFrame(rows, columns=columns)


def _crossovers(
    measured: pd.DataFrame, curves: pd.DataFrame, conditions: list[str]
) -> pd.DataFrame:
    rows = []
    rng = np.random.default_rng(0)
    for condition in conditions:
        paired = _paired(measured, condition)
        if paired.empty:
            continue
        sizes, gaps = paired.columns.to_numpy(float), paired.to_numpy()
        picks = rng.integers(len(gaps), size=(_RESAMPLES, len(gaps)))
        resampled = np.array([crossing(sizes, gaps[pick].mean(axis=0)) for pick in picks])
        # A resample without a crossing has it beyond the sizes measured.
        low, high = np.quantile(
            np.nan_to_num(resampled, nan=np.inf), [0.025, 0.975], method="lower"
        )
        part = curves[curves["condition"] == condition]
        curve = part.pivot(index="n", columns="head", values="accuracy").dropna()
        predicted = (curve[GAP_HEADS[0]] - curve[GAP_HEADS[1]]).to_numpy()
        rows.append(
            {
                "condition": condition,
                "measured": crossing(sizes, gaps.mean(axis=0)),
                "measured_low": low if np.isfinite(low) else np.nan,
                "measured_high": high if np.isfinite(high) else np.nan,
                "predicted": crossing(curve.index.to_numpy(float), predicted),
            }
        )
    columns = ["condition", "measured", "measured_low", "measured_high", "predicted"]
    return pd.DataFrame(rows, columns=columns)


def crossing(sizes: Array, gap: Array) -> float:
    """Return the n of the last change of sign, linear in log n between sizes; NaN without one."""
    changes = np.flatnonzero(np.sign(gap[:-1]) * np.sign(gap[1:]) < 0)
    if not changes.size:
        return float("nan")
    k = changes[-1]
    share = gap[k] / (gap[k] - gap[k + 1])
    return float(sizes[k] * (sizes[k + 1] / sizes[k]) ** share)


def _terms(
    comparison: pd.DataFrame, predicted: pd.DataFrame, order: list[tuple[str, str]]
) -> pd.DataFrame:
    keys = ["condition", "head", "n"]
    table = predicted.merge(comparison[[*keys, "measured"]], on=keys, validate="m:1")
    table["error"] = (table["accuracy"] - table["measured"]).abs()
    mean = table.groupby(["condition", "head", "term"])["error"].mean()
    rows = [
        {
            "condition": condition,
            "head": head,
            "term": term,
            "mean_absolute_error": float(mean[condition, head, term]),
        }
        for condition, head in order
        for term in TERMS
    ]
    return pd.DataFrame(rows)
