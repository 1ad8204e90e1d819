"""Coverage against size, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusiontheory.plotting import INK, MUTED, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

OURS = "#D55E00"
BAR = (88, 93)


def draw(tables: Tables, out: Path) -> None:
    """Write a panel a pilot: shares of intervals that hold, with the risk's alone beside them."""
    table = tables["results.csv"]
    table = table[(table["group"] == "all") & ~table["n"].isin(["within", "any"])]
    pilots = sorted(table["pilot"].unique())
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10.2, 3.0), layout="constrained")
        for axes, pilot in zip(
            figure.subplots(1, len(pilots), sharey=True, squeeze=False)[0], pilots, strict=True
        ):
            rows = table[table["pilot"] == pilot]
            n = rows["n"].astype(int)
            order = n.argsort()
            n, rows = n.iloc[order], rows.iloc[order]
            axes.axhspan(*BAR, color=MUTED, alpha=0.15, linewidth=0)
            axes.errorbar(
                n,
                100 * rows["covered"],
                100 * rows["covered_error"],
                color=OURS,
                marker="o",
                label="interval of the accuracy",
            )
            axes.plot(n, 100 * rows["carried"], color=INK, marker="s", label="of the risk alone")
            axes.set_xscale("log")
            axes.set(xlabel="n", title=f"pilot of {pilot}", ylim=(30, 101))
            if pilot == pilots[0]:
                axes.set_ylabel("90 % intervals that hold (%)")
                axes.legend(loc="lower right")
        save_figure(figure, out, ("svg",))
