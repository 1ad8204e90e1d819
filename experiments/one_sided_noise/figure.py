"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.degraded_networks import ENDS
from experiments.one_sided_noise.config import SIDES
from experiments.one_sided_noise.summary import comparison
from fusiontheory.plotting import NORMAL_95, head_styles, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]

_HEADS = ("bilinear", "concat-mlp")


def draw(tables: Tables, out: Path) -> None:
    """Write accuracy against noise by condition: filled on images, hollow on texts."""
    from matplotlib.figure import Figure

    table = comparison(tables).sort_values("sigma")
    looks = head_styles(_HEADS)
    with style():
        figure = Figure(figsize=(7.2, 3.4), layout="constrained")
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, condition in zip(panels, ENDS, strict=True):
            for head, look in looks.items():
                for side, line, filled in zip(SIDES, "-:", (look.colour, "none"), strict=True):
                    here = (table["condition"] == condition) & (table["side"] == side)
                    rows = table[here & (table["head"] == head)]
                    axes.errorbar(
                        *(rows["sigma"], rows["measured"], NORMAL_95 * rows["se"]),
                        fmt=look.marker,
                        color=look.colour,
                        markerfacecolor=filled,
                        label=f"{head}, noise on {side}",
                    )
                    axes.plot(rows["sigma"], rows["predicted"], line, color=look.colour)
            axes.set_xscale("log")
            axes.set_xlabel("noise sigma")
            axes.set_title(condition)
        panels[0].set_ylabel("accuracy (%)")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
        save_figure(figure, out, ("svg",))
