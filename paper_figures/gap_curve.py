"""The lead of concatenation against n with the theory's band: kernel heads, trained networks.

``python -m paper_figures.gap_curve``. Nothing is computed but differences of stored columns.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fusiontheory.plotting import INK, NORMAL_95, HeadStyle, head_styles, style
from paper_figures.marks import chance_line, measured, not_run, size_axis
from paper_figures.tables import PAGE, RUN_TRAINED, Tables, command, for_setting

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

RUN = "python -m validation run, then report --out docs/results"
_FIRST = "concat-mlp"
_CONDITIONS = ("unaligned", "aligned")
_OTHERS = ("bilinear", "cross-attention")
# Reads the caption alone, which puts it at chance exactly.
_BLIND = "cross-attention"


def draw(root: Path, out: Path) -> list[Path]:
    """Write ``gap_curve`` as PNG, SVG, PDF and its caption.

    Args:
        root: folder of ``docs/results``.
        out: folder for the figures.

    Raises:
        InputError: if a table cannot be read or ``out`` cannot be written to.
    """
    tables = Tables(root)
    curves = tables.read(
        "docs/results/curves.csv",
        ["condition", "head", "n", "accuracy", "accuracy_low", "accuracy_high"],
        RUN,
    )
    columns = ["condition", "n", "measured_gap", "measured_gap_se"]
    kernel = tables.read("docs/results/gaps.csv", columns, RUN)
    columns = ["condition", "second", "n", "sigma", "gap", "crossed_low", "crossed_high"]
    gaps = for_setting(tables.read("docs/results/trained/gaps.csv", columns, RUN_TRAINED))
    gaps = gaps[(gaps["sigma"] == 0) & gaps["second"].isin(_OTHERS)]
    for condition in _CONDITIONS:
        for head in _OTHERS:
            if gaps[(gaps["condition"] == condition) & (gaps["second"] == head)].empty:
                tables.missing.append(f"{condition}, {head}: no measured gap of trained heads")
        if kernel[kernel["condition"] == condition].empty:
            tables.missing.append(f"{condition}: no measured gap of kernel heads")
    return tables.write(_figure(curves, kernel, gaps), out, "gap_curve", _caption())


def _figure(curves: pd.DataFrame, kernel: pd.DataFrame, gaps: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(PAGE, 5.4), layout="constrained")
        grid = figure.subplots(2, 2, sharex=True, sharey="row")
        sizes = sorted({int(n) for table in (kernel, gaps) for n in table["n"]})
        looks = head_styles(_OTHERS)
        for j, condition in enumerate(_CONDITIONS):
            theory = curves[curves["condition"] == condition]
            rows = kernel[kernel["condition"] == condition]
            _band(grid[0, j], theory, "bilinear", looks["bilinear"])
            if rows.empty:
                not_run(grid[0, j])
            else:
                bars = NORMAL_95 * 100 * rows["measured_gap_se"].to_numpy(float)
                y = 100 * rows["measured_gap"].to_numpy(float)
                measured(grid[0, j], rows["n"], y, bars, looks["bilinear"], line=False)
            _trained(grid[1, j], theory, gaps[gaps["condition"] == condition], looks)
            for row, kind in enumerate(("kernel heads", "trained networks")):
                chance_line(grid[row, j], 0)
                grid[row, j].set_title(f"{kind}, {condition}")
                size_axis(grid[row, j], sizes)
            grid[1, j].set_xlabel("training pairs n")
        for axes in grid[:, 0]:
            axes.set_ylabel(f"lead of {_FIRST} (points)")
        _legend(figure, looks)
    return figure


def _trained(
    axes: Axes, theory: pd.DataFrame, gaps: pd.DataFrame, looks: dict[str, HeadStyle]
) -> None:
    for head in _OTHERS:
        _band(axes, theory, head, looks[head])
        rows = gaps[gaps["second"] == head].sort_values("n")
        if len(rows):
            ends = rows["gap"] - rows["crossed_low"], rows["crossed_high"] - rows["gap"]
            bars = 100 * np.stack([end.to_numpy(float) for end in ends])
            y = 100 * rows["gap"].to_numpy(float)
            measured(axes, rows["n"], y, bars, looks[head], line=False)
    if gaps.empty:
        not_run(axes)


def _band(axes: Axes, theory: pd.DataFrame, head: str, look: HeadStyle) -> None:
    """Draw the predicted lead; its band is from end to end of both heads' bands."""
    columns = ["accuracy", "accuracy_low", "accuracy_high"]
    by_head = {str(name): rows.set_index("n")[columns] for name, rows in theory.groupby("head")}
    if _FIRST not in by_head or (head != _BLIND and head not in by_head):
        return
    first = by_head[_FIRST].sort_index()
    chance = pd.DataFrame(0.5, index=first.index, columns=columns)
    other = chance if head == _BLIND else by_head[head].reindex(first.index)
    n = first.index.to_numpy(float)
    low = 100 * (first["accuracy_low"] - other["accuracy_high"]).to_numpy(float)
    high = 100 * (first["accuracy_high"] - other["accuracy_low"]).to_numpy(float)
    axes.plot(n, 100 * (first["accuracy"] - other["accuracy"]).to_numpy(float), color=look.colour)
    axes.fill_between(n, low, high, color=look.colour, alpha=0.18, linewidth=0)


def _legend(figure: Figure, looks: dict[str, HeadStyle]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Line2D | Patch] = [
        Line2D(
            *([], []),
            color=look.colour,
            marker=look.marker,
            markersize=look.size,
            linestyle="none",
            label=f"over {head}, measured, 95 % interval",
        )
        for head, look in looks.items()
    ]
    handles.append(Line2D([], [], color=INK, label="predicted"))
    handles.append(Patch(color=INK, alpha=0.18, label="band of the theory"))
    figure.legend(handles=handles, loc="outside upper left", ncols=2)


def _caption() -> str:
    return (
        f"The lead of {_FIRST} in points against n. Above: kernel ridge heads, each"
        " at its own best ridge, over the bilinear head; points are measured,"
        " bars 1.96 standard errors over seeds. Below: trained"
        " networks, the published setting, over the bilinear head and over single-token"
        " cross-attention; bars are 95 % intervals over seeds and test images. Lines: predicted"
        " for these kernel heads, with cross-attention at 50 %, as it reads one modality; bands run"
        " from end to end of both heads' 95 % bands, wider than a band of the lead itself. They"
        " stop where the stored curves stop. Dashed: no lead."
    )


app = command(draw, "Draw the lead of concatenation against n with the theory's band.")

if __name__ == "__main__":
    app()
