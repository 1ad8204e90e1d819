"""The figure, from the stored tables."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from experiments.study import Tables

COLOURS = {"additive": "#0072B2", "bilinear": "#D55E00"}


def draw(tables: Tables, out: Path) -> None:
    """Write one panel per correlation, for the mixed target: lines predicted, points measured."""
    results = tables["results.csv"]
    results = results[results["target"] == "mixed"]
    # A fixed salt and no date: the same results give the same file.
    mpl.rcParams["svg.hashsalt"] = "correlated_risk"
    panels = list(results.groupby("rho", sort=True))
    figure, axes = plt.subplots(1, len(panels), figsize=(11, 3.2), sharey=True, layout="tight")
    for axis, (rho, rows) in zip(axes, panels, strict=True):
        for head, points in rows.groupby("head", sort=False):
            colour = COLOURS[str(head)]
            axis.plot(points["n"], points["predicted"], color=colour, label=f"{head}, predicted")
            if head == "bilinear":
                axis.plot(
                    points["n"],
                    points["gaussian"],
                    color=colour,
                    linestyle=":",
                    label="bilinear, as if Gaussian",
                )
            axis.errorbar(
                points["n"],
                points["measured"],
                yerr=2 * points["standard_error"],
                fmt="o",
                markersize=4,
                color=colour,
                label=f"{head}, measured",
            )
        axis.set(xscale="log", yscale="log", xlabel="training samples n", title=f"ρ = {rho:g}")
    axes[0].set_ylabel("test mean squared error")
    axes[0].legend(frameon=False, fontsize=7)
    figure.savefig(out.with_suffix(".svg"), metadata={"Date": None})
    plt.close(figure)
