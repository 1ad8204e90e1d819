"""How often predictions are right and intervals hold, with and without a warning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.foreign_features.calibrate import CELL, SAID, cells
from fusiontheory.moments import EFFECTS, ranges
from fusiontheory.synthetic import FOREIGN

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = [
    "TRIVIAL",
    "before_and_after",
    "by_diagnosis",
    "by_population",
    "cell_errors",
    "coverage",
    "judged_cells",
    "mended",
    "summary",
    "targets",
]

TRIVIAL = "concat-linear"
"""A head that nothing can be learned with is right everywhere; it is not counted."""

# Of the theory before the law of scores and the slope of q from few images were mended.
_BEFORE = "predictions-until-2026-11-30T173310.csv"
_KINDS = list(dict.fromkeys(population.kind for population in FOREIGN.values()))


def summary(tables: Tables) -> str:
    """Return what was asked and found, and the table by kind; the prediction's shape alone else."""
    if "results.csv" not in tables:
        table = tables["predictions.csv"]
        return f"{len(table)} predictions of {table['population'].nunique()} populations"
    table = judged_cells(tables)
    parts = (targets(table), coverage(table, ["kind"]), by_population(table))
    return "\n\n".join(part.round(1).to_string(index=False) for part in parts)


def judged_cells(tables: Tables) -> pd.DataFrame:
    """Return the cells with kind, error, and whether plain and wider intervals hold.

    An interval holds if it comes within two standard errors of the measured mean. Judged by the
    calibration of all other populations.
    """
    said = tables["results.csv"].assign(ridge=tables["results.csv"]["ridge"].astype(str))
    table = cells(tables)
    table = table[table["head"] != TRIVIAL].merge(said, on=SAID[:-2], validate="1:1")
    return _held(table)


def _held(table: pd.DataFrame) -> pd.DataFrame:
    kind = pd.Categorical([FOREIGN[name].kind for name in table["population"]], _KINDS)
    order = pd.Categorical(table["population"], list(FOREIGN))
    table = table.assign(kind=kind, order=order).sort_values("order", kind="stable")
    slack = 2 * table["se"]
    for name, extra in (("plain", 0.0), ("wide", table["extra"])):
        below = table["low"] - extra - slack <= table["measured"]
        above = table["high"] + extra + slack >= table["measured"]
        table[name] = below & above
    return table.assign(kind=table["kind"].astype(str)).drop(columns="order")


def cell_errors(table: pd.DataFrame) -> pd.DataFrame:
    """Return the error of each cell's mean prediction, beyond two standard errors of its noise."""
    grouped = table.groupby([*CELL, "kind"], sort=False)
    found = grouped.agg(
        error=("error", "mean"),
        se=("se", "first"),
        spread=("error", "std"),
        samples=("error", "size"),
        trusted=("trusted", "mean"),
        half=("high", "mean"),
        low=("low", "mean"),
    ).reset_index()
    # One sample has no spread: its own interval says how far off it may be.
    own = (found.pop("half") - found.pop("low")) / 3.92
    spread = np.where(found["samples"] > 1, found["spread"].fillna(0.0), own)
    noise = np.hypot(found["se"], spread / np.sqrt(found["samples"]))
    return found.assign(off=np.maximum(found["error"].abs() - 2 * noise, 0.0))


