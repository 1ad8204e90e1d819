"""Errors of every cell by kind of features; warned cells are hollow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

from experiments.foreign_features import cell_errors, mark_cells
from experiments.unseen_features.summary import judged
from fusiontheory.plotting import MUTED, head_styles, save_figure, style

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["draw"]


def draw(tables: Tables, out: Path) -> None:
    """Write one panel, a row a kind."""
    table = cell_errors(judged(tables))
    kinds = list(dict.fromkeys(table["kind"]))
    with style():
        figure, axis = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
        axis.axvspan(-2.5, 2.5, color=MUTED, alpha=0.15, linewidth=0)
        for head, look in head_styles(table["head"]).items():
            for trusted, filled in ((False, "none"), (True, look.colour)):
                own = table[(table["head"] == head) & ((table["trusted"] > 0.5) == trusted)]
                label = f"{head}, {'no warning' if trusted else 'warned'}"
                mark_cells(
                    axis, 100 * own["error"], own["kind"].map(kinds.index), look, filled, label
                )
        axis.set(xlabel="predicted less measured (points)")
        axis.set_yticks(range(len(kinds)), kinds)
        axis.invert_yaxis()
        figure.legend(loc="outside upper center", ncols=3)
    save_figure(figure, out, ("svg",))
    plt.close(figure)
