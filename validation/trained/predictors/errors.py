"""How far each predictor is from what was measured: sign, direction, points, coverage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

from fusiontheory.checks import InputError
from fusiontheory.typing import Floats
from validation.trained.predictors.table import FIRST, PLACE, records

__all__ = ["CLEAR", "error_table", "scored", "with_directions"]


CLEAR = 2.0
"""Standard errors from which a measured difference has a sign."""

# What is counted: how often right, and of how many.
_COUNTS = {"sign": "sign_clear", "rise": "rise_clear", "ratio": "ratio_of", "cover": "covered_of"}
_RIGHT = {"sign": "sign_right", "rise": "rise_right", "ratio": "ratio_right"}


def with_directions(predicted: pd.DataFrame) -> pd.DataFrame:
    """Fill in what predicted accuracies say of gaps and of 2n, where a predictor did not itself.

    ``gap_sign`` is that of `FIRST` less the head, ``rises`` that of accuracy at 2n less at n,
    ``ratio_low`` = ``ratio_high`` = gap(n) / gap(2n): each from one predictor's own accuracies,
    and missing where it lacks one of them.
    """
    parts = [_directions(part) for _, part in predicted.groupby("predictor", sort=False)]
    return pd.concat(parts, ignore_index=True) if parts else predicted


def _directions(part: pd.DataFrame) -> pd.DataFrame:
    known = part.set_index(PLACE)["predicted"].to_dict()

    def at(row: dict[str, Any], n: int, head: str) -> float:
        value = known.get((row["condition"], head, n, row["sigma"], row["side"]), np.nan)
        return float(value)

    derived = []
    for row in records(part):
        n, head = int(row["n"]), str(row["head"])
        gap, later = (at(row, m, FIRST) - at(row, m, head) for m in (n, 2 * n))
        ratio = gap / later if later else np.nan
        own = head == FIRST
        derived.append(
            {
                "gap_sign": np.nan if own else np.sign(gap),
                "rises": np.sign(at(row, 2 * n, head) - at(row, n, head)),
                "ratio_low": np.nan if own else ratio,
                "ratio_high": np.nan if own else ratio,
            }
        )
    filled = pd.DataFrame(derived, index=part.index)
    told = {name: part[name].astype(float).fillna(filled[name]) for name in filled.columns}
    return part.assign(**told)


def scored(predicted: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions with what was measured, and whether each was right.

    Args:
        predicted: columns `validation.trained.predictors.COLUMNS`.
        runs: one row per run of one setting; a NaN accuracy does not count.

    Returns:
        The rows of cells with an accuracy, with ``measured`` (mean over seeds) and ``se``,
        ``points`` (predicted less measured, in points), and 1 for right, 0 for wrong, missing
        where there is nothing to score: ``sign`` (of a gap beyond `CLEAR` standard errors over
        the seeds both heads share; a predicted gap of 0 is wrong), ``rise`` (likewise of accuracy
        from n to 2n), ``ratio`` (of gaps at n and 2n that are both clear: whether a paired t-test
        over seeds at 5 % allows gap(n) = ratio gap(2n)), ``cover`` (mean inside the interval).

    Raises:
        InputError: if a cell has two rows of one predictor.
    """
    known = runs[runs["accuracy"].notna()]
    if predicted.duplicated([*PLACE, "predictor"]).any():
        raise InputError("predicted must have one row per cell and predictor, got two of one")
    means = known.groupby(PLACE)["accuracy"].agg(measured="mean", se="sem").reset_index()
    table = with_directions(predicted).merge(means, on=PLACE, how="inner")
    by_seed = {
        place: rows.set_index("seed")["accuracy"].sort_index()
        for place, rows in known.groupby(PLACE)
    }
    empty = pd.Series(dtype=float)
    marks = []
    for row in records(table):

        def seeds(head: str, n: int, row: dict[str, Any] = row) -> pd.Series[float]:
            return by_seed.get((row["condition"], head, n, row["sigma"], row["side"]), empty)

        head, n = str(row["head"]), int(row["n"])
        gap, later = ((seeds(FIRST, m) - seeds(head, m)).dropna() for m in (n, 2 * n))
        rise = (seeds(head, 2 * n) - seeds(head, n)).dropna().to_numpy(float)
        marks.append(
            {
                "sign": _same_sign(row["gap_sign"], gap.to_numpy(float)),
                "rise": _same_sign(row["rises"], rise),
                "ratio": _ratio(row["ratio_low"], row["ratio_high"], gap, later),
                "cover": _inside(row["low"], row["measured"], row["high"]),
            }
        )
    points = 100 * (table["predicted"] - table["measured"])
    return table.assign(points=points).join(pd.DataFrame(marks, index=table.index, dtype=float))


def error_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the errors of each predictor, over all cells, by head and by condition.

    Args:
        rows: of `scored`.

    Returns:
        Columns predictor, scope ("all"; "common", the cells that every predictor with accuracies
        predicts; "head"; "condition"), of (which), cells (with a
        predicted accuracy), mean_abs_points and largest_points (by size, with its sign),
        ``*_right`` of ``*_clear`` or ``*_of`` as in `scored`, and coverage of covered_of cells.
    """
    parts = []
    known = rows[rows["points"].notna()]
    counts = known.groupby(PLACE)["predictor"].transform("nunique")
    common = known[counts == known["predictor"].nunique()][PLACE].drop_duplicates()
    for predictor, part in rows.groupby("predictor", sort=False):
        for scope, of, cells in _scopes(part, common):
            off = cells["points"].dropna()
            largest = float(off.iloc[int(off.abs().argmax())]) if len(off) else np.nan
            row = {"predictor": predictor, "scope": scope, "of": of, "cells": len(off)}
            row |= {"mean_abs_points": off.abs().mean(), "largest_points": largest}
            for mark, name in _RIGHT.items():
                row |= {name: int(cells[mark].sum()), _COUNTS[mark]: int(cells[mark].count())}
            row |= {"coverage": cells["cover"].mean(), "covered_of": int(cells["cover"].count())}
            parts.append(row)
    return pd.DataFrame(parts)


def _scopes(part: pd.DataFrame, common: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    yield "all", "", part
    yield "common", "", part.merge(common, on=PLACE)
    for scope in ("head", "condition"):
        for name, cells in part.groupby(scope):
            yield scope, str(name), cells


def _clear(difference: Floats) -> bool:
    """Return whether a difference over at least two seeds is beyond `CLEAR` standard errors."""
    return difference.size > 1 and abs(difference.mean()) > CLEAR * _error(difference)


def _error(difference: Floats) -> float:
    return float(difference.std(ddof=1) / difference.size**0.5)


def _same_sign(sign: float, difference: Floats) -> float:
    if np.isnan(sign) or not _clear(difference):
        return np.nan
    return float(sign == np.sign(difference.mean()))


def _ratio(low: float, high: float, gap: pd.Series[float], later: pd.Series[float]) -> float:
    """Return whether some ratio from low to high is allowed."""
    if np.isnan(low) or not (_clear(gap.to_numpy(float)) and _clear(later.to_numpy(float))):
        return np.nan
    left = [(gap - ratio * later).dropna().to_numpy(float) for ratio in (low, high)]
    if left[0].size < 2:
        return np.nan
    if left[0].mean() * left[1].mean() <= 0:
        return 1.0  # the measured ratio lies between
    allowed = float(t.ppf(0.975, left[0].size - 1))
    return float(any(abs(one.mean()) <= allowed * _error(one) for one in left))


def _inside(low: float, measured: float, high: float) -> float:
    return np.nan if np.isnan(low) or np.isnan(high) else float(low <= measured <= high)
