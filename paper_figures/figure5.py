"""Figure 5: the number of parameters of every head.

``python -m paper_figures.figure5``. The closed-form counts are stored by ``python -m
validation.counts``; nothing is computed here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fusiontheory.plotting import head_styles, style
from paper_figures.marks import HEADS, PUBLISHED
from paper_figures.tables import COLUMN, RUN_TRAINED, Tables, command

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

COUNTS = "docs/results/parameter_counts.csv"
RUNS = "docs/results/trained/runs.csv"
RUN = "python -m validation.counts"
_COUNTED = "aligned"
QUOTED = {"concat-mlp": 295_554, "cross-attention": 757_000}
"""Published, arXiv:2606.01207; of cross-attention it says "about 757 thousand"."""


def draw(root: Path, out: Path) -> list[Path]:
    """Write ``figure5`` as PNG, SVG, PDF and its caption.

    Args:
        root: folder of ``docs/results``.
        out: folder for the figures.

    Raises:
        InputError: if a table cannot be read or ``out`` cannot be written to.
    """
    tables = Tables(root)
    columns = ["head", "d_v", "d_t", "parameters", "identifiable"]
    counts = tables.read(COUNTS, columns, RUN)
    runs = tables.read(RUNS, ["condition", "head", "parameters"], RUN_TRAINED)
    if _COUNTED in set(runs["condition"]):
        # The counts are at its dimensions; where features are as given, another has its own.
        runs = runs[runs["condition"] == _COUNTED]
    tables.missing += [f"{h}: no count" for h in HEADS if h not in set(counts["head"])]
    return tables.write(_figure(counts), out, "figure5", _caption(counts, runs))


def _figure(counts: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure

    counts = counts.sort_values("parameters", kind="stable").reset_index(drop=True)
    with style():
        figure = Figure(figsize=(COLUMN, 3.7), layout="constrained")
        axes = figure.subplots()
        looks = head_styles(counts["head"])
        axes.set_xscale("log")
        axes.grid(visible=False, axis="y")
        for k, row in counts.iterrows():
            _row(axes, int(str(k)), row, looks[row["head"]].colour)
        axes.set_yticks(range(len(counts)), labels=list(counts["head"]))
        axes.set_ylim(-0.6, len(counts) - 0.4)
        axes.set_xlim(1, 4e8)
        axes.set_xticks([1, 1e2, 1e4, 1e6], labels=["1", "100", "10⁴", "10⁶"])
        axes.set_xticks([], minor=True)
        axes.set_xlabel("parameters")
        _legend(figure)
    return figure


def _row(axes: Axes, k: int, row: pd.Series, colour: str) -> None:
    count, identifiable = row["parameters"], row["identifiable"]
    axes.plot([1, count], [k, k], color=colour, linewidth=2.2, solid_capstyle="butt", zorder=2)
    axes.plot(count, k, "o", color=colour, markersize=5, zorder=3)
    if np.isfinite(identifiable):
        axes.plot(identifiable, k, "|", color="black", markersize=9, markeredgewidth=1, zorder=4)
    if row["head"] in QUOTED:
        axes.plot(QUOTED[row["head"]], k, "D", mfc="none", mec=PUBLISHED, markersize=8.5, zorder=5)
    axes.text(count * 2.6, k, f"{count:,}".replace(",", " "), va="center", fontsize=7.5)


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    ink: dict[str, Any] = {"linestyle": "none", "color": "black"}
    figure.legend(
        handles=[
            Line2D([], [], marker="o", markersize=5, label="parameters", **ink),
            Line2D([], [], marker="|", markersize=9, label="identifiable, where known", **ink),
            Line2D(
                *([], []),
                marker="D",
                mfc="none",
                mec=PUBLISHED,
                linestyle="none",
                label="published, arXiv:2606.01207 (quoted)",
            ),
        ],
        loc="outside upper left",
        fontsize=7.5,
    )


def _caption(counts: pd.DataFrame, runs: pd.DataFrame) -> str:
    closed = dict(zip(counts["head"], counts["parameters"], strict=True))
    trained = {str(head): set(part["parameters"]) for head, part in runs.groupby("head")}
    agree = [head for head, found in trained.items() if found == {closed.get(head)}]
    differ = sorted(set(trained) - set(agree))
    said = f"; they differ for {', '.join(differ)}" if differ else ""
    return (
        f"Figure 5. Parameters of each head at d_v = {counts['d_v'].iloc[0]} and d_t ="
        f" {counts['d_t'].iloc[0]}, from closed forms at the heads' default settings, and the"
        " dimension of the set of its functions where it is known. The networks trained here have"
        f" these counts for {len(agree)} of {len(trained)} heads{said}.\n"
        f"Quoted, not counted here: {QUOTED['concat-mlp']} parameters of the published"
        f" concatenation MLP, about {QUOTED['cross-attention']} of its cross-attention"
        " (arXiv:2606.01207)."
    )


app = command(draw, "Draw the number of parameters of every head.")

if __name__ == "__main__":
    app()
