"""The figure, from the stored tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.paper_figure6.config import PANELS, Panel
from experiments.study import Tables
from fusiontheory.plotting import INK, NORMAL_95, HeadStyle, sample_axis, save_figure, style

LOOKS = {
    "additive": HeadStyle("#0072B2", "o"),
    "bilinear": HeadStyle("#D55E00", "s"),
    "sum": HeadStyle("#009E73", "D"),
}
NAMES = {
    "additive": "concatenation (additive)",
    "bilinear": "bilinear",
    "sum": "additive + bilinear",
}
_TITLES = {"story": "target made for the story", "matching": "image-text matching"}


def draw(tables: Tables, out: Path) -> None:
    """Write one panel per target and condition: orders, sharp theory, measured points."""
    predicted, measured = tables["predictions.csv"], tables["results.csv"]
    with style():
        figure = Figure(figsize=(9.5, 7.2), layout="constrained")
        for axes, panel in zip(figure.subplots(2, 2, sharex=True).flat, PANELS, strict=True):
            _panel(axes, panel, predicted, measured)
        heads = [
            Line2D([], [], color=look.colour, marker=look.marker, label=NAMES[head])
            for head, look in LOOKS.items()
        ]
        kinds = [
            Line2D([], [], color=INK, linestyle="--", label="orders, c = 1"),
            Line2D([], [], color=INK, label="sharp theory"),
            Line2D(
                [], [], color=INK, marker="o", linestyle="none", label="measured, 95 % interval"
            ),
        ]
        figure.legend(handles=heads + kinds, loc="outside upper left", ncols=6)
        save_figure(figure, out, ("svg",))


def _panel(axes: Axes, panel: Panel, predicted: pd.DataFrame, measured: pd.DataFrame) -> None:
    lines, points = (
        table[(table["target"] == panel.target) & (table["condition"] == panel.condition)]
        for table in (predicted, measured)
    )
    for (theory, head), curve in lines.groupby(["theory", "head"], sort=False):
        axes.plot(
            curve["n"],
            curve["risk"],
            linestyle="--" if theory == "orders" else "-",
            color=LOOKS[str(head)].colour,
        )
    for head, rows in points.groupby("head", sort=False):
        look = LOOKS[str(head)]
        axes.errorbar(
            rows["n"],
            rows["risk"],
            yerr=NORMAL_95 * rows["risk_se"],
            **look.marks,
        )
    sample_axis(axes, [points["n"].unique()], 4.0)
    axes.tick_params(labelbottom=True)
    axes.set_yscale("log")
    axes.set_yticks([0.25, 0.5, 1, 2, 4, 8], labels=["0.25", "0.5", "1", "2", "4", "8"])
    axes.set_yticks([], minor=True)
    axes.set_xlabel("training samples n")
    axes.set_ylabel("test mean squared error")
    axes.set_title(f"{_TITLES[panel.target]}, {panel.condition}")
