"""Draw the figure from the stored results: ``python -m experiments.interpolation_peak.figure``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.interpolation_peak.run import HERE, RESULTS
from fusiontheory.plotting import INK, NORMAL_95, save_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURE = HERE / "figure"
LOOKS = (("#000000", "^"), ("#D55E00", "s"), ("#009E73", "D"), ("#0072B2", "o"))
# Without ridge the mean is not measured where the variance over training sets is infinite.
UNMEASURED = 3


def main() -> None:
    """Write one column per head: excess risk (top), predicted over measured (bottom)."""
    results, curves = pd.read_csv(RESULTS), pd.read_csv(HERE / "curves.csv")
    with style():
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D

        figure = Figure(figsize=(9.6, 6.4), layout="constrained")
        grid = figure.subplots(2, 2, sharex="col", sharey="row", height_ratios=(3, 2))
        for column, (head, rows) in enumerate(results.groupby("head", sort=False)):
            lines = curves[curves["head"] == head]
            p = int(lines["features"].iloc[0])
            _risk(grid[0, column], str(head), rows, lines, p)
            _ratio(grid[1, column], str(head), rows, p)
            grid[0, column].set_title(f"{head}, p = {p}")
        grid[0, 0].set_ylabel("excess risk (target power = 1)")
        grid[1, 0].set_ylabel("predicted over measured")
        handles, labels = grid[0, 0].get_legend_handles_labels()
        handles += [
            Line2D([], [], color=INK, marker="o"),
            Line2D([], [], color=INK, linestyle=":", marker="o", markerfacecolor="white"),
        ]
        labels += ["formula meant for the case", "ridge_risk, where that is another"]
        figure.legend(handles, labels, loc="outside upper left", ncols=3)
        save_figure(figure, FIGURE, formats=("svg",))


def _formula(head: str, ridge: float) -> str:
    if head == "bilinear":
        return "sharp"
    return "exact" if ridge == 0 else "gaussian"


def _trusted(points: pd.DataFrame, ridge: float, p: int) -> pd.DataFrame:
    return points[(points["n"] - p).abs() > UNMEASURED] if ridge == 0 else points


def _cases(rows: pd.DataFrame) -> Iterator[tuple[float, pd.DataFrame, tuple[str, str]]]:
    groups = rows.groupby("ridge_over_trace")
    for (ridge, points), look in zip(groups, LOOKS, strict=True):
        yield float(str(ridge)), points, look


def _risk(axes: Axes, head: str, rows: pd.DataFrame, curves: pd.DataFrame, p: int) -> None:
    largest = float(rows["ridge_over_trace"].max())
    for ridge, points, (colour, marker) in _cases(rows):
        line, meant = curves[curves["ridge_over_trace"] == ridge], _formula(head, ridge)
        _line(axes, line, meant, p, color=colour)
        if meant != "gaussian":
            _line(axes, line, "gaussian", p, color=colour, linestyle=":")
        shown = _trusted(points, ridge, p)
        axes.errorbar(
            shown["n"],
            shown["measured"],
            yerr=NORMAL_95 * shown["standard_error"],
            fmt=marker,
            color=colour,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label=f"ridge {ridge:g} tr, measured" + (" (the best)" if ridge == largest else ""),
        )
    axes.set(xscale="log", yscale="log", ylim=(0.025, 20))


def _ratio(axes: Axes, head: str, rows: pd.DataFrame, p: int) -> None:
    for ridge, points, (colour, marker) in _cases(rows):
        shown = _trusted(points, ridge, p)
        error = NORMAL_95 * shown["standard_error"] / shown["measured"]
        for formula in dict.fromkeys([_formula(head, ridge), "gaussian"]):
            meant = formula == _formula(head, ridge)
            ratio = shown[formula] / shown["measured"]
            axes.errorbar(
                shown["n"],
                ratio,
                yerr=ratio * error if meant else None,
                fmt=marker,
                color=colour,
                markerfacecolor=colour if meant else "white",
                markersize=4.5 if meant else 3.5,
            )
    axes.axhline(1, color=INK, linewidth=0.8)
    ticks = p * 2.0 ** np.arange(-2, 4)
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, labels=[f"{n:.0f}" for n in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("training samples n")


def _line(axes: Axes, line: pd.DataFrame, formula: str, p: int, **look: Any) -> None:
    for part in (line[line["n"] < p], line[line["n"] > p]):
        axes.plot(part["n"], part[formula].replace(np.inf, np.nan), **look)


if __name__ == "__main__":
    main()
