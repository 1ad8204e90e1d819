"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.degraded_networks.config import ENDS
from experiments.degraded_networks.summary import comparison
from fusiontheory.plotting import NORMAL_95, head_styles, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]

_HEADS = ("bilinear", "concat-mlp", "cross-attention")


def draw(tables: Tables, out: Path) -> None:
    """Write accuracy against noise, aligned and unaligned: measured points, predicted lines."""
    from matplotlib.figure import Figure

    table = comparison(tables)
    looks = head_styles(_HEADS)
    with style():
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, condition in zip(panels, ENDS, strict=True):
            here = table[table["condition"] == condition].sort_values("sigma")
            for head, look in looks.items():
                rows = here[here["head"] == head]
                axes.errorbar(
                    *(rows["sigma"], rows["measured"], NORMAL_95 * rows["se"]),
                    fmt=look.marker,
                    color=look.colour,
                    label=head,
                )
                axes.plot(rows["sigma"], rows["predicted"], look.line, color=look.colour)
            axes.set_xscale("symlog", linthresh=0.01)
            axes.set_xlabel("noise sigma")
            axes.set_title(condition)
        panels[0].set_ylabel("accuracy (%)")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        save_figure(figure, out, ("svg",))
