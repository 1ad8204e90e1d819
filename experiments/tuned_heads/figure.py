"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.tuned_heads.summary import comparison
from fusiontheory.plotting import INK, NORMAL_95, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]


def draw(tables: Tables, out: Path) -> None:
    """Write, head by head, the tuned network, the fixed setting and the kernel's prediction."""
    from matplotlib.figure import Figure

    table = comparison(tables)
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
        axes.plot(
            table["predicted"], rows, "|", color=INK, markersize=14, label="kernel, predicted"
        )
        axes.set_yticks(rows, [f"{r.head}, {r.condition}" for r in table.itertuples()])
        axes.set_ylim(-0.5, len(table) - 0.5)
        axes.set_xlabel("accuracy (%)")
        figure.legend(loc="outside lower center", ncols=3)
        save_figure(figure, out, ("svg",))
