"""The numbers of the prediction and of the verdict, from the stored tables alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.degradation.config import Config

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["changes", "levels", "summary", "trends", "verdict"]

_KEYS = ["target", "degradation", "level", "n", "first", "second"]
# In units of the standard error of the measured change.
_CLEAR = 2.0
# Changes of the risk below this are no trend; risks are of order 1.
SMALL = 0.005


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    return verdict(Config(), tables["predictions.csv"], tables.get("results.csv"))


def trends(config: Config, predicted: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """Return predicted and measured changes of the gap at the largest level, with their signs.

    A predicted sign is 0 below `SMALL`. A measured one is 0 below `SMALL` or two standard errors.
    """
    both = measured.merge(predicted, on=_KEYS, suffixes=("", "_predicted"), validate="one_to_one")
    largest = {kind: levels[-1] for kind, levels in config.levels}
    both = both[both["level"] == both["degradation"].map(largest)].copy()
    both["expected"] = np.where(
        both["change_predicted"].abs() < SMALL, 0, np.sign(both["change_predicted"])
    )
    unclear = both["change"].abs() < np.maximum(SMALL, _CLEAR * both["change_se"])
    both["found"] = np.where(unclear, 0, np.sign(both["change"]))
    return both.reset_index(drop=True)


def changes(tables: Tables) -> pd.DataFrame:
    """Return `trends` of the stored tables.

    With `pair` (first less second), `right`, `off` (predicted less measured change), and `seen`:
    no rotation, or one that the head sees.
    """
    found = trends(Config(), tables["predictions.csv"], tables["results.csv"])
    return found.assign(
        pair=found["first"] + " less " + found["second"],
        right=found["found"] == found["expected"],
        off=found["change_predicted"] - found["change"],
        seen=(found["degradation"] != "rotation") | (found["first"] == "dot-product"),
    )


def levels(tables: Tables) -> pd.DataFrame:
    """Return every level of degradation with `off`, the predicted less the measured gap."""
    both = tables["results.csv"].merge(
        tables["predictions.csv"], on=_KEYS, suffixes=("", "_predicted"), validate="one_to_one"
    )
    return both.assign(off=both["gap_predicted"] - both["gap"])


def verdict(config: Config, predicted: pd.DataFrame, measured: pd.DataFrame | None) -> str:
    """Return the trend of every gap; without runs, what is predicted."""
    largest = {kind: levels[-1] for kind, levels in config.levels}
    if measured is None:
        held = predicted[predicted["level"] == predicted["degradation"].map(largest)]
        start = predicted[predicted["degradation"] == "none"]
        rows = held.merge(
            start[["target", "n", "first", "second", "gap"]],
            on=["target", "n", "first", "second"],
            suffixes=("", "_of_none"),
        )
        return "\n".join(
            f"{row['target']}, {row['first']} less {row['second']}, {row['degradation']},"
            f" n = {row['n']}: gap {row['gap_of_none']:+.3f}, change {row['change']:+.4f}"
            + _points(row["accuracy_change"])
            for _, row in rows.iterrows()
        )
    moves = trends(config, predicted, measured)
    lines = [
        f"{row['target']}, {row['first']} less {row['second']}, {row['degradation']},"
        f" n = {row['n']}: change {row['change']:+.4f} +- {row['change_se']:.4f}, predicted"
        f" {row['change_predicted']:+.4f},"
        f" {'right' if row['found'] == row['expected'] else 'WRONG'}"
        + _points(row["accuracy_change"], row["accuracy_change_se"])
        for _, row in moves.iterrows()
    ]
    lines.append(_count("all", moves))
    opposite = moves["found"] * moves["expected"] < 0
    lines.append(f"all: {opposite.sum()} of {len(moves)} clearly of the other sign")
    moved = moves[(moves["degradation"] != "rotation") | (moves["first"] == "dot-product")]
    lines.append(_count("all but rotations that kernels do not see", moved))
    for name in ("target", "degradation", "first", "n"):
        lines += [_count(f"{name} {value}", rows) for value, rows in moves.groupby(name)]
    lines += _levels(predicted, measured)
    lines += _claim(moves)
    return "\n".join(lines)


def _points(change: float, error: float | None = None) -> str:
    if np.isnan(change):
        return ""
    spread = "" if error is None else f" +- {100 * error:.1f}"
    return f"; change of the accuracy gap {100 * change:+.1f}{spread} points"


def _count(name: str, rows: pd.DataFrame) -> str:
    right = rows["found"] == rows["expected"]
    error = (rows["change_predicted"] - rows["change"]).abs()
    return (
        f"{name}: {right.sum()} of {len(rows)} trends right; change off by {error.mean():.3f} on"
        f" average, at most {error.max():.3f}"
    )


def _levels(predicted: pd.DataFrame, measured: pd.DataFrame) -> list[str]:
    """Say how far the predicted gap is off over all levels, not the ends alone."""
    both = measured.merge(predicted, on=_KEYS, suffixes=("", "_predicted"), validate="one_to_one")
    both["error"] = (both["gap_predicted"] - both["gap"]).abs()
    return [
        f"{target}, {kind}, all levels: gap off by {rows['error'].mean():.3f} on average, at most"
        f" {rows['error'].max():.3f}"
        for (target, kind), rows in both.groupby(["target", "degradation"], sort=False)
    ]


def _claim(rows: pd.DataFrame) -> list[str]:
    """Say where concatenation's advantage grows with noise, as the paper reports it."""
    noise = rows[(rows["degradation"] == "noise") & (rows["first"] != "dot-product")]
    lines = []
    for (target, first, second), held in noise.groupby(["target", "first", "second"], sort=False):
        said = {-1: "grows", 0: "stays", 1: "falls"}
        each = [
            f"{said[int(sign)]} at n = {n}"
            for n, sign in zip(held["n"], held["found"], strict=True)
        ]
        lines.append(f"{target}: the advantage of {first} over {second} {', '.join(each)}")
    return lines
