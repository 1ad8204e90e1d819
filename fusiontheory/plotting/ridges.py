"""How the leader depends on the ridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.heads import GAP_HEADS
from fusiontheory.plotting.panels import panels
from fusiontheory.plotting.style import INK, MUTED, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["gap_by_ridge", "plot_ridges"]

_COLUMNS = ["condition", "head", "seed", "n", "at_ridge", "accuracy"]


@checked
def gap_by_ridge(ridges: pd.DataFrame) -> pd.DataFrame:
    """Return the gap of the two heads at one ridge for both, the mean over seeds.

    Ridges meet by their place in increasing order; the one that is told is that of the first head.

    Args:
        ridges: columns condition, head, seed, n, at_ridge and accuracy.

    Returns:
        Columns condition, n, at_ridge and gap, a fraction; no row without both heads.

    Raises:
        InputError: if a column is missing.

    Example:
        >>> table = pd.DataFrame({"condition": "a", "head": ["concat-mlp", "bilinear"], "seed": 0,
        ...     "n": 8, "at_ridge": [0.1, 0.1], "accuracy": [0.75, 0.5]})
        >>> gap_by_ridge(table).to_dict("records")
        [{'condition': 'a', 'n': 8, 'at_ridge': 0.1, 'gap': 0.25}]
    """
    missing = [column for column in _COLUMNS if column not in ridges]
    if missing:
        raise InputError(f"ridges must have the columns {', '.join(missing)}")
    keys = ["condition", "n", "seed"]
    kept = ridges[ridges["head"].isin(GAP_HEADS)]
    kept = kept.assign(place=kept.groupby([*keys, "head"])["at_ridge"].rank())
    first, second = (kept[kept["head"] == head] for head in GAP_HEADS)
    both = first.merge(second[[*keys, "place", "accuracy"]], on=[*keys, "place"])
    both["gap"] = both["accuracy_x"] - both["accuracy_y"]
    mean = both.groupby(["condition", "n", "place"], sort=False)[["at_ridge", "gap"]].mean()
    return mean.reset_index().drop(columns="place")


@checked
def plot_ridges(ridges: pd.DataFrame, width: float = 7.2) -> Figure:
    """Draw the gap on dev pairs against the ridge, a line for each n, a panel for each condition.

    Args:
        ridges: as `gap_by_ridge` takes them.
        width: of the figure, in inches.

    Raises:
        InputError: if a column is missing, or one of the two heads.
    """
    gaps = gap_by_ridge(ridges)
    if gaps.empty:
        raise InputError(f"ridges must have rows of {' and '.join(GAP_HEADS)}")
    conditions = list(dict.fromkeys(gaps["condition"]))
    with style():
        from matplotlib import colormaps

        figure, axes_of = panels(len(conditions), width, 0.42 * width)
        for axes, condition in zip(axes_of, conditions, strict=True):
            part = gaps[gaps["condition"] == condition]
            sizes = sorted(part["n"].unique())
            # From light to dark as n grows, clear of the white of the page.
            colours = colormaps["viridis_r"](np.linspace(0.15, 1.0, len(sizes)))
            for n, colour in zip(sizes, colours, strict=True):
                rows = part[part["n"] == n].sort_values("at_ridge")
                axes.plot(rows["at_ridge"], 100 * rows["gap"], color=colour, label=f"n = {n}")
            axes.axhline(0, color=INK, linewidth=0.8)
            axes.set_xscale("log")
            axes.set_title(str(condition))
            axes.set_xlabel("ridge, the same for both heads")
            axes.set_ylabel(f"{' − '.join(GAP_HEADS)} (points)")
        axes_of[-1].legend(frameon=False, fontsize=7.5, labelcolor=MUTED)
    return figure
