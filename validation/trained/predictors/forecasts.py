"""Theory and three small runs against a power law through the same runs, at 2, 4 and 8 times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from fusiontheory.curves import forecast_trained
from fusiontheory.moments import Moments
from fusiontheory.stats import extrapolate_with_error

__all__ = ["forecast_errors", "forecast_table"]

SIZES = 3
"""Sizes that a forecast starts from: neighbours among those measured."""

MOST = 8
"""Times the largest of them that is forecast."""

_LEAST_ERROR = 1e-4


def forecast_table(
    runs: pd.DataFrame, moments: Mapping[str, Moments], training_images: int
) -> pd.DataFrame:
    """Return both forecasts of each setting, condition, head and n that three smaller sizes have.

    Args:
        runs: one row a run without noise: setting, condition, head, n, seed, accuracy. A run
            without an accuracy does not count.
        moments: of the training images, by condition.
        training_images: that the pairs are drawn from.

    Returns:
        Columns setting, condition, head, first and last (smallest and largest n of the runs), n,
        times (n over last), seeds, measured, se, forecast, low, high, shape and power_law.
    """
    rows = []
    known = runs[runs["accuracy"].notna()]
    for _, part in known.groupby(["setting", "condition"], sort=False):
        setting, condition = (str(part[name].iloc[0]) for name in ("setting", "condition"))
        sizes = sorted({int(n) for n in part["n"]})
        for k in range(len(sizes) - SIZES):
            start = sizes[k : k + SIZES]
            ahead = [n for n in sizes[k + SIZES :] if n <= MOST * start[-1]]
            rows += (
                _from(part, start, ahead, moments[condition], training_images)
                .assign(setting=setting, condition=condition)
                .to_dict("records")
            )
    order = ["setting", "condition", "head", "first", "last", "n", "times", "seeds"]
    order += ["measured", "se", "forecast", "low", "high", "shape", "power_law"]
    return pd.DataFrame(rows, columns=order)


def _from(
    runs: pd.DataFrame,
    start: list[int],
    ahead: list[int],
    moments: Moments,
    training_images: int,
) -> pd.DataFrame:
    counts = runs[runs["n"].isin(start)].groupby("head")["n"].nunique()
    heads = sorted(counts[counts == SIZES].index)
    mine = runs[runs["head"].isin(heads)]
    before = mine[mine["n"].isin(start)][["head", "n", "accuracy", "seed"]]
    told = forecast_trained(moments, before, ahead, training_images=training_images)
    told = told.set_index(["head", "n"])
    means = mine.groupby(["head", "n"])["accuracy"].agg(["count", "mean", "sem"])
    rows: list[dict[str, Any]] = []
    for head in heads:
        for n in ahead:
            if (head, n) not in means.index:
                continue
            at, one = means.loc[(head, n)], told.loc[(head, n)]
            rows.append(
                {
                    **{"head": head, "first": start[0], "last": start[-1], "n": n},
                    **{"times": n / start[-1], "seeds": int(at["count"])},
                    **{"measured": at["mean"], "se": at["sem"], "forecast": one["accuracy"]},
                    **{"low": one["accuracy_low"], "high": one["accuracy_high"]},
                    **{"shape": one["shape"], "power_law": _power_law(means.loc[head], start, n)},
                }
            )
    return pd.DataFrame(rows)


def _power_law(means: pd.DataFrame, start: list[int], n: int) -> float:
    before = means.loc[start]
    error = np.maximum(before["sem"].fillna(0).to_numpy(float), _LEAST_ERROR)
    sizes = np.array(start, dtype=float)
    return extrapolate_with_error(sizes, before["mean"].to_numpy(float), error, float(n))[0]


def forecast_errors(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean absolute errors in points of both, by times and head, and over all heads.

    Args:
        table: of `forecast_table`.

    Returns:
        Columns setting, times, head ("all" for all of them), cells, forecast_points,
        power_law_points, ratio, difference (forecast less power law) with its standard error over
        cells, and coverage (of the forecast's interval, the measurement's two standard errors
        allowed). "all" stands in setting and times too.
    """
    off = table.assign(
        forecast_points=100 * (table["forecast"] - table["measured"]).abs(),
        power_law_points=100 * (table["power_law"] - table["measured"]).abs(),
        inside=(table["measured"] >= table["low"] - 2 * table["se"].fillna(0))
        & (table["measured"] <= table["high"] + 2 * table["se"].fillna(0)),
    )
    whole = [off.assign(**dict.fromkeys(names, "all")) for names in _MARGINS]
    parts = pd.concat([off.astype({"times": object}), *whole], ignore_index=True)
    rows = []
    for (setting, times, head), part in parts.groupby(["setting", "times", "head"], sort=False):
        difference = part["forecast_points"] - part["power_law_points"]
        ours, theirs = part["forecast_points"].mean(), part["power_law_points"].mean()
        rows.append(
            {
                **{"setting": setting, "times": times, "head": head, "cells": len(part)},
                **{"forecast_points": ours, "power_law_points": theirs, "ratio": ours / theirs},
                **{"difference": difference.mean(), "difference_se": difference.sem()},
                "coverage": part["inside"].mean(),
            }
        )
    return pd.DataFrame(rows)


_MARGINS = (
    ("head",),
    ("times",),
    ("times", "head"),
    ("setting",),
    ("setting", "head"),
    ("setting", "times"),
    ("setting", "times", "head"),
)
