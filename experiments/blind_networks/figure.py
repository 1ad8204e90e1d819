"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.blind_networks.summary import comparison
from experiments.panels import draw_accuracy
from fusiontheory.plotting import INK, head_styles, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]

_HEADS = ("bilinear", "concat-mlp")


def draw(tables: Tables, out: Path) -> None:
    """Write accuracy against n: at the fixed setting points and lines, tuned runs as stars."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    table = comparison(tables)
    looks = head_styles(_HEADS)
    with style():
        figure = Figure(figsize=(7.2, 5.6), layout="constrained")
        panels = figure.subplots(2, 2, sharex=True, sharey=True).flat
        places = table.groupby(["encoder", "condition"], sort=False)
        for axes, ((encoder, condition), rows) in zip(panels, places, strict=True):
            draw_accuracy(axes, rows[rows["setting"] == "fixed"], looks)
            tuned = rows[rows["setting"] == "tuned"]
            for head, look in looks.items():
                own = tuned[tuned["head"] == head]
                axes.plot(own["n"], own["measured"], "*", color=look.colour, markersize=9)
                axes.plot(own["n"], own["predicted"], "_", color=look.colour, markersize=14)
            axes.set_title(f"{encoder}, {condition}")
        for axes in figure.axes[2:]:
            axes.set_xlabel("training pairs n")
        for axes in figure.axes[::2]:
            axes.set_ylabel("accuracy (%)")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        star = Line2D([], [], marker="*", markersize=9, color=INK, linestyle="none")
        bar = Line2D([], [], marker="_", markersize=14, color=INK, linestyle="none")
        figure.legend(
            [*handles, star, bar],
            [*labels, "tuned, measured", "tuned, predicted"],
            loc="outside lower center",
            ncols=4,
        )
        save_figure(figure, out, ("svg",))
