"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.logit_growth.summary import comparison
from fusiontheory.plotting import INK, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]

_COLOURS = {"aligned": "#0072B2", "unaligned": "#E69F00"}
_MARKERS = {"shipped": "o", "layer3": "s", "mobilenet": "^"}


def draw(tables: Tables, out: Path) -> None:
    """Write measured against predicted, of the logits' distance and of the bias."""
    from matplotlib.figure import Figure

    table = comparison(tables)
    with style():
        figure = Figure(figsize=(6.4, 3.4), layout="constrained")
        panels = figure.subplots(1, 2)
        for axes, what, sign in zip(panels, ("distance", "bias"), (1, -1), strict=True):
            for place, own in table.groupby(["source", "condition"], sort=False):
                source, condition = map(str, np.asarray(place))
                axes.plot(
                    sign * own[f"{what}_predicted"],
                    sign * own[f"{what}_measured"],
                    _MARKERS[source],
                    color=_COLOURS[condition],
                    label=f"{source}, {condition}",
                )
            top = float((sign * table[[f"{what}_predicted", f"{what}_measured"]]).max().max())
            low = float((sign * table[[f"{what}_predicted", f"{what}_measured"]]).min().min())
            axes.loglog([low, top], [low, top], color=INK, linewidth=1)
            name = "distance of the mean logits" if what == "distance" else "bias, with sign turned"
            axes.set_title(name)
            axes.set_xlabel("predicted")
        panels[0].set_ylabel("measured")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        save_figure(figure, out, ("svg",))
