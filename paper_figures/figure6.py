"""Figure 6: theoretical risk curves, unaligned and aligned, beside what is measured.

``python -m paper_figures.figure6``. All curves are stored by ``experiments.paper_figure6``;
nothing is computed here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from fusiontheory.plotting import INK, NORMAL_95, HeadStyle, style
from paper_figures.marks import measured, not_run, size_axis
from paper_figures.tables import PAGE, Tables, command

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

FOLDER = "experiments/paper_figure6"
RUN = "python -m experiments.paper_figure6"
_TARGETS = {"story": "target made for the story", "matching": "image-text matching"}
_CONDITIONS = ("unaligned", "aligned")
_LOOKS = {
    "additive": ("concatenation (additive)", HeadStyle("#0072B2", "o", 4.0)),
    "bilinear": ("bilinear", HeadStyle("#D55E00", "s", 4.0)),
    "sum": ("additive + bilinear", HeadStyle("#009E73", "D", 4.0)),
}


def draw(root: Path, out: Path) -> list[Path]:
    """Write ``figure6`` as PNG, SVG, PDF and its caption.

    Args:
        root: folder of ``experiments/paper_figure6``.
        out: folder for the figures.

    Raises:
        InputError: if a table cannot be read or ``out`` cannot be written to.
    """
    tables = Tables(root)
    columns = ["target", "condition", "theory", "head", "n", "risk"]
    lines = tables.read(f"{FOLDER}/predictions.csv", columns, f"{RUN} predict")
    columns = ["target", "condition", "head", "n", "risk", "risk_se"]
    points = tables.read(f"{FOLDER}/results.csv", columns, RUN)
    figure = _figure(lines, points, tables)
    return tables.write(figure, out, "figure6", _caption())


def _figure(lines: pd.DataFrame, points: pd.DataFrame, tables: Tables) -> Figure:
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(PAGE, 5.6), layout="constrained")
        grid = figure.subplots(2, 2, sharey=True)
        for i, (target, title) in enumerate(_TARGETS.items()):
            for j, condition in enumerate(_CONDITIONS):
                of = [
                    table[(table["target"] == target) & (table["condition"] == condition)]
                    for table in (lines, points)
                ]
                axes = grid[i, j]
                for name, table in zip(("predicted curve", "measured point"), of, strict=True):
                    if table.empty:
                        tables.missing.append(f"{target}, {condition}: no {name}")
                _panel(axes, *of)
                axes.set_title(f"{title}, {condition}")
                if j == 0:
                    axes.set_ylabel("test mean squared error")
                if i == 1:
                    axes.set_xlabel("training samples n")
        _legend(figure)
    return figure


def _panel(axes: Axes, lines: pd.DataFrame, points: pd.DataFrame) -> None:
    axes.set_yscale("log")
    axes.set_yticks([0.25, 0.5, 1, 2, 4, 8], labels=["0.25", "0.5", "1", "2", "4", "8"])
    axes.set_yticks([], minor=True)
    if lines.empty and points.empty:
        not_run(axes)
        return
    for (theory, head), curve in lines.groupby(["theory", "head"], sort=False):
        dashes = "--" if theory == "orders" else "-"
        axes.plot(curve["n"], curve["risk"], linestyle=dashes, color=_LOOKS[str(head)][1].colour)
    for head, rows in points.groupby("head", sort=False):
        bars = NORMAL_95 * rows["risk_se"].to_numpy(float)
        measured(axes, rows["n"], rows["risk"], bars, _LOOKS[str(head)][1], line=False)
    size_axis(axes, sorted(int(n) for n in (points if len(points) else lines)["n"].unique()))


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    heads = [
        Line2D([], [], color=look.colour, marker=look.marker, label=name)
        for name, look in _LOOKS.values()
    ]
    kinds = [
        Line2D([], [], color=INK, linestyle="--", label="orders of the paper, c = 1"),
        Line2D([], [], color=INK, label="sharp theory"),
        Line2D([], [], color=INK, marker="o", linestyle="none", label="measured, 95 % interval"),
    ]
    figure.legend(handles=heads + kinds, loc="outside upper center", ncols=3)


def _caption() -> str:
    return (
        "Figure 6. Risk against n on synthetic Gaussian features. Dashed: the orders of"
        " arXiv:2606.01207 with all constants 1; solid: sharp theory of ridge regression; points:"
        " measured, with 95 % intervals over seeds. Above, a target whose interaction goes as the"
        " modalities align, as the paper assumes; below, matching. The paper's concatenation is"
        " the additive head, its attention the sum above and the bilinear head below."
    )


app = command(draw, "Draw theoretical risk curves, unaligned and aligned.")

if __name__ == "__main__":
    app()
