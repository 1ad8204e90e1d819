"""Theory and simulation on one picture: predicted lines and measured points of a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.heads import OTHER_HEAD_NAMES
from fusiontheory.plotting import INK, NORMAL_95, HeadStyle, head_styles, sample_axis, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MOST_PANELS", "check_panels", "plot_simulation"]

MOST_PANELS = 12
_COLUMNS = 3


@checked
def plot_simulation(table: pd.DataFrame, width: float = 7.2) -> Figure:
    """Draw test error (or accuracy) against n, one panel for each configuration and ridge that was
    given.

    Points are means over seeds with 95 % intervals, lines the closed forms beside them. Nothing
    is drawn of a prediction where there is none.

    Args:
        table: of `fusiontheory.simulate.simulate`, or rows of it.
        width: of the figure in inches.

    Raises:
        InputError: for an empty table, or more than 12 configurations; the message names the
            settings that differ, by which rows can be chosen.

    Example:
        >>> import tempfile
        >>> from fusiontheory.simulate import SimulationGrid, simulate
        >>> grid = SimulationGrid.of({"pairs.d_v": 4, "pairs.d_t": 4}, {"target.noise": [0.1, 0.5]},
        ...     heads=["additive"], n=[8, 32], seeds=2, ridges=[0.1])
        >>> len(plot_simulation(simulate(grid, tempfile.mkdtemp())).axes)
        2
    """
    if table.empty:
        raise InputError("table must have rows, got none")
    # One name for a head in every picture.
    table = table.assign(head=table["head"].replace(OTHER_HEAD_NAMES))
    given = "predicted_ridge" not in table
    settings = [str(name) for name in table if "." in str(name) or (name == "ridge" and given)]
    varied = [name for name in settings if table[name].astype(str).nunique() > 1]
    groups: list[tuple[Any, pd.DataFrame]] = [((), table)]
    if varied or given:
        groups = list(table.groupby(varied or ["ridge"], sort=False, dropna=False))
    check_panels(len(groups), varied)
    quantity = "accuracy" if table["accuracy"].notna().any() else "test"
    styles = head_styles(dict.fromkeys(table["head"]))
    with style():
        figure, grid = _panels(len(groups), width)
        for axes, (values, rows) in zip(grid, groups, strict=True):
            for head, look in styles.items():
                _draw_head(axes, rows[rows["head"] == head], quantity, look)
            named = zip(varied, values, strict=False)
            lines = [f"{name.split('.')[-1]} {value}" for name, value in named]
            axes.set_title("\n".join(lines), fontsize=8, fontweight="normal")
            sample_axis(axes, [table["n"]], width / min(len(groups), _COLUMNS))
            if quantity == "test":
                _log_axis(axes)
            axes.label_outer()
        figure.supylabel("accuracy (%)" if quantity == "accuracy" else "test mean squared error")
        _key(figure, styles)
    return figure


@checked
def check_panels(count: int, varied: list[str]) -> None:
    """Refuse to draw more than 12 panels.

    Raises:
        InputError: if ``count`` is larger; ``varied`` are the settings to choose by.
    """
    if count > MOST_PANELS:
        raise InputError(
            f"configurations to draw must be at most {MOST_PANELS}, got {count};"
            f" choose some by {', '.join(varied)}"
        )


def _panels(count: int, width: float) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    columns = min(count, _COLUMNS)
    rows = -(-count // columns)
    figure = Figure(figsize=(width, 2.2 * rows + 0.4), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    return figure, list(grid[:count])


def _draw_head(axes: Axes, rows: pd.DataFrame, quantity: str, look: HeadStyle) -> None:
    scale = 100.0 if quantity == "accuracy" else 1.0
    by_n = rows.groupby("n")
    measured, error = scale * by_n[quantity].mean(), scale * by_n[quantity].sem().fillna(0)
    predicted = scale * by_n[f"predicted_{quantity}"].mean()
    axes.plot(predicted.index, predicted, color=look.colour, zorder=2)
    axes.errorbar(
        measured.index,
        measured,
        yerr=NORMAL_95 * error,
        fmt=look.marker,
        color=look.colour,
        markersize=look.size,
        elinewidth=1.0,
        zorder=3,
    )


def _log_axis(axes: Axes) -> None:
    """Make y logarithmic with plain labels at 1, 2 and 5 times powers of ten."""
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")


def _key(figure: Figure, styles: dict[str, HeadStyle]) -> None:
    from matplotlib.lines import Line2D

    heads = [
        Line2D([], [], color=look.colour, marker=look.marker, markersize=look.size)
        for look in styles.values()
    ]
    line = Line2D([], [], color=INK)
    point = Line2D([], [], color=INK, marker="o", linestyle="none")
    figure.legend(
        [*heads, line, point],
        [*styles, "predicted", "measured, 95 % interval"],
        loc="outside upper left",
        ncols=len(heads) + 2,
        columnspacing=1.6,
    )
