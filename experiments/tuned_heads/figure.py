"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.tuned_heads.summary import comparison
from fusiontheory.plotting import INK, NORMAL_95, save_figure, style

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from experiments.study import Tables

__all__ = ["draw", "draw_rows"]


def draw(tables: Tables, out: Path) -> None:
    """Write, head by head, the tuned network, the fixed setting and the kernel's prediction."""
    draw_rows(comparison(tables), {"predicted": "kernel, predicted"}, out)


def draw_rows(table: pd.DataFrame, predictions: Mapping[str, str], out: Path) -> None:
    """Write a line for each row of a table: tuned with its interval, fixed, and predictions.

    Args:
        table: columns head, condition, tuned, se, fixed and those of predictions, in per cent.
        predictions: words of the legend, by column.
        out: where to, without a suffix.
    """
    from matplotlib.figure import Figure

    rows = np.arange(len(table))[::-1]
    with style():
        figure = Figure(figsize=(5.6, 3.0), layout="constrained")
        axes = figure.subplots()
        axes.errorbar(
            table["tuned"],
            rows,
            xerr=NORMAL_95 * table["se"],
            fmt="o",
            color="#0072B2",
            label="tuned",
        )
        axes.plot(table["fixed"], rows, "s", color="#E69F00", label="fixed setting")
        for (column, words), marker in zip(predictions.items(), ("|", "x"), strict=False):
            axes.plot(table[column], rows, marker, color=INK, markersize=14, label=words)
        axes.set_yticks(rows, [f"{r.head}, {r.condition}" for r in table.itertuples()])
        axes.set_ylim(-0.5, len(table) - 0.5)
        axes.set_xlabel("accuracy (%)")
        figure.legend(loc="outside lower center", ncols=2 + len(predictions))
        save_figure(figure, out, ("svg",))
