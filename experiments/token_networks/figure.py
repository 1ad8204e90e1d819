"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.token_networks.summary import comparison
from fusiontheory.plotting import INK, NORMAL_95, head_styles, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]


def draw(tables: Tables, out: Path) -> None:
    """Write trained against predicted accuracy, with the line on which they agree."""
    from matplotlib.figure import Figure

    table = comparison(tables)
    populations = list(table["population"].unique())
    looks = head_styles(["bilinear", "concat-mlp"])
    colours = {"token-bilinear": looks["bilinear"], "token-mlp": looks["concat-mlp"]}
    with style():
        figure = Figure(figsize=(5.0, 3.4), layout="constrained")
        axes = figure.subplots()
        for (population, head), row in table.groupby(["population", "head"], sort=False):
            axes.errorbar(
                *(row["predicted"], row["trained"], NORMAL_95 * row["se"]),
                fmt="osD"[populations.index(population)],
                color=colours[str(head)].colour,
                label=f"{head}, {population}",
            )
        ends = [
            table[["predicted", "trained"]].min().min(),
            table[["predicted", "trained"]].max().max(),
        ]
        axes.plot(ends, ends, "--", color=INK, linewidth=1)
        axes.set_xlabel("predicted of the kernel (%)")
        axes.set_ylabel("trained network (%)")
        figure.legend(loc="outside right center", fontsize="small")
        save_figure(figure, out, ("svg",))
