"""Draw the tables of trained heads: accuracy and gap against n, and gap against noise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fusiontheory.plotting import INK, MUTED, NORMAL_95, HeadStyle, head_styles, save_figure, style
from fusiontheory.typing import Array

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["draw", "main_rows"]

_GAPS = ("cross-attention", "two-way-attention", "token-attention", "bilinear", "dot-product")
# Drawn where there are such conditions; else the first of those there are.
_CONDITIONS = ("unaligned", "aligned")
_MOST_ROWS = 4
# Sigma 0 on a logarithmic axis stands at this place.
_NO_NOISE = 0.005
# Neighbours along n are drawn this much apart, so that their bars can be told.
_APART = 0.012


def draw(runs: pd.DataFrame, gaps: pd.DataFrame, stem: Path) -> list[Path]:
    """Write ``stem.svg``: rows are conditions; accuracy against n, gap against n, gap in sigma.

    Args:
        runs: one row per run.
        gaps: of `validation.trained.report.tables.gap_table`.
        stem: path without its end.
    """
    from matplotlib.figure import Figure

    runs, gaps = main_rows(runs), main_rows(gaps)
    there = [str(name) for name in runs["condition"].unique()]
    conditions = [name for name in _CONDITIONS if name in there] or there[:_MOST_ROWS]
    with style():
        figure = Figure(figsize=(10, 0.6 + 2.9 * len(conditions)), layout="constrained")
        axes = figure.subplots(len(conditions), 3, sharey="col", squeeze=False)
        for row, condition in enumerate(conditions):
            here = gaps[gaps["condition"] == condition]
            _accuracies(axes[row, 0], runs[runs["condition"] == condition])
            _gaps(axes[row, 1], here[here["sigma"] == 0], "n")
            swept = here[(here["sigma"] > 0) & (here["side"] == "both")]
            clean = here[(here["sigma"] == 0) & here["n"].isin(swept["n"].unique())]
            noisy = pd.concat([clean, swept]) if len(swept) else swept
            _gaps(axes[row, 2], noisy, "sigma")
            for column, what in enumerate(("accuracy", "gap", "gap with noise")):
                axes[row, column].set_title(f"{condition}, {what}")
        handles: dict[str, Artist] = {}
        for axis in axes.flat:
            lines, names = axis.get_legend_handles_labels()
            handles |= dict(zip(names, lines, strict=True))
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=6)
        return save_figure(figure, stem, formats=("svg",))


def main_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the fixed setting, or of the published one where there are none of it.

    A table without the column has one setting alone.

    >>> main_rows(pd.DataFrame({"n": [1, 2], "setting": ["tuned", "published"]}))["n"].tolist()
    [2]
    """
    if "setting" not in table:
        return table
    setting = "fixed" if (table["setting"] == "fixed").any() else "published"
    return table[table["setting"] == setting]


def _accuracies(axes: Axes, runs: pd.DataFrame) -> None:
    clean = runs[runs["sigma"] == 0]
    grouped = clean.groupby(["head", "n"])["accuracy"]
    table = pd.DataFrame({"mean": grouped.mean(), "se": grouped.sem().fillna(0)}).reset_index()
    looks = head_styles(str(head) for head in table["head"].unique())
    for k, (head, look) in enumerate(looks.items()):
        rows = table[table["head"] == head]
        x = rows["n"].to_numpy(float) * (1 + _APART * (k - len(looks) / 2))
        bars = NORMAL_95 * 100 * rows["se"].to_numpy(float)
        _series(axes, x, 100 * rows["mean"].to_numpy(float), (bars, bars), look, head)
    axes.axhline(50, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_ylabel("test accuracy (%)")
    _sizes(axes, table["n"])


def _gaps(axes: Axes, gaps: pd.DataFrame, axis: str) -> None:
    for k, (head, look) in enumerate(head_styles(_GAPS).items()):
        rows = gaps[gaps["second"] == head].sort_values(axis)
        x = rows[axis].to_numpy(float)
        x = np.where(x > 0, x, _NO_NOISE) * (1 + _APART * (k - len(_GAPS) / 2))
        ends = [100 * (rows["gap"] - rows["crossed_low"]), 100 * (rows["crossed_high"] - rows.gap)]
        below, above = (end.to_numpy(float) for end in ends)
        _series(axes, x, 100 * rows["gap"].to_numpy(float), (below, above), look, head)
    axes.axhline(0, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_ylabel("concat-mlp − other (points)")
    if axis == "n":
        _sizes(axes, gaps["n"])
        return
    axes.set_xscale("log")
    axes.set_xticks([_NO_NOISE, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5])
    axes.set_xticklabels(["0", ".01", ".02", ".05", ".1", ".2", ".5"], color=INK)
    axes.set_xticks([], minor=True)
    axes.set_xlabel("noise σ per coordinate, both sides")
    if gaps.empty:
        axes.text(0.5, 0.6, "not run", transform=axes.transAxes, ha="center", color=MUTED)


def _series(
    axes: Axes,
    x: Array,
    y: Array,
    bars: tuple[Array, Array],
    look: HeadStyle,
    label: str,
) -> None:
    if len(x):
        axes.errorbar(
            *(x, y),
            yerr=np.stack(bars),
            **look.marks,
            linestyle=look.line,
            elinewidth=1.0,
            label=label,
        )


def _sizes(axes: Axes, sizes: pd.Series[int]) -> None:
    axes.set_xscale("log", base=2)
    ticks = sorted(int(n) for n in sizes.unique())
    axes.set_xticks(ticks)
    axes.set_xticklabels([str(n) for n in ticks], color=INK)
    axes.set_xlabel("training pairs n")
