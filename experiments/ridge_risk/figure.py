"""The figure, from the stored tables."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from experiments.ridge_risk.config import CONTROL
from experiments.study import Tables

COLOURS = {"additive": "#0072B2", "bilinear": "#D55E00", CONTROL: "#666666"}


def draw(tables: Tables, out: Path) -> None:
    """Write one panel per target: predicted lines, measured points with two standard errors."""
    results = tables["results.csv"]
    # A fixed salt and no date: the same results give the same file.
    mpl.rcParams["svg.hashsalt"] = "ridge_risk"
    panels = list(results.groupby("target", sort=False))
    figure, axes = plt.subplots(1, len(panels), figsize=(10, 3.4), sharey=True, layout="tight")
    for axis, (target, rows) in zip(axes, panels, strict=True):
        for head, points in rows.groupby("head"):
            colour = COLOURS[str(head)]
            if head != CONTROL:  # its prediction is the bilinear head's
                axis.plot(
                    points["n"], points["predicted"], color=colour, label=f"{head}, predicted"
                )
            if points["predicted_product"].notna().any():
                axis.plot(
                    points["n"],
                    points["predicted_product"],
                    color=colour,
                    linestyle="--",
                    label=f"{head}, predicted for products",
                )
            axis.errorbar(
                points["n"],
                points["measured"],
                yerr=2 * points["standard_error"],
                fmt="x" if head == CONTROL else "o",
                markersize=4,
                color=colour,
                label=f"{head}, measured",
            )
        axis.set(xscale="log", yscale="log", xlabel="training samples n", title=f"{target} target")
    axes[0].set_ylabel("test mean squared error")
    axes[1].legend(frameon=False, fontsize=8)
    figure.savefig(out.with_suffix(".svg"), metadata={"Date": None})
