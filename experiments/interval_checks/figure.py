"""The figure, from the stored tables."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt

from experiments.interval_checks.summary import scatter
from experiments.study import Tables
from fusiontheory.plotting import MUTED, head_styles, save_figure, style

__all__ = ["draw"]


def draw(tables: Tables, out: Path) -> None:
    """Write one panel: predicted against measured scatter over training sets, by head."""
    table = scatter(tables)
    with style():
        figure, axis = plt.subplots(figsize=(4.6, 3.8), layout="constrained")
        ends = [100 * table["measured_sd"].min() / 1.3, 100 * table["measured_sd"].max() * 1.3]
        axis.plot(ends, ends, color=MUTED, linewidth=1)
        for head, look in head_styles(table["head"]).items():
            part = table[table["head"] == head]
            axis.errorbar(
                100 * part["measured_sd"],
                100 * part["predicted_sd"],
                xerr=100 * part["measured_sd_se"],
                fmt=look.marker,
                color=look.colour,
                markersize=look.size,
                linewidth=0.8,
                label=head,
            )
        axis.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
        axis.set_xlabel("measured standard deviation (points)")
        axis.set_ylabel("predicted (points)")
        axis.legend(loc="upper left")
    save_figure(figure, out, ("svg",))
    plt.close(figure)
