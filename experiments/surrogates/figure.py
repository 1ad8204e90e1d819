"""Draw the figure from the stored tables: ``python -m experiments.surrogates.figure``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from experiments.surrogates.config import HEADS, STRENGTHS
from experiments.surrogates.run import PREDICTED, RESULTS
from experiments.surrogates.summary import terms
from fusiontheory.plotting import MUTED, NORMAL_95, HeadStyle, sample_axis, save_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURE = Path(__file__).with_name("figure")
LOOKS = {
    "error, shipped features": HeadStyle("#000000", "o"),
    "theory on independent Gaussian pairs": HeadStyle("#D55E00", "s"),
    "pairs share images": HeadStyle("#0072B2", "^"),
    "moments estimated": HeadStyle("#009E73", "D"),
    "not Gaussian": HeadStyle("#CC79A7", "v"),
}


def main() -> None:
    """Write a panel per condition and head: the error and its four terms against n."""
    from matplotlib.figure import Figure

    table = terms(pd.read_csv(PREDICTED), pd.read_csv(RESULTS))
    with style():
        figure = Figure(figsize=(10, 5.6), layout="constrained")
        axes = figure.subplots(len(STRENGTHS), len(HEADS), sharex=True, sharey=True)
        for row, condition in enumerate(STRENGTHS):
            for column, head in enumerate(HEADS):
                rows = table[(table["condition"] == condition) & (table["head"] == head)]
                _terms(axes[row, column], rows)
                axes[row, column].set_title(f"{condition}, {head}")
                axes[row, column].tick_params(labelbottom=True, labelleft=True)
            axes[row, 0].set_ylabel("predicted − measured (points)")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=len(LOOKS))
    save_figure(figure, FIGURE, formats=("svg",))


def _terms(axes: Axes, rows: pd.DataFrame) -> None:
    for term, look in LOOKS.items():
        part = rows[rows["term"] == term]
        grouped = part.groupby("n")
        mean, error = grouped["value"].mean(), grouped["value"].sem()
        error = (error**2 + grouped["main_se"].first() ** 2) ** 0.5
        axes.errorbar(
            mean.index.to_numpy(float),
            mean.to_numpy(),
            yerr=NORMAL_95 * error.to_numpy(),
            fmt=f"{look.marker}-",
            color=look.colour,
            markersize=look.size,
            markeredgecolor="white",
            markeredgewidth=0.5,
            elinewidth=1.0,
            capsize=2,
            label=term,
        )
    axes.axhline(0, color=MUTED, linewidth=0.8, linestyle=":")
    sample_axis(axes, [rows["n"]], room=3.0)


if __name__ == "__main__":
    main()
