"""What the figures of trained heads share: their order, conditions, measured points, axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fusiontheory.plotting import INK, MUTED, HeadStyle, head_styles
from fusiontheory.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "CONDITIONS",
    "HEADS",
    "PUBLISHED",
    "chance_line",
    "conditions_of",
    "head_legend",
    "heads_of",
    "measured",
    "not_run",
    "size_axis",
    "unknown_conditions",
]

HEADS = (
    *("concat-mlp", "cross-attention"),
    *("two-way-attention", "token-attention", "gated", "low-rank", "bilinear", "hadamard"),
    *("dot-product", "concat-linear", "image-only", "text-only"),
)
"""The two that the paper compares, those that see both modalities together, the others."""

CONDITIONS = ("unaligned", "strength-0.25", "strength-0.5", "strength-0.75", "aligned")
"""Of the declared grid, by strength of alignment."""

PUBLISHED = "#7A3E9D"
"""Colour of quoted numbers, which no head has."""


def heads_of(table: pd.DataFrame, column: str = "head") -> list[str]:
    """Return the heads in a table in the order of `HEADS`, others after them."""
    there = [str(head) for head in table[column].unique()]
    return [head for head in HEADS if head in there] + [h for h in there if h not in HEADS]


def conditions_of(table: pd.DataFrame) -> list[str]:
    """Return the declared conditions, run or not, and after them any other of the table."""
    there = [str(name) for name in table["condition"].unique()]
    return [*CONDITIONS, *(name for name in there if name not in CONDITIONS)]


def unknown_conditions(table: pd.DataFrame, wanted: Iterable[str]) -> list[str]:
    """Return a line for each wanted condition of which the table has nothing."""
    there = set(table["condition"])
    return [f"{name}: no record of this condition" for name in wanted if name not in there]


def measured(
    axes: Axes,
    x: ArrayLike,
    y: ArrayLike,
    bars: ArrayLike,
    look: HeadStyle,
    *,
    horizontal: bool = False,
    line: bool = True,
    filled: bool = True,
) -> None:
    """Draw measured points with error bars; a bar that is NaN (one seed) is left out.

    Args:
        axes: to draw on.
        x, y: places, in units of the axes.
        bars: lengths below and above, (2, points), or one for both.
        look: of the head.
        horizontal: whether the bars lie along x.
        line: whether points are joined.
        filled: markers, or else open ones.
    """
    lengths: Array = np.nan_to_num(np.asarray(bars, dtype=float)).clip(min=0)
    axes.errorbar(
        np.asarray(x, dtype=float),
        np.asarray(y, dtype=float),
        xerr=lengths if horizontal else None,
        yerr=None if horizontal else lengths,
        fmt=look.marker,
        linestyle=look.line if line else "none",
        linewidth=1.0,
        color=look.colour,
        markersize=look.size,
        markerfacecolor=look.colour if filled else "white",
        markeredgecolor="white" if filled else look.colour,
        markeredgewidth=0.4 if filled else 0.9,
        elinewidth=0.9,
        capsize=1.5,
        zorder=4,
    )


def not_run(axes: Axes) -> None:
    """Say in the middle of a panel that nothing in it was run."""
    axes.text(0.5, 0.6, "not run", transform=axes.transAxes, ha="center", color=MUTED)


def chance_line(axes: Axes, at: float = 50.0) -> None:
    """Draw chance, or no lead, as a dashed line."""
    axes.axhline(at, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)


def size_axis(axes: Axes, sizes: Sequence[int], every: int = 1) -> None:
    """Make x a log2 axis with labels at these training pairs, or at each ``every``-th of them."""
    axes.set_xscale("log", base=2)
    labels = [str(n) if (len(sizes) - 1 - i) % every == 0 else "" for i, n in enumerate(sizes)]
    axes.set_xticks(list(sizes), labels=labels)
    axes.set_xticks([], minor=True)
    axes.set_xlim(min(sizes) / 2**0.35, max(sizes) * 2**0.35)
    axes.tick_params(axis="x", labelcolor=INK)


def head_legend(
    figure: Figure, heads: Sequence[str], columns: int, more: Sequence[Any] = ()
) -> None:
    """Write below the panels which marker is which head, and after them ``more`` handles."""
    from matplotlib.lines import Line2D

    looks = head_styles(heads)
    handles = [
        Line2D(
            *([], []),
            color=looks[head].colour,
            marker=looks[head].marker,
            markersize=looks[head].size,
            linestyle=looks[head].line,
            linewidth=1.0,
            label=head,
        )
        for head in heads
    ]
    figure.legend(
        handles=[*handles, *more],
        loc="outside lower center",
        ncols=columns,
        fontsize=7.5,
        handlelength=2.2,
        columnspacing=1.2,
    )
