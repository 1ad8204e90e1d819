"""The figure, from the stored tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.degradation.config import Config
from experiments.study import Tables
from fusiontheory.plotting import INK, MUTED, NORMAL_95, HeadStyle, save_figure, style

LOOKS = {
    ("additive", "bilinear"): HeadStyle("#0072B2", "o"),
    ("additive", "sum"): HeadStyle("#009E73", "D"),
    ("concat-mlp", "bilinear"): HeadStyle("#D55E00", "s"),
    ("dot-product", "bilinear"): HeadStyle("#CC79A7", "^"),
}
_AXES = {
    "noise": "noise in t (deviations)",
    "rotation": "rotation of t (1: random)",
    "shuffling": "share of t exchanged",
    "dropping": "coordinates of t lost",
}


def draw(tables: Tables, out: Path) -> None:
    """Write one row per target, one column per degradation, at the largest n."""
    config = Config()
    predicted, measured = tables["predictions.csv"], tables["results.csv"]
    n = config.n[-1]
    with style():
        figure = Figure(figsize=(10, 7.4), layout="constrained")
        grid = figure.subplots(len(config.targets), len(config.levels), sharex="col", sharey="row")
        for row, (target, _) in zip(grid, config.targets, strict=True):
            for axes, (kind, _) in zip(row, config.levels, strict=True):
                lines, points = (_held(table, target, kind, n) for table in (predicted, measured))
                _panel(axes, lines, points)
            row[0].set_title(f"{target}, n = {n}")
            row[0].set_ylabel("gap in risk")
        for axes, (kind, levels) in zip(grid[-1], config.levels, strict=True):
            axes.set_xlabel(_AXES[kind])
            shown = [level for level in levels if kind != "noise" or level != 0.25]
            axes.set_xticks(shown, labels=[f"{level:g}" for level in shown])
        _legend(figure)
        save_figure(figure, out, ("svg",))


def _held(table: pd.DataFrame, target: str, kind: str, n: int) -> pd.DataFrame:
    rows = (table["target"] == target) & (table["n"] == n)
    return table[rows & table["degradation"].isin(["none", kind])].sort_values("level")


def _panel(axes: Axes, lines: pd.DataFrame, points: pd.DataFrame) -> None:
    axes.axhline(0, color=MUTED, linewidth=0.8)
    for pair, look in LOOKS.items():
        line, rows = (
            table[(table["first"] == pair[0]) & (table["second"] == pair[1])]
            for table in (lines, points)
        )
        axes.plot(line["level"], line["gap"], color=look.colour)
        axes.errorbar(
            rows["level"],
            rows["gap"],
            yerr=NORMAL_95 * rows["gap_se"],
            **look.marks,
        )


def _legend(figure: Figure) -> None:
    pairs = [
        Line2D(
            [], [], color=look.colour, marker=look.marker, linestyle="none", label=" less ".join(p)
        )
        for p, look in LOOKS.items()
    ]
    kinds = [
        Line2D([], [], color=INK, label="predicted"),
        Line2D([], [], color=INK, marker="o", linestyle="none", label="measured, 95 % interval"),
    ]
    figure.legend(handles=pairs + kinds, loc="outside upper left", ncols=6)
