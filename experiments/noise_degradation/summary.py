"""Predicted beside measured, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.noise_degradation.config import CONDITION_OF, HEADS

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = [
    "accuracies",
    "changes",
    "compared",
    "gap_changes",
    "measured_means",
    "points",
    "summary",
    "verdict",
]

_KEYS = ["part", "condition", "side", "level", "n"]
# Standard errors of a mean over 4 seeds for two-sided 5 %: Student's t with 3 degrees of freedom.
_CLEAR = {"2": 2.0, "3.18": 3.18}


def with_clean(measured: pd.DataFrame) -> pd.DataFrame:
    """Return the measurements, those without noise also as sigma = 0 of each side."""
    clean = measured[(measured["part"] == "strength") & measured["condition"].isin(_conditions())]
    copies = [
        clean.assign(part="noise", side=side, level=0.0) for side in ("both", "image", "text")
    ]
    return pd.concat([measured, *copies], ignore_index=True)


def _conditions() -> list[str]:
    return list(CONDITION_OF.values())


def measured_means(measured: pd.DataFrame) -> pd.DataFrame:
    """Return means over seeds and standard errors (``_se``) of accuracies and gap, by point."""
    table = with_clean(measured)
    table["gap"] = table[HEADS[0]] - table[HEADS[1]]
    grouped = table.groupby(_KEYS)[[*HEADS, "gap"]]
    return grouped.mean().join(grouped.sem().add_suffix("_se")).reset_index()


def compared(predicted: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """Return measured means beside predictions (``_predicted``), where something was measured."""
    return measured_means(measured).merge(
        predicted, on=_KEYS, suffixes=("", "_predicted"), validate="1:1"
    )


def points(tables: Tables) -> pd.DataFrame:
    """Return `compared` of the stored tables, the sizes with their condition as `place`."""
    found = compared(tables["predictions.csv"], tables["results.csv"])
    return found.assign(place=found["condition"] + ", " + found["n"].astype(str))


def accuracies(tables: Tables) -> pd.DataFrame:
    """Return a row for each point and head; what has no noise counts once, as a strength.

    Returns:
        part, condition, side, level, n, `head`, `measured`, its `se` and `predicted` (per cent),
        and `error`, predicted less measured.
    """
    found = points(tables)
    found = found[(found["part"] != "noise") | (found["level"] > 0)]
    parts = [
        found[_KEYS].assign(
            head=head,
            measured=100 * found[head],
            se=100 * found[f"{head}_se"],
            predicted=100 * found[f"{head}_predicted"],
        )
        for head in HEADS
    ]
    long = pd.concat(parts, ignore_index=True)
    return long.assign(error=long["predicted"] - long["measured"])


def gap_changes(tables: Tables) -> pd.DataFrame:
    """Return `changes` of the stored tables.

    With `clear`, how many standard errors the change is from 0, `right`, whether its sign is the
    predicted one, and `along`, whether it is that of the predicted slope at the lower sigma.
    """
    found = changes(tables["predictions.csv"], tables["results.csv"])
    sign = np.sign(found["change"])
    return found.assign(
        clear=found["change"].abs() / found["change_se"],
        right=sign == np.sign(found["predicted"]),
        along=sign == found["direction"],
    )


def changes(predicted: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """Return how the gap changes from each sigma to the next, paired by seed.

    Returns:
        Columns ``condition``, ``side``, ``n``, ``low`` and ``high`` (sigma), ``change``,
        ``change_se``, ``predicted``, and ``direction``, predicted at the lower sigma.
    """
    table = with_clean(measured)
    table = table[table["part"] == "noise"]
    table["gap"] = table[HEADS[0]] - table[HEADS[1]]
    known = predicted[predicted["part"] == "noise"]
    points = list(zip(*(known[key] for key in _KEYS[1:]), strict=True))
    gap_at = dict(zip(points, known["gap"], strict=True))
    direction_at = dict(zip(points, known["gap_direction"], strict=True))
    rows = []
    for (condition, side, n), part in table.groupby(["condition", "side", "n"]):
        gaps = part.pivot(index="seed", columns="level", values="gap")
        for low, high in zip(gaps.columns, gaps.columns[1:], strict=False):
            change = (gaps[high] - gaps[low]).dropna()
            start, end = ((condition, side, level, n) for level in (low, high))
            rows.append(
                {
                    "condition": condition,
                    "side": side,
                    "n": n,
                    "low": low,
                    "high": high,
                    "change": change.mean(),
                    "change_se": change.sem(),
                    "predicted": gap_at[end] - gap_at[start],
                    "direction": direction_at[start],
                }
            )
    return pd.DataFrame(rows)


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    if "results.csv" not in tables:
        return tables["predictions.csv"].round(4).to_string(index=False)
    return verdict(tables["predictions.csv"], tables["results.csv"])


def verdict(predicted: pd.DataFrame, measured: pd.DataFrame) -> str:
    """Return errors, signs and gaps as text; all in points."""
    table = compared(predicted, measured)
    lines = ["Errors of accuracy, predicted less measured: mean absolute, mean, largest"]
    for part in ("noise", "strength", "correlation"):
        rows = table[table["part"] == part]
        rows = rows[rows["level"] > 0] if part == "noise" else rows
        lines += [f"  {part}, {len(rows)} points, {_errors(rows, head)}" for head in HEADS]
    lines += [
        "",
        "Signs of the gap's change between neighbouring sigmas",
        *_signs(changes(predicted, measured)),
    ]
    for part in ("noise", "strength", "correlation"):
        lines += ["", f"{part}: measured with standard error (predicted)"]
        lines += _table(table[table["part"] == part])
    return "\n".join(lines)


def _errors(rows: pd.DataFrame, head: str) -> str:
    error = 100 * (rows[f"{head}_predicted"] - rows[head]).to_numpy(dtype=float)
    worst = error[np.abs(error).argmax()]
    return f"{head}: {np.abs(error).mean():.2f} {error.mean():+.2f} {worst:+.2f}"


def _signs(table: pd.DataFrame) -> list[str]:
    lines = []
    for name, errors in _CLEAR.items():
        clear = table[table["change"].abs() > errors * table["change_se"]]
        right = np.sign(clear["change"]) == np.sign(clear["predicted"])
        along = np.sign(clear["change"]) == clear["direction"]
        lines.append(
            f"  beyond {name} standard errors: {int(right.sum())} of {len(clear)} right,"
            f" {len(table)} changes in all; by d(gap)/d(sigma) at the lower sigma"
            f" {int(along.sum())}"
        )
        for side in ("both", "image", "text"):
            rows = clear["side"] == side
            lines.append(f"    {side}: {int(right[rows].sum())} of {int(rows.sum())}")
        lines += [
            f"    wrong: {row.condition}, {row.side}, n = {row.n}, {row.low:g} to {row.high:g}:"
            f" {100 * row.change:+.2f} ± {100 * row.change_se:.2f}, predicted"
            f" {100 * row.predicted:+.2f}"
            for row in clear[~right].itertuples()
        ]
    return lines


def _table(rows: pd.DataFrame) -> list[str]:
    names = [*HEADS, "gap"]
    lines = ["  condition, side, level, n: " + ", ".join(names)]
    for _, row in rows.iterrows():
        cells = [
            f"{100 * row[name]:.2f} ± {100 * row[f'{name}_se']:.2f}"
            f" ({100 * row[f'{name}_predicted']:.2f})"
            for name in names
        ]
        where = f"{row['condition']}, {row['side']}, {row['level']:g}, {row['n']}"
        lines.append(f"  {where}: " + " | ".join(cells))
    return lines
