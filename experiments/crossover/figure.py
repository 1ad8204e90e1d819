"""Draw the figure from the stored results: ``python -m experiments.crossover.figure``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.crossover.config import Config
from experiments.crossover.run import stored
from fusiontheory.plotting import INK, MUTED, save_figure, style

FIGURE = Path(__file__).with_name("figure.svg")
# Of the palette of Okabe & Ito; the map between them is white where both heads are level.
_MAP, _LIMIT = "PuOr", 0.6
_ORDERS, _SHARP = "#009E73", "#000000"
_MARKS = {0.001: ("#0072B2", "o"), 1.0: ("#D55E00", "s")}


def main() -> None:
    """Write a row of maps for each ridge, each with the measured against the predicted n*."""
    config = Config()
    results, crossings = stored()
    with style():
        figure = Figure(figsize=(11, 6.2), layout="constrained")
        grid = figure.subplots(len(config.ridges), len(config.shown_n) + 1)
        for row, ridge in zip(grid, config.ridges, strict=True):
            held = results[results["ridge"] == ridge]
            for axes, n in zip(row, config.shown_n, strict=False):
                image = _map(axes, held[held["n"] == n], config.dimension, n)
                axes.set_title(f"n = {n}, ridge {ridge:g}")
            row[0].set_ylabel("canonical correlation\n(alignment)")
            _scatter(row[-1], crossings[crossings["ridge"] == ridge], config, ridge)
        for axes in grid[-1][:-1]:
            axes.set_xlabel("interaction share of the target")
        grid[-1][-1].set_xlabel("measured n* (training samples)")
        figure.colorbar(
            image,
            ax=grid[:, :-1],
            location="bottom",
            shrink=0.5,
            aspect=40,
            extend="both",
            label="measured log(additive risk / bilinear risk): below 0 the additive head wins,"
            " above 0 the bilinear one",
        )
        figure.legend(
            handles=[
                Line2D([], [], color=_SHARP, label="predicted boundary, sharp"),
                Line2D([], [], color=_ORDERS, linestyle="--", label="orders, c = 1, exact misfits"),
                Line2D(
                    [],
                    [],
                    color=_ORDERS,
                    linestyle=":",
                    label="orders, c = 1, misfit (1 - correlation) x share",
                ),
            ],
            loc="outside upper left",
            ncols=3,
        )
        save_figure(figure, FIGURE.with_suffix(""), ["svg"])


def _map(axes: Axes, rows: pd.DataFrame, d: int, n: int) -> QuadMesh:
    """Draw who wins at one n, and the boundaries that were predicted."""
    measured = rows["additive"] / rows["bilinear"]
    predicted = rows["predicted_additive"] / rows["predicted_bilinear"]
    index = [rows["correlation"], rows["interaction"]]
    table, theory = (
        pd.Series(np.log(ratio.to_numpy(dtype=float)), index=index).unstack()
        for ratio in (measured, predicted)
    )
    share, rho = table.columns.to_numpy(dtype=float), table.index.to_numpy(dtype=float)
    image = axes.pcolormesh(
        share, rho, table.to_numpy(), cmap=_MAP, vmin=-_LIMIT, vmax=_LIMIT, shading="nearest"
    )
    image.set_rasterized(True)
    axes.contour(share, rho, theory.to_numpy(), levels=[0.0], colors=_SHARP, linewidths=1.4)
    excess = (d * d - 2 * d) / n
    if excess <= 1:
        axes.axvline((1 + excess) / 2, color=_ORDERS, linestyle="--", linewidth=1.4)
        height = np.linspace(0, float(rho[-1]), 200)
        edge = excess / (1 - height)
        axes.plot(edge[edge <= 1], height[edge <= 1], ":", color=_ORDERS, linewidth=1.6)
    axes.set(xlim=(-0.025, 1.025), ylim=(-0.025, float(rho[-1]) + 0.025))
    axes.grid(visible=False)
    return image


def _scatter(axes: Axes, rows: pd.DataFrame, config: Config, ridge: float) -> None:
    """Draw predicted against measured n*, of the sharp theory and of the orders."""
    inside = rows[np.isfinite(rows["measured"]) & (rows["measured"] > 0)]
    colour, marker = _MARKS.get(ridge, (INK, "o"))
    known = inside[np.isfinite(inside["orders"]) & (inside["orders"] > 0)]
    axes.plot(known["measured"], known["orders"], "^", color=_ORDERS, markersize=3, alpha=0.6)
    known = inside[np.isfinite(inside["predicted"]) & (inside["predicted"] > 0)]
    error = known["log_se"].replace(np.inf, np.nan).fillna(0.0)
    axes.errorbar(
        known["measured"],
        known["predicted"],
        xerr=[
            known["measured"] * (1 - np.exp(-1.96 * error)),
            known["measured"] * (np.exp(1.96 * error) - 1),
        ],
        fmt=marker,
        color=colour,
        markersize=3,
        elinewidth=0.6,
    )
    ends = [config.n[0], config.n[-1]]
    axes.plot(ends, ends, color=MUTED, linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlim=(100, 10000), ylim=(100, 40000))
    axes.set_ylabel("predicted n*")
    axes.set_title(f"crossovers, ridge {ridge:g}")
    axes.legend(
        handles=[
            Line2D([], [], color=colour, marker=marker, linestyle="none", label="sharp"),
            Line2D([], [], color=_ORDERS, marker="^", linestyle="none", label="orders, c = 1"),
        ],
        loc="upper left",
    )


if __name__ == "__main__":
    main()
