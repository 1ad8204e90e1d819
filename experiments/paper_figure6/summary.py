"""The numbers of the prediction and of the verdict, from the stored tables alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.crossover import last_crossing
from experiments.paper_figure6.config import PANELS, Panel

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["crossovers", "errors", "summary", "verdict"]

# In units of the standard error of the measured gap.
_CLEAR = 2.0


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    return verdict(tables["predictions.csv"], tables.get("results.csv"))


def errors(tables: Tables) -> pd.DataFrame:
    """Return the measured points once for each theory that predicts them.

    Returns:
        the columns of ``results.csv``, `theory`, `error` of the risk ((predicted -
        measured)/measured) and `points`, the error of the accuracy in points.
    """
    key = ["target", "condition", "head", "n"]
    found = tables["results.csv"].merge(
        tables["predictions.csv"], on=key, suffixes=("", "_predicted")
    )
    return found.assign(
        error=found["risk_predicted"] / found["risk"] - 1,
        points=100 * (found["accuracy_predicted"] - found["accuracy"]),
    )


def crossovers(tables: Tables) -> pd.DataFrame:
    """Return n* of each panel as the theories predict it and as it is measured.

    Returns:
        target, condition, `source` (a theory, or measured) and `star`; infinite: concatenation
        stays lower, 0: attention is lower throughout.
    """
    rows = []
    for panel in PANELS:
        sources = {"measured": _of(tables["results.csv"], panel)}
        for theory, part in _of(tables["predictions.csv"], panel).groupby("theory"):
            sources[str(theory)] = part
        for source, part in sources.items():
            curves = _curves(part)
            gap = np.log((curves["additive"] / curves[panel.attention]).to_numpy(dtype=float))
            star = last_crossing(curves.index.to_numpy(dtype=float), gap)
            rows.append((panel.target, panel.condition, source, star))
    return pd.DataFrame(rows, columns=["target", "condition", "source", "star"])


def verdict(predicted: pd.DataFrame, measured: pd.DataFrame | None) -> str:
    """Return crossovers, winners and errors of each panel; without runs, what is predicted."""
    lines = []
    for panel in PANELS:
        name = f"{panel.target}, {panel.condition}"
        lines_of = _of(predicted, panel)
        for theory in ("orders", "sharp"):
            curves = _curves(lines_of[lines_of["theory"] == theory])
            n = curves.index.to_numpy(dtype=float)
            gap = np.log((curves["additive"] / curves[panel.attention]).to_numpy(dtype=float))
            lines.append(f"{name}, {theory}: {_story(n, gap)}")
        ends = lines_of[lines_of["n"].isin([lines_of["n"].min(), lines_of["n"].max()])]
        lines += [
            f"    {row['theory']}, {row['head']}, n = {row['n']}: risk {row['risk']:.3f}"
            + (f", accuracy {row['accuracy']:.3f}" if row["accuracy"] > 0 else "")
            for _, row in ends.iterrows()
        ]
        if measured is not None:
            lines += _measured(name, panel, lines_of, _of(measured, panel))
    return "\n".join(lines)


def _of(table: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    held = (table["target"] == panel.target) & (table["condition"] == panel.condition)
    return table[held]


def _curves(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.pivot(index="n", columns="head", values="risk")


def _story(n: np.ndarray, gap: np.ndarray) -> str:
    """Say in words from which n attention has the lower risk."""
    star = last_crossing(n, gap)
    if star == 0:
        return f"attention is lower at every n, {n[0]:.0f} to {n[-1]:.0f}"
    if np.isinf(star):
        below = n[gap > 0]
        words = f"concatenation is lower at n = {n[-1]:.0f}"
        return words + (
            f", attention at {below.round().astype(int).tolist()}" if len(below) else ""
        )
    return f"attention is lower from n* = {star:.0f}" + (
        "" if np.all(gap[n < star] <= 0) else ", and at some n before"
    )


def _measured(name: str, panel: Panel, lines: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    curves = _curves(rows)
    gap = np.log((curves["additive"] / curves[panel.attention]).to_numpy(dtype=float))
    found = [f"{name}, measured: {_story(curves.index.to_numpy(dtype=float), gap)}"]
    attention = rows[rows["head"] == panel.attention]
    clear = attention[attention["gap"].abs() > _CLEAR * attention["gap_se"]]
    found.append(
        f"    concatenation clearly lower at n = {clear['n'][clear['gap'] < 0].tolist()},"
        f" attention at {clear['n'][clear['gap'] > 0].tolist()}"
    )
    for (theory, head), curve in lines.groupby(["theory", "head"], sort=False):
        both = rows[rows["head"] == head].merge(curve, on="n", suffixes=("", "_predicted"))
        error = both["risk_predicted"] / both["risk"] - 1
        text = (
            f"    {theory}, {head} risk: relative error mean {error.abs().mean():.1%}, signed"
            f" {error.mean():+.1%}, largest {error.abs().max():.1%} at n ="
            f" {both['n'].iloc[int(error.abs().argmax())]}"
        )
        if theory == "sharp" and panel.target == "matching":
            points = 100 * (both["accuracy_predicted"] - both["accuracy"])
            text += (
                f"; accuracy off by {points.abs().mean():.2f} points on average, at most"
                f" {points.abs().max():.2f}; measured {both['accuracy'].min():.3f} to"
                f" {both['accuracy'].max():.3f}, standard errors up to"
                f" {100 * both['accuracy_se'].max():.2f} points"
            )
        found.append(text)
    return found
