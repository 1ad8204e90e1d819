"""Errors of every cell by kind of features, of the theory and of trials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

from experiments.foreign_features import mark_cells
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
                    label = f"{head}, {'no warning' if trusted else 'warned'}"
                    places = own["kind"].map(kinds.index)
                    mark_cells(axis, own[f"{way}_error"], places, look, filled, label)
            axis.set(title=way, xlabel="said less measured (points)")
            axis.set_yticks(range(len(kinds)), kinds)
        axes[0].invert_yaxis()
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4)
    save_figure(figure, out, ("svg",))
    plt.close(figure)
