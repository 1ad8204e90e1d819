"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import pandas as pd

from experiments.noise_degradation.config import HEADS
from experiments.noise_degradation.summary import measured_means
from fusiontheory.plotting import (
    INK,
    MUTED,
    NORMAL_95,
    HeadStyle,
    head_styles,
    line_key,
    save_figure,
    style,
)

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from experiments.study import Tables

Place: TypeAlias = Literal["lower right", "best"]
# Sigma 0 on a logarithmic axis stands at this place.
_NO_NOISE = 0.005
_BY_N = {
    1024: HeadStyle("#56B4E9", "v"),
    4096: HeadStyle("#E69F00", "s"),
    8192: HeadStyle("#000000", "o"),
    512: HeadStyle("#56B4E9", "v"),
    2048: HeadStyle("#E69F00", "s"),
}


def draw(tables: Tables, out: Path) -> None:
    """Write six panels: accuracies and gap against sigma; gap against strength and correlation."""
    from matplotlib.figure import Figure

    predicted, measured = tables["predictions.csv"], measured_means(tables["results.csv"])
    with style():
        figure = Figure(figsize=(10, 6.2), layout="constrained")
        axes = figure.subplots(2, 3)
        for row, condition in enumerate(("unaligned", "aligned")):
            parts = [
                t[(t["part"] == "noise") & (t["side"] == "both") & (t["condition"] == condition)]
                for t in (predicted, measured)
            ]
            _accuracies(axes[row, 0], *(t[t["n"] == 4096] for t in parts))
            axes[row, 0].set_title(f"{condition}, n = 4096")
            _gaps(axes[row, 1], "lower right", *parts)
            axes[row, 1].set_title(f"{condition}, gap")
            for column in (0, 1):
                _noise_axis(axes[row, column])
        for row, part in enumerate(("strength", "correlation")):
            _gaps(axes[row, 2], "best", *(t[t["part"] == part] for t in (predicted, measured)))
        axes[0, 2].set(xlabel="alignment strength", title="no noise, gap")
        axes[1, 2].set(xlabel="canonical correlation ρ", title="Gaussian pairs, gap")
        line_key(figure)
    save_figure(figure, out, ("svg",))


def _accuracies(axes: Axes, predicted: pd.DataFrame, measured: pd.DataFrame) -> None:
    for head, look in head_styles(HEADS).items():
        _series(axes, predicted, measured, head, look, head)
    axes.axhline(50, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_ylabel("test accuracy (%)")
    axes.legend(loc="upper right")


def _gaps(axes: Axes, place: Place, predicted: pd.DataFrame, measured: pd.DataFrame) -> None:
    for n, rows in measured.groupby("n"):
        known = predicted[predicted["n"] == n]
        _series(axes, known, rows, "gap", _BY_N[int(str(n))], f"n = {n}")
    axes.axhline(0, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_ylabel("concat-mlp − bilinear (points)")
    axes.legend(loc=place, handlelength=1.0)


def _series(
    axes: Axes,
    predicted: pd.DataFrame,
    measured: pd.DataFrame,
    name: str,
    look: HeadStyle,
    label: str,
) -> None:
    """Draw the predicted line and the measured points of one quantity against the level."""
    predicted = predicted.sort_values("level")
    axes.plot(_place(predicted), 100 * predicted[name], color=look.colour, zorder=3)
    axes.errorbar(
        _place(measured),
        100 * measured[name],
        yerr=NORMAL_95 * 100 * measured[f"{name}_se"],
        **look.marks,
        elinewidth=1.0,
        label=label,
        zorder=4,
    )


def _place(rows: pd.DataFrame) -> pd.Series[float]:
    """Return where a level is drawn: sigma on a logarithmic axis has no 0."""
    return rows["level"].where((rows["level"] > 0) | (rows["part"] != "noise"), _NO_NOISE)


def _noise_axis(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_xticks([_NO_NOISE, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5])
    axes.set_xticklabels(["0", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5"], color=INK)
    axes.set_xticks([], minor=True)
    axes.set_xlabel("noise σ per coordinate, both sides")
