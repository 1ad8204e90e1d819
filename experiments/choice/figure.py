"""The leaderboard as a figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fusiontheory.plotting import INK, MUTED, NORMAL_95, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

RULES = (
    "advice",
    "cross-validated risk",
    "cross-validated accuracy",
    "power law",
    "LogME",
    "H-score",
    "always interaction",
    "always concat-mlp",
)
OURS = "#D55E00"


def draw(tables: Tables, out: Path) -> None:
    """Write regret of each rule for pilots of 100 and 300, and said against true P(best)."""
    board, table = tables["leaderboard.csv"], tables["reliability.csv"]
    board = board[board["set"] == "all"]
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10.2, 3.4), layout="constrained")
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
        for axes, n0 in ((left, 100), (middle, 300)):
            rows = board[board["n0"] == n0].set_index("rule").loc[list(RULES)]
            _regrets(axes, rows, n0)
        middle.set_yticklabels([])
        right.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9)
        right.plot(table["said"], table["best"], color=OURS, marker="o")
        for row in table.itertuples():
            right.annotate(
                f"{row.rows}", (row.said, row.best), (4, -9), textcoords="offset points", fontsize=7
            )
        right.set(xlabel="P(best) that is said", ylabel="share that is best", title="probabilities")
        save_figure(figure, out, ("svg",))


def _regrets(axes: Any, rows: Any, n0: int) -> None:
    """Draw a point a rule; its bar is the error of the difference to the advice."""
    places = np.arange(len(rows))[::-1]
    for y, (rule, row) in zip(places, rows.iterrows(), strict=True):
        colour = OURS if rule == "advice" else INK
        axes.plot([row["regret"]], [y], "o", color=colour)
        reach = NORMAL_95 * row["error"]
        axes.plot([row["regret"] - reach, row["regret"] + reach], [y, y], color=colour)
    axes.axvline(rows.loc["advice", "regret"], color=OURS, linewidth=0.8, linestyle=":")
    axes.set_yticks(places, labels=list(rows.index))
    axes.set_xlim(left=0)
    axes.set_xlabel("mean regret in points")
    axes.set_title(f"choice for 800 from {n0} items")
