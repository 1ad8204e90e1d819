"""Tables of the runs: gaps of concatenation to every other head, their scaling, trend, power."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusiontheory.stats import (
    crossed_gap,
    gap_trend,
    holm,
    paired_gap,
    scaling_exponent,
    seeds_needed,
)
from fusiontheory.training import unpack_right
from fusiontheory.typing import Integers
from validation.claims import SWEEP_SIGMAS

__all__ = ["FIRST", "RUN_COLUMNS", "gap_table", "power_table", "scaling_table", "trend_table"]

FIRST = "concat-mlp"
"""The head that a gap starts from: its accuracy less that of another."""

RUN_COLUMNS = [
    *("setting", "condition", "n", "head", "seed", "sigma", "side"),
    *("accuracy", "dev_accuracy", "train_accuracy", "epoch", "epochs", "updates"),
    *("learning_rate", "weight_decay", "init_scale", "gradient_start", "gradient_end"),
    *("seconds", "parameters", "diverged"),
]
"""Of the table of runs; accuracy is that on the test pairs."""

_PLACE = ["setting", "condition", "sigma", "side", "n"]
_GAP_COLUMNS = [
    *(*_PLACE, "first", "second", "seeds", "gap", "sd", "low", "high", "p_value"),
    *("crossed_low", "crossed_high", "crossed_p", "seed_se", "image_se"),
    *("p_holm", "crossed_p_holm"),
]
_EXPONENTS = (-1.0, -0.5, 0.0)


def gap_table(runs: pd.DataFrame, images: Integers) -> pd.DataFrame:
    """Return the gap of `FIRST` to every other head in each condition, n and noise.

    Args:
        runs: of `recorded_runs`; those that diverged do not count.
        images: row of the image of each test pair.

    Returns:
        ``seeds`` shared by both heads; ``gap`` with ``low``, ``high`` and ``p_value`` of the
        paired t over seeds; ``crossed_low``, ``crossed_high``, ``crossed_p`` of the bootstrap over
        seeds and test images; ``p_holm`` and ``crossed_p_holm``, corrected over all rows.
        Gaps are fractions, intervals hold 95 %. Without rows where no gap has two seeds.
    """
    rows = []
    for place, head, first, other in _paired(runs):
        if len(first) < 2:
            continue
        plain = paired_gap(first["accuracy"], other["accuracy"])
        crossed = crossed_gap(_right(first), _right(other), images)
        rows.append(
            {
                **place,
                "first": FIRST,
                "second": head,
                "seeds": plain.seeds,
                **{name: getattr(plain, name) for name in ("gap", "sd", "low", "high", "p_value")},
                **{f"crossed_{name}": getattr(crossed, name) for name in ("low", "high")},
                "crossed_p": crossed.p_value,
                "seed_se": crossed.seed_se,
                "image_se": crossed.image_se,
            }
        )
    if not rows:
        return pd.DataFrame(columns=_GAP_COLUMNS)
    table = pd.DataFrame(rows)
    for p in ("p_value", "crossed_p"):
        name = "p_holm" if p == "p_value" else f"{p}_holm"
        table[name] = holm(table, p)["p_holm"]
    return table


def scaling_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the exponent of the gap in n without noise, against -1, -1/2 and 0."""
    rows = []
    for place, gaps in _series(runs[runs["sigma"] == 0], "n"):
        if min(gaps.shape) < 2:
            continue
        scaling = scaling_exponent(gaps.to_numpy(), gaps.columns.to_numpy(float), _EXPONENTS)
        row: dict[str, Any] = {**place, "sizes": scaling.sizes, "seeds": scaling.seeds}
        row |= {name: getattr(scaling, name) for name in ("exponent", "low", "high", "residual")}
        row |= {"one_sign": scaling.one_sign}
        row |= {f"p_of_{exponent:g}": p for exponent, p in scaling.p_values.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def trend_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the slope of the gap in sigma, from 0 to 0.1, by side of the noise.

    The gap without noise is the first point of every side.
    """
    rows = []
    # Rounding of stored sigmas is no other sigma.
    swept = runs[runs["sigma"] <= max(SWEEP_SIGMAS) + 1e-9]
    noisy = swept[swept["sigma"] > 0]
    for (side, n), part in noisy.groupby(["side", "n"]):
        clean = swept[(swept["sigma"] == 0) & (swept["n"] == n)]
        for place, gaps in _series(pd.concat([clean, part]), "sigma"):
            if len(gaps) < 2 or gaps.shape[1] < 3:
                continue
            trend = gap_trend(gaps.to_numpy(), gaps.columns.to_numpy(float))
            row: dict[str, Any] = {**place, "side": side, "n": n}
            row |= {"sigmas": trend.levels, "seeds": trend.seeds}
            row |= {name: getattr(trend, name) for name in ("slope", "low", "high", "p_value")}
            rows.append(row | {"permutation_p": trend.permutation_p})
    return pd.DataFrame(rows)


def power_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return how many seeds see a gap of 1 point with power 0.8, from the spread over seeds."""
    rows = []
    for place, head, first, other in _paired(runs[runs["sigma"] == 0]):
        if len(first) < 2:
            continue
        need = seeds_needed(first["accuracy"].to_numpy() - other["accuracy"].to_numpy())
        power = {name: getattr(need, name) for name in ("sd", "seeds", "low", "high")}
        rows.append({**place, "second": head, "pilot_seeds": len(first), **power})
    return pd.DataFrame(rows)


def _paired(
    runs: pd.DataFrame,
) -> Iterator[tuple[dict[str, Any], str, pd.DataFrame, pd.DataFrame]]:
    """Yield place, other head, and the runs of both heads on the seeds that they share."""
    for place, part in runs[runs["accuracy"].notna()].groupby(_PLACE, sort=True):
        by_head = {str(head): rows.set_index("seed") for head, rows in part.groupby("head")}
        if FIRST not in by_head:
            continue
        for head, rows in by_head.items():
            if head != FIRST:
                seeds = by_head[FIRST].index.intersection(rows.index).sort_values()
                told = dict(zip(_PLACE, place, strict=True))
                yield told, head, by_head[FIRST].loc[seeds], rows.loc[seeds]


def _series(runs: pd.DataFrame, axis: str) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """Yield setting, condition and other head with the gap of each seed along the axis.

    Gaps are (seeds, levels). A level enters only if both heads have it, a seed only if it has
    every level.
    """
    known = runs[runs["accuracy"].notna()]
    for (setting, condition), part in known.groupby(["setting", "condition"]):
        table = part.pivot_table(index=["seed", axis], columns="head", values="accuracy")
        if FIRST not in table.columns:
            continue
        for head in table.columns:
            if head != FIRST:
                gaps = (table[FIRST] - table[head]).dropna().unstack(axis)
                place = {"setting": str(setting), "condition": str(condition), "second": str(head)}
                yield place, gaps.dropna(axis=0)


def _right(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether each test pair is right, (seeds, pairs)."""
    packed = zip(rows["test_right"], rows["test_pairs"], strict=True)
    return np.stack([unpack_right(text, int(pairs)) for text, pairs in packed])
