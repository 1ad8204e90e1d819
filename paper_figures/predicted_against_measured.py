"""Predicted against measured accuracy, with the diagonal: kernel heads and trained networks.

``python -m paper_figures.predicted_against_measured``. Nothing is computed here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fusiontheory.plotting import INK, MUTED, NORMAL_95, HeadStyle, head_styles, style
from paper_figures.marks import head_legend, heads_of
from paper_figures.tables import PAGE, RUN_TRAINED, Tables, command, for_setting

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

RUN = "python -m validation run, then report --out docs/results"
_NAME = "predicted_against_measured"


def draw(root: Path, out: Path) -> list[Path]:
    """Write the figure as PNG, SVG, PDF and its caption.

    Args:
        root: folder of ``docs/results``.
        out: folder for the figures.

    Raises:
        InputError: if a table cannot be read or ``out`` cannot be written to.
    """
    tables = Tables(root)
    columns = ["condition", "head", "n", "measured", "measured_se"]
    columns += ["predicted", "predicted_low", "predicted_high"]
    kernel = tables.read("docs/results/comparison.csv", columns, RUN)
    columns = ["condition", "head", "n", "sigma", "accuracy", "se", "predicted"]
    accuracy = for_setting(tables.read("docs/results/trained/accuracy.csv", columns, RUN_TRAINED))
    trained = accuracy.rename(columns={"accuracy": "measured", "se": "measured_se"})
    unpredicted = trained[trained["predicted"].isna()]
    tables.missing += [f"{head}: trained, no prediction" for head in heads_of(unpredicted)]
    known = trained.dropna(subset=["predicted", "measured"])
    return tables.write(_figure(kernel, known), out, _NAME, _caption(kernel, known))


def _figure(kernel: pd.DataFrame, trained: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(PAGE, 4.9), layout="constrained")
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        heads = heads_of(pd.concat([kernel[["head"]], trained[["head"]]]))
        for axes, table, title in (
            (left, kernel, "kernel heads, which the theory is of"),
            (right, trained, "trained networks"),
        ):
            _panel(axes, table, heads)
            axes.set_title(title)
            axes.set_xlabel("measured accuracy (%)")
        left.set_ylabel("predicted accuracy (%)")
        _legend(figure, heads)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, heads: list[str]) -> None:
    low, high = 46.0, 96.0
    axes.plot([low, high], [low, high], color=MUTED, linewidth=0.9, zorder=1)
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    looks = head_styles(heads)
    noisy = table["sigma"] > 0 if "sigma" in table else pd.Series(False, index=table.index)
    aligned = table["condition"] == "aligned"
    for head in heads:
        for mask, open_ in ((aligned, False), (~aligned, True)):
            for part, small in ((~noisy, False), (noisy, True)):
                rows = table[(table["head"] == head) & mask & part]
                if len(rows):
                    _points(axes, rows, looks[head], open_, small)


def _points(axes: Axes, rows: pd.DataFrame, look: HeadStyle, open_: bool, small: bool) -> None:
    y = 100 * rows["predicted"].to_numpy(float)
    bars = None
    if "predicted_low" in rows:
        ends = [100 * rows[f"predicted_{end}"].to_numpy(float) for end in ("low", "high")]
        bars = np.nan_to_num(np.stack([y - ends[0], ends[1] - y])).clip(min=0)
    axes.errorbar(
        100 * rows["measured"].to_numpy(float),
        y,
        xerr=np.nan_to_num(NORMAL_95 * 100 * rows["measured_se"].to_numpy(float)),
        yerr=bars,
        fmt=look.marker,
        linestyle="none",
        color=look.colour,
        markersize=(0.7 if small else 1.0) * look.size,
        markerfacecolor="white" if open_ else look.colour,
        markeredgewidth=0.8,
        alpha=0.6 if small else 1.0,
        elinewidth=0.7,
        zorder=3,
    )


def _legend(figure: Figure, heads: list[str]) -> None:
    from matplotlib.lines import Line2D

    ink: dict[str, Any] = {"color": INK, "marker": "o", "linestyle": "none"}
    kinds = [
        Line2D([], [], label="filled: aligned", **ink),
        Line2D([], [], mfc="white", label="open: any other condition", **ink),
        Line2D([], [], markersize=3, alpha=0.6, label="small: with noise", **ink),
    ]
    head_legend(figure, heads, 4, kinds)


def _caption(kernel: pd.DataFrame, trained: pd.DataFrame) -> str:
    return (
        "Predicted against measured accuracy; on the diagonal it is predicted exactly. Left:"
        f" kernel ridge heads, each at its own best ridge ({len(kernel)} cells),"
        " which the theory describes; bars along are"
        f" the predicted bands. Right: networks trained by gradient descent ({len(trained)} cells,"
        " the published setting) under the prediction for the kernel head of the same name at ridge"
        " 0.1, or 50 % for those that read one modality; such a prediction has no band. Bars"
        " across: 1.96 standard errors over seeds."
    )


app = command(draw, "Draw predicted against measured accuracy.")

if __name__ == "__main__":
    app()
