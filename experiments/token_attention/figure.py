"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.panels import draw_accuracy
from experiments.token_attention.summary import comparison, networks
from fusiontheory.plotting import INK, HeadStyle, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw", "draw_panels"]

_LOOKS = {
    "token-mean": HeadStyle("#009E73", "D"),
    "token-answer": HeadStyle("#CC79A7", "^"),
    "token-pair": HeadStyle("#E69F00", "v"),
    "token-bilinear": HeadStyle("#D55E00", "s"),
    "token-mlp": HeadStyle("#0072B2", "o"),
}


def draw(tables: Tables, out: Path) -> None:
    """Write accuracy against n by population: measured points, predicted lines, trained stars."""
    draw_panels(tables, out, rows=2, height=5.6)


def draw_panels(tables: Tables, out: Path, rows: int, height: float) -> None:
    """Write a panel for each population, two in a row, in a figure of a height in inches.

    Without a table of networks there are no stars.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    table = comparison(tables)
    learned = networks(tables) if "trained.csv" in tables else table.iloc[:0]
    with style():
        figure = Figure(figsize=(7.2, height), layout="constrained")
        panels = figure.subplots(rows, 2, sharex=True).flat
        for axes, (population, cells) in zip(
            panels, table.groupby("population", sort=False), strict=True
        ):
            draw_accuracy(axes, cells, _LOOKS)
            for head, look in _LOOKS.items():
                net = learned[(learned["population"] == population) & (learned["head"] == head)]
                if len(net):
                    axes.plot(net["n"] * 1.12, net["trained"], "*", color=look.colour, markersize=8)
            axes.set_title(population)
        for axes in figure.axes[-2:]:
            axes.set_xlabel("training pairs n")
        for axes in figure.axes[::2]:
            axes.set_ylabel("accuracy (%)")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        if len(learned):
            handles.append(Line2D([], [], marker="*", markersize=8, color=INK, linestyle="none"))
            labels.append("trained network")
        figure.legend(handles, labels, loc="outside lower center", ncols=6)
        save_figure(figure, out, ("svg",))
