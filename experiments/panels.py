"""A panel of measured points and predicted lines, for studies that store accuracy in per cent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusiontheory.plotting import NORMAL_95, HeadStyle

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_accuracy"]


def draw_accuracy(axes: Axes, rows: pd.DataFrame, looks: Mapping[str, HeadStyle]) -> None:
    """Draw accuracy against n of each head: measured with 95 % bars, predicted as a line.

    Args:
        axes: the panel; its n axis is made logarithmic, with a tick at each n of the rows.
        rows: head, n, measured, its standard error se, and predicted, the last three in per cent.
        looks: the heads to draw, in this order.
    """
    for head, look in looks.items():
        own = rows[rows["head"] == head]
        axes.errorbar(
            own["n"],
            own["measured"],
            yerr=NORMAL_95 * own["se"],
            fmt=look.marker,
            color=look.colour,
            label=head,
        )
        axes.plot(own["n"], own["predicted"], look.line, color=look.colour)
    axes.set_xscale("log")
    axes.set_xticks(sorted(rows["n"].unique()), labels=sorted(rows["n"].unique()))
    axes.set_xticks([], minor=True)
