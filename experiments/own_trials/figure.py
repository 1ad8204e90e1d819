"""Errors of every cell by kind of features, of the theory and of trials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from experiments.own_trials.summary import WAYS, compared
from fusiontheory.plotting import MUTED, head_styles, save_figure, style
from fusiontheory.synthetic import FOREIGN

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["draw"]


def draw(tables: Tables, out: Path) -> None:
    """Write a panel for the theory and one for trials; warned cells are hollow."""
    table = compared(tables)
    table["kind"] = [FOREIGN[name].kind for name in table["population"]]
    kinds = list(dict.fromkeys(table["kind"]))
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(8.2, 4.2), sharey=True, layout="constrained")
        for axis, way in zip(axes, WAYS, strict=True):
            axis.axvspan(-2.5, 2.5, color=MUTED, alpha=0.15, linewidth=0)
            for head, look in head_styles(table["head"]).items():
                for trusted, filled in ((False, "none"), (True, look.colour)):
                    own = table[(table["head"] == head) & (table["trusted"] == trusted)]
                    # Side by side, so that cells of one kind do not hide each other.
                    rank = np.arange(len(own)) * 0.618 % 1 - 0.5
                    axis.plot(
                        own[f"{way}_error"],
                        own["kind"].map(kinds.index) + 0.7 * rank,
                        look.marker,
                        color=look.colour,
                        markerfacecolor=filled,
                        markersize=look.size - 2,
                        linestyle="none",
                        alpha=0.6,
                        label=f"{head}, {'no warning' if trusted else 'warned'}",
                    )
            axis.set(title=way, xlabel="said less measured (points)")
            axis.set_yticks(range(len(kinds)), kinds)
        axes[0].invert_yaxis()
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4)
    save_figure(figure, out, ("svg",))
    plt.close(figure)
