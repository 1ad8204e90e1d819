"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.panels import draw_accuracy
from experiments.shared_directions.summary import comparison
from fusiontheory.plotting import HeadStyle, head_styles, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]

_LOOKS = {
    **head_styles(["concat-mlp", "concat-mlp-aligned"]),
    "own pairs": HeadStyle("#E69F00", "v", line="--"),
    "network": HeadStyle("#009E73", "D"),
}


def draw(tables: Tables, out: Path) -> None:
    """Write accuracy against n for each condition: measured points, predicted lines."""
    from matplotlib.figure import Figure

    table = comparison(tables)
    with style():
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        panels = figure.subplots(1, table["condition"].nunique(), sharey=True)
        for axes, (condition, rows) in zip(panels, table.groupby("condition"), strict=True):
            draw_accuracy(axes, rows, _LOOKS)
            axes.set(title=condition, xlabel="training pairs n")
        panels[0].set_ylabel("accuracy (%)")
        panels[-1].legend(loc="lower right")
        save_figure(figure, out, ("svg",))
