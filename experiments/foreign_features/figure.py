"""Errors of every cell by kind of features, and which were warned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from experiments.foreign_features.summary import cell_errors, judged_cells
from fusiontheory.plotting import MUTED, HeadStyle, head_styles, save_figure, style

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["draw", "mark_cells"]


def draw(tables: Tables, out: Path) -> None:
    """Write one panel a head: error of each cell by kind, filled where it was not warned."""
    table = cell_errors(judged_cells(tables))
    table["trusted"] = table["trusted"] > 0.5
    kinds = list(dict.fromkeys(table["kind"]))
    heads = head_styles(table["head"])
    with style():
        figure, axes = plt.subplots(
            1, len(heads), figsize=(3.6 * len(heads), 4.2), sharey=True, layout="constrained"
        )
        for axis, (head, look) in zip(axes, heads.items(), strict=True):
            axis.axvspan(-2.5, 2.5, color=MUTED, alpha=0.15, linewidth=0)
            part = table[table["head"] == head]
            for trusted, filled in ((False, "none"), (True, look.colour)):
                own = part[part["trusted"] == trusted]
                label = "no warning" if trusted else "warned"
                places = own["kind"].map(kinds.index)
                mark_cells(axis, 100 * own["error"], places, look, filled, label)
            axis.set(title=head, xlabel="predicted less measured (points)")
            axis.set_yticks(range(len(kinds)), kinds)
        axes[0].invert_yaxis()
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    save_figure(figure, out, ("svg",))
    plt.close(figure)


def mark_cells(
    axis: Axes,
    errors: pd.Series[float],
    places: pd.Series[int],
    look: HeadStyle,
    filled: str,
    label: str,
) -> None:
    """Mark the error in points of each cell of a head, on the line at the place of its kind."""
    # Side by side, so that cells of one kind do not hide each other.
    rank = np.arange(len(errors)) * 0.618 % 1 - 0.5
    axis.plot(
        errors,
        places + 0.7 * rank,
        look.marker,
        color=look.colour,
        markerfacecolor=filled,
        markersize=look.size - 2,
        linestyle="none",
        alpha=0.6,
        label=label,
    )
