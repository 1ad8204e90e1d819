"""Figure 4: image and text features in the plane, in each condition, by t-SNE.

``python -m paper_figures.figure4``. The coordinates are stored by ``python -m
validation.embedding``; nothing is computed here.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from fusiontheory.plotting import MUTED, style
from paper_figures.marks import CONDITIONS, conditions_of, not_run, unknown_conditions
from paper_figures.tables import PAGE, Tables, command

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

FOLDER = "docs/results/embedding"
RUN = "python -m validation.embedding"
_COLUMNS = 3
_LOOKS = {"image": ("#0072B2", "o"), "text": ("#D55E00", "^")}


def draw(root: Path, out: Path) -> list[Path]:
    """Write ``figure4`` as PNG, SVG, PDF and its caption.

    Args:
        root: folder of ``docs/results/embedding``.
        out: folder for the figures.

    Raises:
        InputError: if a table cannot be read or ``out`` cannot be written to.
    """
    tables = Tables(root)
    columns = ["condition", "modality", "image", "x", "y"]
    points = tables.read(f"{FOLDER}/points.csv", columns, RUN)
    facts = tables.facts(f"{FOLDER}/facts.json", ["features", "settings", "conditions"], RUN)
    tables.missing += unknown_conditions(points, CONDITIONS)
    return tables.write(_figure(points), out, "figure4", _caption(facts))


def _figure(points: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure

    conditions = conditions_of(points)
    rows = math.ceil((len(conditions) + 1) / _COLUMNS)  # one more for the legend
    with style():
        figure = Figure(figsize=(PAGE, 2.35 * rows), layout="constrained")
        grid = figure.subplots(rows, _COLUMNS, squeeze=False)
        for axes in grid.flat:
            axes.set(xticks=[], yticks=[])
            axes.grid(visible=False)
        for axes in grid.flat[len(conditions) :]:
            axes.set_axis_off()
        for axes, condition in zip(grid.flat, conditions, strict=False):
            _panel(axes, points[points["condition"] == condition])
            axes.set_title(condition, parse_math=False)
        _legend(grid.flat[len(conditions)])
    return figure


def _panel(axes: Axes, points: pd.DataFrame) -> None:
    if points.empty:
        not_run(axes)
        return
    from matplotlib.collections import LineCollection

    axes.set_aspect("equal", adjustable="datalim")
    wide = points.pivot_table(index="image", columns="modality", values=["x", "y"]).dropna()
    ends = [list(zip(wide["x", m], wide["y", m], strict=True)) for m in _LOOKS]
    pairs = [list(pair) for pair in zip(*ends, strict=True)]
    axes.add_collection(LineCollection(pairs, colors=MUTED, linewidths=0.3, alpha=0.35, zorder=1))
    for modality, (colour, marker) in _LOOKS.items():
        rows = points[points["modality"] == modality]
        axes.scatter(
            *(rows["x"], rows["y"]),
            s=7,
            color=colour,
            marker=marker,
            linewidths=0.2,
            edgecolors="white",
            zorder=2,
        )


def _legend(axes: Axes) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="none", label=f"{modality} feature")
        for modality, (colour, marker) in _LOOKS.items()
    ]
    handles.append(Line2D([], [], color=MUTED, linewidth=0.8, label="a text and its own image"))
    axes.legend(handles=handles, loc="center left", fontsize=8)


def _caption(facts: dict[str, Any]) -> str:
    used = facts["settings"]
    shares = ", ".join(
        f"{name} {100 * about['nearest_is_own']:.1f} %"
        for name, about in facts["conditions"].items()
    )
    return (
        f"Figure 4. The features of {used['images']} test images and one text of each"
        f" ({facts['features']}), both modalities placed together by t-SNE (perplexity"
        f" {used['perplexity']:g}, seed {used['seed']}) in each condition. It keeps neighbours;"
        " distances, and the axes, mean nothing. Measured on the same rows in all dimensions,"
        f" share of the texts whose nearest image is their own: {shares}"
        f" (chance {100 / used['images']:.1f} %). Settings: {json.dumps(used)}."
    )


app = command(draw, "Draw image and text features in the plane.")

if __name__ == "__main__":
    app()
