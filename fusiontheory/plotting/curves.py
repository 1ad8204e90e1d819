"""Figures of predicted and measured accuracy, all in one style.

The functions take tables, draw what is in them and return a matplotlib `Figure`; they compute
nothing but the units. Accuracies in tables are fractions, on axes per cent; gaps are in points.
No global state of matplotlib is changed and pyplot is never imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.heads import GAP_HEADS
from fusiontheory.plotting.panels import panels, per_panel
from fusiontheory.plotting.style import (
    CROSSOVER,
    INK,
    MUTED,
    NORMAL_95,
    HeadStyle,
    draw_band,
    draw_points,
    head_styles,
    label_ends,
    line_key,
    sample_axis,
    save_figure,
    stacked,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    # Named here for the signatures only: matplotlib is imported when something is drawn.
    from matplotlib.figure import Figure

__all__ = [
    "head_styles",
    "plot_calibration",
    "plot_comparison",
    "plot_curve",
    "plot_gap",
    "save_figure",
]


_NAMES = 1.1  # inches
_CROSSOVER_COLUMNS = ["measured", "measured_low", "measured_high", "predicted"]


@checked
def plot_comparison(
    comparison: pd.DataFrame, curves: pd.DataFrame, width: float = 7.2, chance: float = 0.5
) -> Figure:
    """Draw predicted and measured accuracy against n, one panel per condition, one scale.

    Args:
        comparison: measured points; columns condition, head, n, measured, measured_se.
        curves: predicted lines; columns condition, head, n, accuracy, accuracy_low, accuracy_high.
        width: of the figure in inches; below 5 the panels are stacked, not side by side.
        chance: accuracy of a coin, drawn as a line.

    Raises:
        InputError: if a column is missing or there is nothing to draw.
    """
    _require("comparison", comparison, ["condition", "head", "n", "measured", "measured_se"])
    _require("curves", curves, ["condition", "head", "n", "accuracy"], empty=True)
    conditions = _distinct(comparison["condition"])
    styles = head_styles(_distinct(comparison["head"], curves["head"]))
    with style():
        figure, grid = panels(len(conditions), width, 2.9)
        for axes, condition in zip(grid, conditions, strict=True):
            points = comparison[comparison["condition"] == condition]
            lines = curves[curves["condition"] == condition]
            for head, look in styles.items():
                draw_band(axes, lines[lines["head"] == head], "accuracy", look.colour)
                draw_points(axes, points[points["head"] == head], "measured", look)
            axes.axhline(100 * chance, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
            axes.set_title(condition, parse_math=False)
            sample_axis(axes, [points["n"], lines["n"]], per_panel(width, len(grid)))
        _chance_label(grid[0], chance)
        for axes in grid if stacked(width) else grid[:1]:
            axes.set_ylabel("accuracy (%)")
        line_key(figure, band=True)
        labelled = len(grid) if stacked(width) else 1
        for axes, condition in list(zip(grid, conditions, strict=True))[-labelled:]:
            label_ends(figure, axes, _line_ends(comparison, curves, condition), styles)
    return figure


@checked
def plot_gap(
    gaps: pd.DataFrame, curves: pd.DataFrame, crossovers: pd.DataFrame, width: float = 7.2
) -> Figure:
    """Draw the lead of concat-mlp over bilinear in points against n, one panel per condition.

    Args:
        gaps: columns condition, n, measured_gap, measured_gap_se, predicted_gap (fractions).
        curves: as in `plot_comparison`; without both heads, predicted_gap is the line.
        crossovers: columns condition, measured, measured_low, measured_high, predicted: the n
            where the lead changes, NaN where it does not.
        width: of the figure in inches; below 5 the panels are stacked, not side by side.

    Raises:
        InputError: if a column is missing or there is nothing to draw.
    """
    columns = ["measured_gap", "measured_gap_se", "predicted_gap"]
    _require("gaps", gaps, ["condition", "n", *columns])
    _require("curves", curves, ["condition", "head", "n", "accuracy"], empty=True)
    _require("crossovers", crossovers, ["condition", *_CROSSOVER_COLUMNS], empty=True)
    conditions = _distinct(gaps["condition"])
    with style():
        figure, grid = panels(len(conditions), width, 2.9)
        for axes, condition in zip(grid, conditions, strict=True):
            rows = gaps[gaps["condition"] == condition].sort_values("n")
            line = _predicted_gap(curves[curves["condition"] == condition], rows)
            axes.plot(line.index, 100 * line, color=INK, zorder=3)
            draw_points(axes, rows, "measured_gap", HeadStyle(INK, "o"))
            axes.axhline(0, color=MUTED, linewidth=0.9, zorder=2)
            sample_axis(axes, [rows["n"], line.index], per_panel(width, len(grid)))
            _mark_crossover(axes, crossovers[crossovers["condition"] == condition])
            axes.set_title(condition, pad=16, parse_math=False)
        _room_around_zero(grid[0])
        for axes, condition in zip(grid, conditions, strict=True):
            _name_sides(axes, gaps[gaps["condition"] == condition].sort_values("n"))
        for axes in grid if stacked(width) else grid[:1]:
            axes.set_ylabel(f"{' − '.join(GAP_HEADS)} (points)")
        line_key(figure, crossover=True)
    return figure


@checked
def plot_curve(curve: pd.DataFrame, quantity: str = "accuracy", width: float = 3.6) -> Figure:
    """Draw predicted curves against n, such as the risk or the accuracy.

    Args:
        curve: columns n and the quantity; with <quantity>_low and <quantity>_high a band is drawn,
            with head one line per head.
        quantity: the column to draw; accuracy is shown in per cent, everything else as it is.
        width: of the figure in inches.

    Raises:
        InputError: if a column is missing or there is nothing to draw.

    Example:
        >>> curve = pd.DataFrame({"n": [256, 512, 1024], "risk": [0.9, 0.7, 0.6]})
        >>> plot_curve(curve, "risk").axes[0].get_ylabel()
        'risk'
    """
    _require("curve", curve, ["n", quantity])
    heads = curve["head"].astype(str) if "head" in curve else pd.Series("", index=curve.index)
    styles = head_styles(_distinct(heads)) if "head" in curve else {"": HeadStyle(INK, "o")}
    scale = 100.0 if quantity == "accuracy" else 1.0
    with style():
        figure, (axes,) = panels(1, width, 2.6)
        for head, look in styles.items():
            draw_band(axes, curve[heads == head], quantity, look.colour, scale)
        # The names of heads stand beside the panel and take their room.
        sample_axis(axes, [curve["n"]], width - (_NAMES if "head" in curve else 0))
        axes.set_ylabel("accuracy (%)" if quantity == "accuracy" else quantity.replace("_", " "))
        if "head" in curve:
            heights = curve.assign(height=scale * curve[quantity], head=heads).sort_values("n")
            label_ends(figure, axes, heights.groupby("head")["height"].last(), styles)
    return figure


@checked
def plot_calibration(comparison: pd.DataFrame, width: float = 4.6) -> Figure:
    """Draw predicted against measured accuracy; points on the diagonal are predicted exactly.

    Args:
        comparison: columns condition, head, measured, measured_se, predicted, predicted_low,
            predicted_high. Markers of the first condition are filled, of the others open.
        width: of the figure in inches.

    Raises:
        InputError: if a column is missing or there is nothing to draw.
    """
    columns = ["measured", "measured_se", "predicted", "predicted_low", "predicted_high"]
    _require("comparison", comparison, ["condition", "head", *columns])
    styles = head_styles(_distinct(comparison["head"]))
    conditions = _distinct(comparison["condition"])
    with style():
        figure, (axes,) = panels(1, width, 0.95 * width)
        for (head, condition), rows in comparison.groupby(["head", "condition"], sort=False):
            values = 100 * rows[columns].astype(float)
            look = styles[str(head)]
            below, above = (
                (sign * (values[f"predicted_{end}"] - values["predicted"])).clip(lower=0).fillna(0)
                for end, sign in (("low", -1), ("high", 1))
            )
            axes.errorbar(
                values["measured"],
                values["predicted"],
                xerr=NORMAL_95 * values["measured_se"].fillna(0),
                yerr=[below, above],
                fmt=look.marker,
                markersize=look.size,
                color=look.colour,
                markerfacecolor=look.colour if condition == conditions[0] else "white",
                elinewidth=0.8,
            )
        axes.set(xlabel="measured accuracy (%)", ylabel="predicted accuracy (%)")
        _diagonal(axes)
        _calibration_key(axes, styles, conditions)
    return figure


def _require(name: str, table: pd.DataFrame, columns: list[str], empty: bool = False) -> None:
    missing = [column for column in columns if column not in table]
    if missing:
        raise InputError(f"{name} must have the columns {', '.join(missing)}")
    if not empty and table.empty:
        raise InputError(f"{name} must have at least one row, got none")


def _distinct(*columns: pd.Series[str]) -> list[str]:
    return list(dict.fromkeys(str(value) for column in columns for value in column))


def _line_ends(comparison: pd.DataFrame, curves: pd.DataFrame, condition: str) -> pd.Series[float]:
    """Height in per cent at the largest n of each head, of its line or else of its points.

    A head that this condition lacks is labelled at its height in another one.
    """
    points = comparison.rename(columns={"measured": "accuracy"})
    ends: dict[str, float] = {}
    for table in (
        curves[curves["condition"] == condition],
        points[points["condition"] == condition],
        curves,
        points,
    ):
        last = table.dropna(subset=["accuracy"]).sort_values("n").groupby("head")["accuracy"].last()
        ends = {str(head): 100 * float(y) for head, y in last.items()} | ends
    return pd.Series(ends, dtype=float)


def _chance_label(axes: Axes, chance: float) -> None:
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 100 * chance - 0.1 * (high - low)), high)
    axes.annotate(
        "chance",
        (0, 100 * chance),
        xycoords=("axes fraction", "data"),
        xytext=(4, -3),
        textcoords="offset points",
        va="top",
        color=MUTED,
        fontsize=7.5,
    )


def _predicted_gap(curves: pd.DataFrame, rows: pd.DataFrame) -> pd.Series[float]:
    """Predicted gap by n: between the dense curves, or else at the n measured."""
    wide = curves.pivot_table(index="n", columns="head", values="accuracy")
    if set(GAP_HEADS) <= set(wide.columns):
        gap = (wide[GAP_HEADS[0]] - wide[GAP_HEADS[1]]).dropna()
        if len(gap):
            return gap
    return rows.set_index("n")["predicted_gap"]


def _mark_crossover(axes: Axes, rows: pd.DataFrame) -> None:
    """Mark on the zero line where the lead changes, and write it under the title."""
    values = rows[_CROSSOVER_COLUMNS].astype(float)
    crossings: dict[str, float] = {}
    if len(values):
        crossings = {str(kind): float(n) for kind, n in values.iloc[0].dropna().items()}
    left, right = axes.get_xlim()
    if "measured" in crossings:
        ends = [crossings.get("measured_low", left), crossings.get("measured_high", right)]
        if "measured_low" in crossings or "measured_high" in crossings:
            axes.plot(ends, [0, 0], color=CROSSOVER, linewidth=5, zorder=3, solid_capstyle="butt")
        axes.plot(
            crossings["measured"],
            0,
            "o",
            color=CROSSOVER,
            markersize=5.5,
            zorder=5,
            markeredgecolor=INK,
            markeredgewidth=0.7,
        )
    if "predicted" in crossings:
        axes.plot(
            crossings["predicted"],
            0,
            "D",
            color="white",
            markersize=6.5,
            zorder=5,
            markeredgecolor=INK,
        )
    words = [
        f"{crossings[kind]:.0f} {kind}" if kind in crossings else f"none {kind}"
        for kind in ("measured", "predicted")
    ]
    axes.text(
        0,
        1.02,
        "lead changes at: " + ", ".join(words),
        transform=axes.transAxes,
        va="bottom",
        fontsize=8,
    )


def _room_around_zero(axes: Axes) -> None:
    """Leave room on both sides of zero to name who is ahead there."""
    low, high = axes.get_ylim()
    room = 0.17 * (max(high, 0) - min(low, 0))
    axes.set_ylim(min(low, -room), max(high, room))


def _name_sides(axes: Axes, rows: pd.DataFrame) -> None:
    """Name who is ahead above and below zero, in corners that a rising or falling gap leaves."""
    looks = head_styles(GAP_HEADS)
    for name, end in zip(GAP_HEADS, reversed(axes.get_ylim()), strict=True):
        axes.axhspan(0, end, color=looks[name].colour, alpha=0.07, linewidth=0, zorder=0)
    rising = rows["measured_gap"].iloc[-1] >= rows["measured_gap"].iloc[0]
    left, right = (0.03, "left"), (0.97, "right")
    for (x, align), y, name in zip(
        (left, right) if rising else (right, left), (0.97, 0.03), GAP_HEADS, strict=True
    ):
        axes.text(
            x,
            y,
            f"{name} ahead",
            ha=align,
            va="top" if y > 0.5 else "bottom",
            transform=axes.transAxes,
            fontweight="bold",
            color=looks[name].colour,
        )


def _diagonal(axes: Axes) -> None:
    ends = [*axes.get_xlim(), *axes.get_ylim()]
    low, high = min(ends), max(ends)
    axes.plot([low, high], [low, high], color=MUTED, linewidth=0.8, zorder=1)
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.set_yticks(axes.get_xticks())
    axes.set(xlim=(low, high), ylim=(low, high))


def _calibration_key(axes: Axes, styles: Mapping[str, HeadStyle], conditions: list[str]) -> None:
    from matplotlib.lines import Line2D

    def handle(name: str, look: HeadStyle, face: str) -> Line2D:
        handle = Line2D([], [], linestyle="none", color=look.colour, markerfacecolor=face)
        handle.set(marker=look.marker, markersize=look.size, label=name.replace("$", r"\$"))
        return handle

    handles = [handle(head, look, look.colour) for head, look in styles.items()]
    if len(conditions) > 1:
        filled = [INK] + ["white"] * (len(conditions) - 1)
        handles += [
            handle(c, HeadStyle(INK, "o"), face) for c, face in zip(conditions, filled, strict=True)
        ]
    axes.legend(handles=handles, loc="upper left", handletextpad=0.3)
