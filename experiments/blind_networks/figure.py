"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.blind_networks.summary import comparison
from experiments.panels import draw_accuracy
from fusiontheory.plotting import head_styles, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]

_HEADS = ("bilinear", "concat-mlp")


def draw(tables: Tables, out: Path) -> None:
    """Write accuracy against n at the fixed setting: measured points, predicted lines."""
    from matplotlib.figure import Figure

    table = comparison(tables)
    looks = head_styles(_HEADS)
    with style():
        figure = Figure(figsize=(7.2, 5.6), layout="constrained")
        panels = figure.subplots(2, 2, sharex=True, sharey=True).flat
        places = table.groupby(["encoder", "condition"], sort=False)
        for axes, ((encoder, condition), rows) in zip(panels, places, strict=True):
            draw_accuracy(axes, rows[rows["setting"] == "fixed"], looks)
            axes.set_title(f"{encoder}, {condition}")
        for axes in figure.axes[2:]:
            axes.set_xlabel("training pairs n")
        for axes in figure.axes[::2]:
            axes.set_ylabel("accuracy (%)")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        save_figure(figure, out, ("svg",))
