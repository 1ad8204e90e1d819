"""Figures of advice: they draw its tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fusiontheory.plotting import (
    INK,
    MUTED,
    HeadStyle,
    head_styles,
    label_ends,
    panels,
    per_panel,
    sample_axis,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fusiontheory.advice.answer import Advice

__all__ = ["draw_figures", "shown_heads"]

# Heads that are told apart by colour; the others are grey.
_SHOWN = 5
_PALE = "#BBBBBB"


def shown_heads(advice: Advice) -> list[str]:
    """Return the recommended head and the next best, at most five."""
    ranked = advice.tables["choice"]["head"].tolist()
    return [advice.recommended, *(h for h in ranked if h != advice.recommended)][:_SHOWN]


def draw_figures(advice: Advice, width: float) -> dict[str, Figure]:
    """Return the figures by name.

    Args:
        advice: what to draw.
        width: in inches.
    """
    with style():
        figures = {"curves": _curves(advice, width), "choice": _choice(advice, width)}
        if "missing" in advice.tables:
            figures["missing"] = _missing(advice, width)
    return figures


def _scale(advice: Advice) -> float:
    return 1.0 if advice.metric == "r2" else 100.0


def _unit(advice: Advice) -> str:
    return advice.metric_name + ("" if advice.metric == "r2" else " (%)")


def _curves(advice: Advice, width: float) -> Figure:
    """Draw the metric against n: five heads in colour, a band for the recommended one."""
    table, scale = advice.tables["curves"], _scale(advice)
    shown = shown_heads(advice)
    styles = head_styles(shown)
    figure, (axes,) = panels(1, width, 3.6)
    for head, rows in table.groupby("head", sort=False):
        if head not in styles:
            axes.plot(rows["n"], scale * rows["value"], color=_PALE, linewidth=0.8, zorder=1)
    for head, look in styles.items():
        rows = table[table["head"] == head]
        front = head == advice.recommended
        axes.plot(
            *(rows["n"], scale * rows["value"]),
            color=look.colour,
            linestyle=look.line,
            linewidth=2.2 if front else 1.2,
            zorder=4 if front else 3,
        )
        if front:
            ends = scale * rows["low"], scale * rows["high"]
            axes.fill_between(rows["n"], *ends, color=look.colour, alpha=0.15, linewidth=0)
    _points(axes, advice, styles)
    sample_axis(axes, [table["n"]], width - 1.2)
    axes.set_xlabel("training pairs n" if "matching" in advice.task else "labelled items n")
    axes.set_ylabel(_unit(advice))
    if "matching" in advice.task:
        axes.axhline(50, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    _mark(axes, advice)
    last = table[table["head"].isin(shown)].sort_values("n").groupby("head")["value"].last()
    label_ends(figure, axes, scale * last, styles)
    return figure


def _mark(axes: Axes, advice: Advice) -> None:
    """Mark the pilot and the target."""
    marks = [(advice.target, "target", "-", 0.02)]
    if "matching" not in advice.task:
        marks.append((float(advice.items), "pilot", ":", 0.09))
    for n, name, line, height in marks:
        axes.axvline(n, color=MUTED, linewidth=0.9, linestyle=line, zorder=2)
        axes.annotate(
            *(name, (n, height)),
            xycoords=("data", "axes fraction"),
            xytext=(-3, 0),
            textcoords="offset points",
            ha="right",
            color=MUTED,
        )


def _points(axes: Axes, advice: Advice, styles: dict[str, HeadStyle]) -> None:
    """Draw what was measured on held-out items, with bars of 90 %."""
    if "verification" not in advice.tables:
        return
    table, scale = advice.tables["verification"], _scale(advice)
    for k, (head, look) in enumerate(styles.items()):
        rows = table[table["head"] == head]
        axes.errorbar(
            # Side by side, where they would hide each other.
            *(rows["n"] * 1.05 ** (k - 2), scale * rows["measured"]),
            yerr=1.645 * scale * rows["error"],
            fmt=look.marker,
            color=look.colour,
            markersize=look.size + 1,
            markeredgecolor="white",
            elinewidth=1.0,
            capsize=2,
            zorder=6,
        )


def _choice(advice: Advice, width: float) -> Figure:
    """Draw the metric of each head at the target with its interval, and P(best) beside it."""
    from matplotlib.figure import Figure

    table, scale = advice.tables["choice"], _scale(advice)
    figure = Figure(figsize=(width, 0.55 + 0.27 * (len(table) + 1)), layout="constrained")
    axes: Any = figure.subplots()
    places = np.arange(len(table))[::-1]
    value, low, high = (scale * table[c].to_numpy(float) for c in ("expected", "low", "high"))
    for y, head, one, ends in zip(
        places, table["head"], value, np.stack([low, high], 1), strict=True
    ):
        colour = "#D55E00" if head == advice.recommended else INK
        axes.plot(ends, [y, y], color=colour, linewidth=2)
        axes.plot([one], [y], "o", color=colour, markersize=5)
    axes.set_yticks(places, labels=table["head"])
    axes.set_ylim(-0.6, len(table) - 0.4)
    axes.set_xlabel(f"{_unit(advice)} at n = {advice.target:,.0f}")
    beside = axes.twinx()
    beside.set_ylim(axes.get_ylim())
    beside.set_yticks(places, labels=[f"{p:.2f}" for p in table["p_best"]])
    beside.tick_params(length=0)
    beside.grid(visible=False)
    beside.set_title("P(best)", loc="right", fontsize=8.5, fontweight="normal")
    return figure


def _missing(advice: Advice, width: float) -> Figure:
    """Draw the metric against the share of items without one modality."""
    table = advice.tables["missing"]
    gone = list(dict.fromkeys(table["missing"]))
    scale = _scale(advice)
    figure, grid = panels(len(gone), width, 2.5)
    looks = {"imputed": ("#0072B2", "-", "mean filled in"), "fallback": ("#D55E00", "--", "other")}
    for axes, name in zip(grid, gone, strict=True):
        rows = table[table["missing"] == name]
        for column, (colour, line, _) in looks.items():
            axes.plot(
                100 * rows["share"],
                scale * pd.to_numeric(rows[column]),
                color=colour,
                linestyle=line,
                marker="o",
                markersize=3.5,
            )
        axes.set_xlabel(f"items without {name} (%)")
        axes.set_title(f"{name} missing")
    grid[0].set_ylabel("R²" if advice.metric == "r2" else "accuracy (%)")
    ends = [_line(colour, line) for colour, line, _ in looks.values()]
    figure.legend(
        ends,
        ["mean filled in", "other modality's head"],
        loc="outside upper left",
        ncols=2 if per_panel(width, len(gone)) > 2 else 1,
    )
    return figure


def _line(colour: str, line: Any) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linestyle=line)
