"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.chance_under_noise.summary import comparison
from fusiontheory.plotting import MUTED, NORMAL_95, head_styles, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]


def draw(tables: Tables, out: Path) -> None:
    """Write accuracy against n at each sigma: measured points, predicted lines, a point's band."""
    from matplotlib.figure import Figure

    table = comparison(tables).sort_values("n")
    sigmas = sorted(table["sigma"].unique())
    with style():
        figure = Figure(figsize=(7.2, 3.0), layout="constrained")
        panels = figure.subplots(1, len(sigmas), sharex=True, sharey=True)
        for axes, sigma in zip(panels, sigmas, strict=True):
            axes.axhspan(49, 51, color=MUTED, alpha=0.15, linewidth=0)
            for head, look in head_styles(table["head"].unique()).items():
                rows = table[(table["head"] == head) & (table["sigma"] == sigma)]
                axes.errorbar(
                    *(rows["n"], rows["measured"], NORMAL_95 * rows["se"]),
                    fmt=look.marker,
                    color=look.colour,
                    label=head,
                )
                axes.plot(rows["n"], rows["predicted"], look.line, color=look.colour)
            axes.set_xscale("log", base=2)
            axes.set_xlabel("training pairs n")
            axes.set_title(f"noise sigma = {sigma:g}")
        panels[0].set_ylabel("accuracy (%)")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
        save_figure(figure, out, ("svg",))
