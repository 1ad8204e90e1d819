"""Tables of the study as grids of text, the way the page lays them out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from validation.pages import number, points

__all__ = ["Grid", "ablation_grid", "accuracy_grid", "gap_grid", "p_text", "plain_grid"]

_NOT_RUN = ("not run", "")
_ENDS = ("crossed_low", "crossed_high")


@dataclass
class Grid:
    """A table of text.

    Attributes:
        columns: heads of the columns, that of the row names first.
        groups: name of each group with its rows; a row is its name and one (text, small text)
            for each further column.
    """

    columns: list[str]
    groups: list[tuple[str, list[tuple[str, list[tuple[str, str]]]]]] = field(default_factory=list)


def accuracy_grid(accuracy: pd.DataFrame, axis: str) -> Grid:
    """Return mean accuracy in per cent by head along n, or along sigma, +- 1.96 standard errors.

    Args:
        accuracy: columns condition, head, n, sigma, side, accuracy, se; setting and predicted
            where there are.
        axis: "n" takes the rows without noise, "sigma" those with noise and their clean start.
    """

    def cell(row: Mapping[Any, Any]) -> tuple[str, str]:
        small = f"± {points(196 * row['se'], False)}" if row["se"] == row["se"] else "one seed"
        foretold = row.get("predicted", float("nan"))
        if foretold == foretold:
            small += f"; {points(100 * foretold, False)} predicted"
        return points(100 * row["accuracy"], False), small

    return _along(accuracy, "head", axis, cell)


def gap_grid(gaps: pd.DataFrame, axis: str) -> Grid:
    """Return the lead in points over each head, with crossed interval and corrected p.

    Args:
        gaps: columns condition, second, n, sigma, side, gap, crossed_low, crossed_high,
            crossed_p_holm.
        axis: as in `accuracy_grid`.
    """

    def cell(row: Mapping[Any, Any]) -> tuple[str, str]:
        low, high = (points(100 * row[end]) for end in _ENDS)
        return points(100 * row["gap"]), f"{low} to {high}; {p_text(row['crossed_p_holm'])}"

    return _along(gaps, "second", axis, cell)


def plain_grid(
    table: pd.DataFrame,
    group: Sequence[str],
    name: str,
    columns: Mapping[str, Callable[[Any], str]],
) -> Grid:
    """Return a grid of single columns, one row per row of the table.

    Args:
        table: with all these columns; one that it lacks is left out.
        group: columns that make the name of a group.
        name: column that names a row.
        columns: how to write each.
    """
    there = {column: write for column, write in columns.items() if column in table}
    grid = Grid([_words(name), *map(_words, there)])
    by = [column for column in group if column in table]
    for key, part in table.groupby(by, sort=False) if by else [((), table)]:
        rows = [
            (str(row[name]), [(write(row[column]), "") for column, write in there.items()])
            for row in part.to_dict("records")
        ]
        grid.groups.append((_group_name(by, key), rows))
    return grid


def ablation_grid(ablations: pd.DataFrame) -> Grid:
    """Return mean and standard error of the accuracy by ablation, level and head.

    Runs of different conditions and n are kept apart.
    """
    keys = ["ablation", "condition", "n", "level", "head"]
    grouped = ablations.groupby(keys, sort=False)["accuracy"]
    table = grouped.agg(["mean", "sem", "count"]).reset_index()
    heads = list(dict.fromkeys(table["head"]))
    grid = Grid(["level", *map(str, heads)])
    for (ablation, condition, n), part in table.groupby(keys[:3], sort=False):
        rows = []
        for level, here in part.groupby("level", sort=False):
            by_head = {row["head"]: row for row in here.to_dict("records")}
            rows.append((str(level), [_mean(by_head.get(head)) for head in heads]))
        grid.groups.append((f"{ablation}, {condition}, n = {n}", rows))
    return grid


def p_text(p: float) -> str:
    """Write a p-value with two digits, or as below 0.001; a dash for NaN.

    >>> p_text(0.0881), p_text(3e-9)
    ('p = 0.088', 'p < 0.001')
    """
    if math.isnan(p):
        return "p –"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _mean(row: Mapping[Any, Any] | None) -> tuple[str, str]:
    if row is None:
        return _NOT_RUN
    small = "one seed" if row["count"] < 2 else f"± {points(100 * row['sem'], False)} se"
    return points(100 * row["mean"], False), small


def _along(
    table: pd.DataFrame, head: str, axis: str, cell: Callable[[Mapping[Any, Any]], tuple[str, str]]
) -> Grid:
    """Lay out one row per head and one column per place on the axis, in groups of conditions."""
    by = [c for c in ("setting", "condition") if c in table]
    if axis == "n":
        table = table[table["sigma"] == 0]
    else:
        by += ["side", "n"]
        table = _swept(table, head, by)
    places = sorted(table[axis].unique())
    grid = Grid([_words(head), *(f"{axis} = {number(float(place))}" for place in places)])
    for key, part in table.groupby(by, sort=False):
        rows = []
        for name, here in part.groupby(head, sort=False):
            by_place = {row[axis]: cell(row) for row in here.to_dict("records")}
            rows.append((str(name), [by_place.get(place, _NOT_RUN) for place in places]))
        grid.groups.append((_group_name(by, key), rows))
    return grid


def _swept(table: pd.DataFrame, head: str, by: Sequence[str]) -> pd.DataFrame:
    """Return the rows with noise, and for each side the same heads without noise before them."""
    noisy = table[table["sigma"] > 0]
    clean = table[table["sigma"] == 0].drop(columns="side")
    keys = [*by, head]
    starts = noisy[keys].drop_duplicates().merge(clean, on=[k for k in keys if k != "side"])
    return pd.concat([starts, noisy], ignore_index=True)


def _group_name(by: Sequence[str], key: Any) -> str:
    values = key if isinstance(key, tuple) else (key,)
    named = {"side": "noise on {}", "n": "n = {}", "setting": "setting {}"}
    return ", ".join(
        named.get(column, "{}").format(value) for column, value in zip(by, values, strict=True)
    )


def _words(column: str) -> str:
    return {"second": "other head", "se": "standard error"}.get(column, column.replace("_", " "))
