"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.leaving_chance.summary import comparison
from fusiontheory.plotting import INK, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]


def draw(tables: Tables, out: Path) -> None:
    """Write the test accuracy of each run, and what the kernel at the start says."""
    from matplotlib.figure import Figure

    table = comparison(tables)
    rows = np.arange(len(table))[::-1]
    with style():
        figure = Figure(figsize=(5.6, 2.4), layout="constrained")
        axes = figure.subplots()
        axes.plot(table["test"], rows, "o", color="#0072B2", label="trained")
        axes.plot(table["fixed"], rows, "s", color="#E69F00", label="fixed setting")
        axes.axvline(table["kernel"].iloc[0], color=INK, linewidth=1, label="kernel at the start")
        names = [f"rate {r.learning_rate:g}, scale {r.init_scale:.3g}" for r in table.itertuples()]
        axes.set_yticks(rows, names)
        axes.set_ylim(-0.5, len(table) - 0.5)
        axes.set_xlabel("accuracy (%)")
        figure.legend(loc="outside lower center", ncols=3)
        save_figure(figure, out, ("svg",))
