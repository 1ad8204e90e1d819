"""Draw the figure from the stored results: ``python -m experiments.sample_complexity.figure``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.sample_complexity.run import HERE, RESULTS
from fusiontheory.plotting import INK, NORMAL_95, save_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURE = HERE / "figure"
LEVEL = 0.5
LOOKS = {"additive": ("#0072B2", "o"), "bilinear": ("#D55E00", "s")}


def main() -> None:
    """Write n against d (top) and n over parameters and effective dimension (bottom), by case."""
    results = pd.read_csv(RESULTS)
    results = results[results["level"] == LEVEL]
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9.6, 5.6), layout="constrained")
        cases = list(results.groupby("case", sort=False))
        grid = figure.subplots(2, len(cases), sharex=True, sharey="row", height_ratios=(3, 2))
        for column, (case, rows) in enumerate(cases):
            _samples(grid[0, column], rows)
            grid[0, column].set_title(str(case))
            _ratios(grid[1, column], rows)
        grid[0, 0].set_ylabel("n at half the target's power (samples)")
        grid[1, 0].set_ylabel("measured n over ...")
        for axes in grid[1]:
            axes.set_xlabel("d = d_v = d_t (features per modality)")
        for axes in grid[:, 0]:
            handles, labels = axes.get_legend_handles_labels()
            figure.legend(
                handles,
                labels,
                loc="outside upper left" if axes is grid[0, 0] else "outside lower left",
                ncols=4,
            )
        save_figure(figure, FIGURE, formats=("svg",))


def _samples(axes: Axes, rows: pd.DataFrame) -> None:
    for head, part in rows.groupby("head", sort=False):
        colour, marker = LOOKS[str(head)]
        axes.plot(part["d"], part["predicted"], color=colour, label=f"{head}, predicted")
        first = part.iloc[0]
        power = 1 if head == "additive" else 2
        claimed = first["predicted"] * (part["d"] / first["d"]) ** power
        axes.plot(
            part["d"], claimed, color=colour, linestyle=":", label=f"slope {power}, as claimed"
        )
        axes.errorbar(
            part["d"],
            part["measured"],
            yerr=NORMAL_95 * part["standard_error"],
            fmt=marker,
            color=colour,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label=f"{head}, measured, 95 %",
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(np.unique(rows["d"]), labels=[f"{d}" for d in np.unique(rows["d"])])
    axes.set_xticks([], minor=True)


def _ratios(axes: Axes, rows: pd.DataFrame) -> None:
    for head, part in rows.groupby("head", sort=False):
        colour, marker = LOOKS[str(head)]
        for name, label, face in (
            ("effective_dimension", "effective dimension", colour),
            ("count", "parameters", "white"),
        ):
            axes.errorbar(
                part["d"],
                part["measured"] / part[name],
                yerr=NORMAL_95 * part["standard_error"] / part[name],
                fmt=marker,
                color=colour,
                markerfacecolor=face,
                label=f"{head}, over {label}",
            )
    axes.axhline(1.2, color=INK, linewidth=0.8)
    axes.annotate("1.2", (16, 1.2), xytext=(-2, -11), textcoords="offset points")
    axes.set_ylim(0, 1.5)


if __name__ == "__main__":
    main()
