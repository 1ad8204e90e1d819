"""Draw the figure from the stored results: ``python -m experiments.rank.figure``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.rank.run import HERE, RESULTS
from fusiontheory.plotting import INK, MUTED, NORMAL_95, save_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURE = HERE / "figure"
LOOKS = {
    1: ("#0072B2", "o"),
    2: ("#56B4E9", "v"),
    4: ("#009E73", "D"),
    8: ("#E69F00", "^"),
    16: ("#D55E00", "s"),
}


def main() -> None:
    """Write excess risk against n, counts against rank, and what low rank gains."""
    results = pd.read_csv(RESULTS)
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10.2, 4.0), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        low = results[results["head"] == "low-rank"]
        matched = low[low["target_rank"] == low["head_rank"]]
        best = results[(results["head"] == "full") & (results["ridge"] > 0)]
        _excess(left, matched, best)
        _counts(middle, low)
        _gain(right, matched, best)
        save_figure(figure, FIGURE, formats=("svg",))


def _excess(axes: Axes, matched: pd.DataFrame, best: pd.DataFrame) -> None:
    for rank, rows in matched.groupby("head_rank"):
        colour, marker = LOOKS[int(str(rank))]
        axes.plot(rows["n"], rows["predicted"].replace(np.inf, np.nan), color=colour)
        _points(axes, rows, "measured", "standard_error", colour, marker, f"rank {rank}")
    rows = best[best["target_rank"] == 4]
    axes.plot(rows["n"], rows["predicted"], color=INK, linestyle="--")
    _points(axes, rows, "measured", "standard_error", INK, "X", "full, best ridge")
    _log(axes, matched["n"])
    axes.set_yscale("log")
    axes.set_title("right rank: lines predicted")
    axes.set_ylabel("excess risk (target power = 1)")
    axes.legend(loc="upper right")


def _counts(axes: Axes, low: pd.DataFrame) -> None:
    most = low[low["n"] == low["n"].max()]
    right = most[most["target_rank"] == most["head_rank"]].sort_values("head_rank")
    over = most[most["target_rank"] < most["head_rank"]]
    d = int(right["head_rank"].max())
    ranks = np.arange(1, d + 1)
    axes.plot(ranks, ranks * (2 * d - ranks), color=INK, label="r (2 d - r)")
    few = ranks[: d // 2 + 1]
    axes.plot(few, 2 * d * few, color=MUTED, linestyle=":", label="2 d r, all weights")
    axes.axhline(d * d, color=MUTED, linestyle="--", label="d², full")
    _points(
        axes, right, "measured_count", "count_error", "#0072B2", "o", "measured, right rank", 1.0
    )
    _points(
        axes, over, "measured_count", "count_error", "#D55E00", "s", "measured, target rank 4", 1.0
    )
    axes.plot(
        over["head_rank"],
        over["effective"],
        "x",
        color=INK,
        markersize=7,
        label="tangent cone, target rank 4",
    )
    axes.set(title="count read off the risk, n = 7680", ylim=(0, 1.2 * d * d))
    axes.set_xticks(right["head_rank"])
    axes.set_xlabel("rank r of the head")
    axes.set_ylabel("count k of excess s² k/(n - k - 1)")
    axes.legend(loc="lower right")


def _gain(axes: Axes, matched: pd.DataFrame, best: pd.DataFrame) -> None:
    for rank, rows in matched.groupby("head_rank"):
        colour, marker = LOOKS[int(str(rank))]
        full = best[best["target_rank"] == rank].set_index("n")
        low = rows.set_index("n")
        measured = full["measured"] / low["measured"]
        error = measured * np.hypot(
            full["standard_error"] / full["measured"], low["standard_error"] / low["measured"]
        )
        axes.errorbar(
            measured.index,
            measured,
            yerr=NORMAL_95 * error,
            fmt=marker,
            color=colour,
            label=f"rank {rank}",
        )
        gain = full["predicted"] / low["predicted"].replace(np.inf, np.nan)
        axes.plot(measured.index, gain, color=colour)
    axes.axhline(1, color=INK, linewidth=0.8)
    _log(axes, matched["n"])
    axes.set_yscale("log")
    axes.set_title("what low rank gains")
    axes.set_ylabel("excess of full (best ridge) over low rank")


def _points(
    axes: Axes,
    rows: pd.DataFrame,
    value: str,
    error: str,
    colour: str,
    marker: str,
    label: str,
    edge: float = 0.5,
) -> None:
    axes.errorbar(
        rows["head_rank"] if value == "measured_count" else rows["n"],
        rows[value],
        yerr=NORMAL_95 * rows[error],
        fmt=marker,
        color=colour,
        markeredgecolor="white",
        markeredgewidth=edge,
        label=label,
    )


def _log(axes: Axes, sizes: pd.Series[int]) -> None:
    ticks = np.unique(sizes)
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, labels=[f"{n}" for n in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("training samples n")


if __name__ == "__main__":
    main()