def coverage(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return shares in percent: trusted, and intervals that hold, with and without widening."""
    rows = []
    for key, part in table.groupby(by, sort=False):
        safe, warned = part[part["trusted"]], part[~part["trusted"]]
        rows.append(
            {
                **dict(zip(by, key, strict=True)),
                "cells": len(part),
                "warned": 100 * len(warned) / len(part),
                "mean error": 100 * part["error"].abs().mean(),
                "unwarned error": 100 * safe["error"].abs().mean(),
                "plain holds": 100 * part["plain"].mean(),
                "unwarned holds": 100 * safe["wide"].mean(),
                "warned holds": 100 * warned["wide"].mean(),
                "extra": 100 * warned["extra"].mean(),
            }
        )
    return pd.DataFrame(rows)


def targets(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the study asks for, and what was found with calibrations that left it out."""
    found = cell_errors(table)
    safe = found[found["trusted"] > 0.5]
    fixed = safe[safe["ridge"] != "best"]
    trusted, warned = table[table["trusted"]], table[~table["trusted"]]
    benign = table[table["kind"] == "benign"]
    alarms = 1 - benign.groupby(CELL[:4])["trusted"].mean()
    shown = [
        ("mean error of unwarned cells, points", "at most 1.0", safe["error"].abs().mean()),
        ("mean error at ridge 0.1, points", "at most 1.0", fixed["error"].abs().mean()),
        ("largest beyond noise, points", "at most 2.5", safe["off"].max()),
        ("largest at ridge 0.1, points", "at most 2.5", fixed["off"].max()),
        ("unwarned cells above 2.5 points beyond noise, %", "0", (safe["off"] > 0.025).mean()),
        ("intervals of unwarned cells that hold, %", "at least 92", trusted["wide"].mean()),
        ("the same in the worst population, %", "at least 85", _by_population(trusted).min()),
        ("intervals of warned cells that hold, %", "at least 90", warned["wide"].mean()),
        ("cells of benign populations warned, %", "at most 10", 1 - benign["trusted"].mean()),
        ("benign populations of which a head is warned, %", "at most 10", (alarms > 0.5).mean()),
        ("cells warned, %", "", 1 - table["trusted"].mean()),
    ]
    warned_cells = found["trusted"] <= 0.5
    off = found["off"] > 0.01
    far = found["off"] > 0.02
    shown += [
        ("warned cells that are off by 1 point beyond noise, %", "", off[warned_cells].mean()),
        ("cells off by 1 point beyond noise that are warned, %", "", warned_cells[off].mean()),
        ("cells off by 2 points beyond noise that are warned, %", "", warned_cells[far].mean()),
    ]
    rows = [(what, asked, 100 * float(value)) for what, asked, value in shown]
    rows.append(("populations below 85 % by more than chance", "0", float(_below(trusted))))
    return pd.DataFrame(rows, columns=["what", "asked", "found"])


def _by_population(trusted: pd.DataFrame) -> pd.Series[float]:
    return trusted.groupby("population")["wide"].mean()


def _below(trusted: pd.DataFrame) -> int:
    """Return how many populations hold fewer than 85 %, by a binomial bound at 1 %.

    Samples of one population share its truth: its cells without samples are what is counted.
    """
    count = trusted.groupby("population")[CELL].apply(lambda x: len(x.drop_duplicates()))
    return int((_by_population(trusted) + 2.33 * np.sqrt(0.85 * 0.15 / count) < 0.85).sum())


def by_population(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row a population: error of the mean prediction, and what is said of it."""
    found = cell_errors(table)
    at = found.groupby("population", sort=False)["error"].apply(lambda x: x.abs().idxmax())
    worst = found.loc[at]
    rows = coverage(table, ["kind", "population"])
    rows["worst cell"] = [
        f"{x.head}, {x.n}, N = {x.images}, ridge {x.ridge}{', groups' if x.groups else ''}"
        for x in worst.itertuples()
    ]
    return rows.assign(**{"its error": 100 * worst["error"].to_numpy()})


def before_and_after(old: pd.DataFrame, table: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Return errors and intervals by kind as they were before means, groups and warnings.

    Args:
        old: predictions of the same heads before.
        table: the judged cells.
        tables: of the study.
    """
    merged = old.assign(ridge=old["ridge"].astype(str)).merge(
        tables["measured.csv"].assign(ridge=tables["measured.csv"]["ridge"].astype(str)),
        on=["population", "head", "ridge", "n"],
        suffixes=("", "_measured"),
    )
    merged = merged[merged["head"] != TRIVIAL]
    merged = _held(merged.assign(error=merged["predicted"] - merged["measured"], extra=0.0))
    rows = []
    for kind in _KINDS:
        was, now = merged[merged["kind"] == kind], table[table["kind"] == kind]
        safe, warned = now[now["trusted"]], now[~now["trusted"]]
        rows.append(
            {
                "kind": kind,
                "error before": 100 * was["error"].abs().mean(),
                "now": 100 * now["error"].abs().mean(),
                "now, no warning": 100 * safe["error"].abs().mean(),
                "held before": 100 * was["plain"].mean(),
                "hold now, no warning": 100 * safe["wide"].mean(),
                "hold now, warned": 100 * warned["wide"].mean(),
                "warned now": 100 * len(warned) / len(now),
            }
        )
    return pd.DataFrame(rows)


def mended(tables: Tables) -> pd.DataFrame:
    """Return every prediction that the one before the last also made, with errors of both.

    In points: ``error_before`` and ``error``; and whether the theory's own intervals hold,
    ``holds_before`` and ``holds``.
    """
    before = pd.read_csv(Path(__file__).with_name(_BEFORE), dtype={"ridge": str})
    ends = ["predicted", "low", "high"]
    found = cells(tables)
    key = [*CELL, "sample"]
    both = found[[*key, *ends, "measured", "se"]].merge(
        before[[*key, *ends]], on=key, suffixes=("", "_before"), validate="1:1"
    )
    both = both[both["head"] != TRIVIAL]
    for name in ("", "_before"):
        low, high, slack = both[f"low{name}"], both[f"high{name}"], 2 * both["se"]
        both[f"error{name}"] = 100 * (both[f"predicted{name}"] - both["measured"])
        both[f"holds{name}"] = (low - slack <= both["measured"]) & (
            both["measured"] <= high + slack
        )
    return both


def by_diagnosis() -> pd.DataFrame:
    """Return the stored range of each item that suits all heads, and its effect."""
    rows = []
    for name, (low, high) in ranges().items():
        allowed = f"at least {low:.3g}" if np.isfinite(low) else f"at most {high:.3g}"
        rows.append((name, allowed, EFFECTS[name]))
    return pd.DataFrame(rows, columns=["item", "range", "beyond it"])
