"""How surely the errors of predictors stay within what was asked: intervals over seeds.

A seed draws training pairs, weights and the order of pairs, and its pairs are the same in all
cells. So seeds are drawn anew with replacement, the same ones for all cells, and every mean and
every error is formed again. Of k seeds the deviations are widened by (k / (k - 1))^{1/2}, which
makes their variance that of a mean. Test images are the same for all seeds: what they add is not
in these intervals.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from fusiontheory.typing import Array

__all__ = ["BARS", "Bar", "bar_table", "gap_table", "linear_table"]


class Bar(NamedTuple):
    """What was asked of a predictor.

    Attributes:
        setting: "published", "fixed" or "tuned".
        predictor: of the stored predictions.
        head: its name.
        condition: its name, or "both".
        what: "mean" or "largest" of the distances over n from 2048.
        asked: at most so many points.
    """

    setting: str
    predictor: str
    head: str
    condition: str
    what: str
    asked: float


BARS = (
    Bar("tuned", "best ridge", "bilinear", "both", "mean", 0.4),
    Bar("tuned", "best accuracy", "bilinear", "both", "mean", 0.4),
    Bar("tuned", "best accuracy", "bilinear", "both", "largest", 1.0),
    Bar("tuned", "best accuracy", "concat-mlp", "aligned", "mean", 0.7),
    Bar("tuned", "best accuracy", "concat-mlp", "unaligned", "mean", 2.0),
    Bar("fixed", "optimiser", "bilinear", "both", "mean", 1.0),
    Bar("fixed", "optimiser", "concat-mlp", "both", "mean", 1.0),
    Bar("published", "optimiser", "bilinear", "both", "mean", 1.5),
    Bar("published", "optimiser", "concat-mlp", "both", "mean", 1.5),
    Bar("published", "logit growth", "bilinear", "both", "mean", 1.5),
)
"""Those of accuracy; a setting has one predictor that is meant for it, "tuned" and "published" an
earlier one too."""

_PLACE = ["condition", "head", "n"]
_HEADS = ("bilinear", "concat-mlp")
_SMALLEST = 2048
_RESAMPLES = 4000
_LEVEL = (2.5, 97.5)
_CLEAR = 2.0


def bar_table(runs: pd.DataFrame, predicted: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return what was asked and what was found of each of `BARS`, with an interval.

    Args:
        runs: one row per run without noise: setting, condition, head, n, seed, accuracy.
        predicted: setting (one, or several joined by "and"), condition, head, n, predictor and
            predicted.
        seed: of the resampling.

    Returns:
        The fields of `Bar`, cells, found (points), low and high (95 % over seeds) and within, the
        share of resamples that are at most what was asked.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for bar in BARS:
        per_seed, told = _cells(runs, predicted, bar)
        if not len(told):
            continue
        off = 100 * (told - np.nanmean(per_seed, axis=1))
        again = 100 * (told - _resampled(per_seed, rng))
        reduce = np.mean if bar.what == "mean" else np.max
        found, drawn = reduce(np.abs(off)), reduce(np.abs(again), axis=1)
        low, high = np.percentile(drawn, _LEVEL)
        within = float((drawn <= bar.asked).mean())
        rows.append((*bar, len(off), float(found), float(low), float(high), within))
    columns = [*Bar._fields, "cells", "found", "low", "high", "within"]
    return pd.DataFrame(rows, columns=columns)


def gap_table(runs: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Return the gap, concat-mlp less bilinear, of each cell of `BARS`' settings, in points.

    Returns:
        setting, predictor, condition, n, measured, se (over seeds that both heads share), predicted
        and verdict: "right" or "wrong" sign, or "not clear" within two standard errors.
    """
    rows = []
    for setting, predictor in dict.fromkeys((bar.setting, bar.predictor) for bar in BARS):
        told = _told(predicted, setting, predictor)
        accuracy = runs[runs["setting"] == setting].pivot_table("accuracy", _PLACE, "seed")
        if not {*_HEADS} <= {*accuracy.index.get_level_values("head")}:
            continue
        gaps, expected = (
            100 * (x.xs(_HEADS[1], level="head") - x.xs(_HEADS[0], level="head"))
            for x in (accuracy, told)
        )
        for place in gaps.index.intersection(expected.index):
            mean, se = float(gaps.loc[place].mean()), float(gaps.loc[place].sem())
            wanted = float(expected.loc[place])
            verdict = "right" if np.sign(mean) == np.sign(wanted) else "wrong"
            verdict = verdict if abs(mean) > _CLEAR * se else "not clear"
            rows.append((setting, predictor, *place, mean, se, wanted, verdict))
    names = ["setting", "predictor", "condition", "n", "measured", "se", "predicted", "verdict"]
    return pd.DataFrame(rows, columns=names)


def linear_table(kernels: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return tuned runs less the kernel ridge regression of the same pairs, in points.

    Args:
        kernels: condition, head, n, seed and accuracy, at the ridge that is best on dev pairs.
        runs: as for `bar_table`.

    Returns:
        A row per head, condition and n: seeds, kernel, tuned (per cent, means over the seeds that
        both have) and off (tuned less kernel, points).
    """
    place = [*_PLACE, "seed"]
    tuned = runs[runs["setting"] == "tuned"]
    both = kernels[[*place, "accuracy"]].merge(
        tuned[[*place, "accuracy"]], on=place, suffixes=("_kernel", "_tuned")
    )
    means = 100 * both.groupby(_PLACE)[["accuracy_kernel", "accuracy_tuned"]].mean()
    means.columns = pd.Index(["kernel", "tuned"])
    means.insert(0, "seeds", both.groupby(_PLACE)["seed"].nunique())
    return means.assign(off=means["tuned"] - means["kernel"]).reset_index()


def _told(predicted: pd.DataFrame, setting: str, predictor: str) -> pd.Series[float]:
    mine = predicted["setting"].str.contains(rf"\b{setting}\b", regex=True)
    rows = predicted[mine & (predicted["predictor"] == predictor)]
    return rows.set_index(_PLACE)["predicted"]


def _cells(runs: pd.DataFrame, predicted: pd.DataFrame, bar: Bar) -> tuple[Array, Array]:
    """Return accuracies (cells, seeds), NaN where a seed was not run, and predicted ones."""
    mine = (runs["setting"] == bar.setting) & (runs["head"] == bar.head)
    mine &= runs["n"] >= _SMALLEST
    if bar.condition != "both":
        mine &= runs["condition"] == bar.condition
    per_seed = runs[mine].pivot_table("accuracy", _PLACE, "seed")
    told = _told(predicted, bar.setting, bar.predictor).reindex(per_seed.index)
    kept = told.notna().to_numpy()
    accuracy = np.asarray(per_seed, dtype=np.float64)[kept]
    return accuracy, np.asarray(told, dtype=np.float64)[kept]


def _resampled(per_seed: Array, rng: np.random.Generator) -> Array:
    """Return means over seeds that are drawn anew, (resamples, cells)."""
    there = np.isfinite(per_seed)
    count = there.sum(axis=1)
    mean = np.nanmean(per_seed, axis=1)
    off = np.where(there, per_seed - mean[:, None], 0.0)
    drawn = rng.multinomial(
        per_seed.shape[1], np.full(per_seed.shape[1], 1 / per_seed.shape[1]), _RESAMPLES
    )
    # A cell that lacks the seeds that are drawn stands with its mean.
    weights = drawn @ there.T
    moved = (drawn @ off.T) / np.maximum(weights, 1)
    widened: Array = mean + moved * np.sqrt(count / np.maximum(count - 1, 1))
    return widened
