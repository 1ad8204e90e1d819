"""Tables of the study: ``python -m experiments.foreign_features.summary``.

Prints them, and writes the tables of ``docs/validity.md`` between its markers.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.foreign_features.calibrate import LEAVE_ONE_OUT
from fusiontheory.moments import EFFECTS, ranges
from fusiontheory.synthetic import FOREIGN

__all__ = ["PAGE", "by_diagnosis", "by_population", "coverage", "main", "tables", "targets"]

PAGE = Path(__file__).parents[2] / "docs" / "validity.md"

# In accuracy: what a cell without a warning may be off by, on average and at most.
_MEAN_ERROR, _MOST_ERROR = 0.010, 0.025
# A head that nothing can be learned with is right everywhere; it is not counted.
_TRIVIAL = "concat-linear"
_CELL = ["population", "images", "head", "ridge", "n"]


def load() -> pd.DataFrame:
    """Return the stored cells with kind, error, and whether plain and wider intervals hold.

    An interval holds if it comes within two standard errors of the measured mean.
    """
    table = pd.read_csv(LEAVE_ONE_OUT, dtype={"ridge": str})
    table = table[table["head"] != _TRIVIAL].copy()
    table["kind"] = [FOREIGN[name].kind for name in table["population"]]
    table["error"] = table["predicted"] - table["measured"]
    slack = 2 * table["se"]
    for name, extra in (("plain", 0.0), ("wide", table["extra"])):
        below = table["low"] - extra - slack <= table["measured"]
        above = table["high"] + extra + slack >= table["measured"]
        table[name] = below & above
    return table


def cell_errors(table: pd.DataFrame) -> pd.DataFrame:
    """Return the error of each cell's mean prediction, beyond two standard errors of its noise."""
    grouped = table.groupby([*_CELL, "kind"], sort=False)
    cells = grouped.agg(
        error=("error", "mean"),
        se=("se", "first"),
        spread=("error", "std"),
        samples=("error", "size"),
        trusted=("trusted", "mean"),
    ).reset_index()
    # One sample has no spread: its own interval says how far off it may be.
    half = ((table["high"] - table["low"]) / 3.92).groupby([table[c] for c in _CELL]).mean()
    own = half.reindex(pd.MultiIndex.from_frame(cells[_CELL])).to_numpy()
    spread = np.where(cells["samples"] > 1, cells["spread"].fillna(0.0), own)
    noise = np.hypot(cells["se"], spread / np.sqrt(cells["samples"]))
    cells["off"] = np.maximum(cells["error"].abs() - 2 * noise, 0.0)
    return cells


def coverage(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return shares in percent: trusted, and intervals that hold, with and without widening."""
    rows = []
    for key, part in table.groupby(by, sort=False):
        safe, warned = part[part["trusted"]], part[~part["trusted"]]
        rows.append(
            {
                **dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True)),
                "cells": len(part),
                "warned": 100 * len(warned) / len(part),
                "mean error": 100 * part["error"].abs().mean(),
                "most": 100 * part["error"].abs().max(),
                "plain holds": 100 * part["plain"].mean(),
                "unwarned holds": 100 * safe["wide"].mean() if len(safe) else np.nan,
                "warned holds": 100 * warned["wide"].mean() if len(warned) else np.nan,
                "extra": 100 * warned["extra"].mean() if len(warned) else np.nan,
            }
        )
    return pd.DataFrame(rows)


def targets(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the study asks for, and what was found with calibrations that left it out."""
    cells = cell_errors(table)
    safe = cells[cells["trusted"] > 0.5]
    trusted, warned = table[table["trusted"]], table[~table["trusted"]]
    own = trusted.groupby("population")["wide"].agg(["mean", "size"])
    # A binomial bound at 1 %: 2.33 standard errors below 85 %.
    least = own["mean"] + 2.33 * np.sqrt(0.85 * 0.15 / own["size"])
    alarms = 1 - table[table["kind"] == "benign"]["trusted"].mean()
    shown = [
        ("mean error of unwarned cells, points", "at most 1.0", 100 * safe["error"].abs().mean()),
        ("largest beyond noise, points", "at most 2.5", 100 * safe["off"].max()),
        ("intervals of unwarned cells that hold, %", "at least 92", 100 * trusted["wide"].mean()),
        ("the same in the worst population, %", "at least 85", 100 * own["mean"].min()),
        ("populations below 85 % by more than chance", "0", float((least < 0.85).sum())),
        ("intervals of warned cells that hold, %", "at least 90", 100 * warned["wide"].mean()),
        (
            "cells of benign populations warned, %",
            "at most 10",
            100 * alarms,
        ),
        ("cells warned, %", "", 100 - 100 * table["trusted"].mean()),
    ]
    return pd.DataFrame(shown, columns=["what", "asked", "found"])


def by_population(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row a population: error of the mean prediction, and what is said of it."""
    cells = cell_errors(table)
    worst = cells.loc[
        cells.groupby("population", sort=False)["error"].apply(lambda x: x.abs().idxmax())
    ]
    found = coverage(table, ["kind", "population"])
    cell = [f"{row.head}, {row.n}, N = {row.images}" for row in worst.itertuples()]
    found["worst cell"] = cell
    found["its error"] = 100 * worst["error"].to_numpy()
    return found


def by_diagnosis() -> pd.DataFrame:
    """Return the stored range of each item that suits all heads, and its effect."""
    rows = []
    for name, (low, high) in ranges().items():
        allowed = f"at least {low:.3g}" if np.isfinite(low) else f"at most {high:.3g}"
        rows.append((name, allowed, EFFECTS[name]))
    return pd.DataFrame(rows, columns=["item", "range", "beyond it"])


def tables() -> dict[str, str]:
    """Return the tables of the page in Markdown, by marker."""
    table = load()
    return {
        "targets": _markdown(targets(table), 1),
        "kinds": _markdown(coverage(table, ["kind"]), 1),
        "populations": _markdown(by_population(table), 1),
        "ranges": _markdown(by_diagnosis(), 3),
    }


def _markdown(frame: pd.DataFrame, digits: int) -> str:
    def cell(value: object) -> str:
        if isinstance(value, float):
            return "" if np.isnan(value) else f"{value:.{digits}f}"
        return str(value)

    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|---" * len(frame.columns) + "|"]
    for row in frame.itertuples(index=False):
        lines.append("| " + " | ".join(cell(value) for value in row) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables and write them into the page."""
    text = PAGE.read_text(encoding="utf-8")
    for name, table in tables().items():
        print(f"{name}\n\n{table}\n")
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        text = pattern.sub(lambda _, t=table, b=begin, e=end: f"{b}\n{t}\n{e}", text)  # type: ignore[misc]
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
