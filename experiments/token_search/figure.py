"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.token_search.summary import comparison
from fusiontheory.plotting import INK, head_styles, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]


def draw(tables: Tables, out: Path) -> None:
    """Write how far each way is from the prediction, a panel for each population."""
    from matplotlib.figure import Figure

    table = comparison(tables)
    populations = list(table["population"].unique())
    ways = list(dict.fromkeys(table["how"]))[::-1]
    looks = head_styles(["bilinear", "concat-mlp"])
    colours = {"token-bilinear": looks["bilinear"], "token-mlp": looks["concat-mlp"]}
    with style():
        figure = Figure(figsize=(7.2, 3.8), layout="constrained")
        panels = figure.subplots(1, len(populations), sharey=True, squeeze=False)[0]
        for axes, population in zip(panels, populations, strict=True):
            for shift, (head, look) in zip((0.12, -0.12), colours.items(), strict=True):
                own = table[(table["population"] == population) & (table["head"] == head)]
                axes.errorbar(
                    -own["error"],
                    [ways.index(way) + shift for way in own["how"]],
                    xerr=(own["high"] - own["error"], own["error"] - own["low"]),
                    fmt=look.marker,
                    color=look.colour,
                    label=head if axes is panels[0] else None,
                )
            axes.axvline(0, color=INK, linewidth=1)
            axes.set_title(population)
        figure.supxlabel("measured − predicted (points)", fontsize="medium")
        panels[0].set_yticks(range(len(ways)), ways)
        figure.legend(loc="outside upper right", ncols=2, fontsize="small")
        save_figure(figure, out, ("svg",))
