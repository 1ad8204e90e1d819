"""Measured accuracy on each split beside the prediction, from the stored tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

from experiments.large_n.summary import compared
from fusiontheory.plotting import INK, save_figure, style

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["draw"]


def draw(tables: Tables, out: Path) -> None:
    """Write one panel a condition: measured less predicted against n, one line a split."""
    table = compared(tables)
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(7.2, 2.8), sharey=True, layout="constrained")
        for axis, (condition, part) in zip(axes, table.groupby("condition"), strict=True):
            axis.axhline(0, color=INK, linewidth=0.8)
            for split, own in part.groupby("split"):
                axis.errorbar(
                    own["n"], -own["error"], 1.96 * own["se"], marker="o", label=str(split)
                )
            axis.set(title=str(condition), xlabel="training pairs", xscale="log")
            axis.set_xticks(sorted(part["n"]), labels=sorted(part["n"]))
            axis.set_xticks([], minor=True)
            axis.legend(title="tested on")
        axes[0].set_ylabel("measured less predicted (points)")
    save_figure(figure, out, ("svg",))
    plt.close(figure)
