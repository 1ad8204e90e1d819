"""Figure 2, the scale sweep: accuracy against n in every condition and on every feature set.

``python -m paper_figures.figure2``. Nothing is computed: everything drawn is in stored tables.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from fusiontheory.plotting import NORMAL_95, head_styles, style
from paper_figures.marks import (
    CONDITIONS,
    chance_line,
    conditions_of,
    head_legend,
    heads_of,
    measured,
    not_run,
    size_axis,
    unknown_conditions,
)
from paper_figures.tables import PAGE, Tables, command, for_setting, seeds_of
from paper_figures.trained import accuracies, not_run_cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_COLUMNS = 3
# Neighbours along n are drawn this much apart, so that their bars can be told.
_APART = 0.018


def draw(root: Path, out: Path) -> list[Path]:
    """Write ``figure2`` as PNG, SVG, PDF and its caption.

    Args:
        root: folder of ``docs/results/trained``.
        out: folder for the figures.

    Raises:
        InputError: if a table cannot be read or ``out`` cannot be written to.
    """
    tables = Tables(root)
    accuracy = accuracies(tables)
    clean = for_setting(accuracy[accuracy["sigma"] == 0])
    tables.missing += not_run_cells(tables, noisy=False)
    tables.missing += unknown_conditions(clean, CONDITIONS)
    return tables.write(_figure(clean), out, "figure2", _caption(clean))


def _figure(table: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure

    conditions, heads = conditions_of(table), heads_of(table)
    rows = math.ceil(len(conditions) / _COLUMNS)
    with style():
        figure = Figure(figsize=(PAGE, 2.1 * rows + 0.8), layout="constrained")
        grid = figure.subplots(rows, _COLUMNS, sharey=True, squeeze=False)
        for axes in grid.flat[len(conditions) :]:
            axes.set_axis_off()
        for axes, condition in zip(grid.flat, conditions, strict=False):
            _panel(axes, table[table["condition"] == condition], heads)
            axes.set_title(condition, parse_math=False)
        for row in grid:
            row[0].set_ylabel("accuracy (%)")
        for axes in grid.flat[max(len(conditions) - _COLUMNS, 0) : len(conditions)]:
            axes.set_xlabel("training pairs n")
        head_legend(figure, heads, 4)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, heads: list[str]) -> None:
    chance_line(axes)
    if table.empty:
        not_run(axes)
        axes.set_xticks([])
        return
    looks = head_styles(heads)
    # Those that stand at chance together are drawn first, below the others.
    for k, head in reversed(list(enumerate(heads))):
        rows = table[table["head"] == head].sort_values("n")
        if len(rows):
            x = rows["n"].to_numpy(float) * (1 + _APART * (k - len(heads) / 2))
            bars = NORMAL_95 * 100 * rows["se"].to_numpy(float)
            look = looks[head]._replace(size=0.8 * looks[head].size)
            measured(axes, x, 100 * rows["accuracy"].to_numpy(float), bars, look)
    size_axis(axes, sorted(int(n) for n in table["n"].unique()))


def _caption(table: pd.DataFrame) -> str:
    seeds = seeds_of(table)
    return (
        "Figure 2. Accuracy of trained heads on held-out pairs against the number of training"
        f" pairs, by condition, the published setting. Mean over {seeds};"
        " bars are 1.96 standard errors. Dashed: chance. Markers at one n are set apart."
    )


app = command(draw, "Draw accuracy of trained heads against n in each condition.")

if __name__ == "__main__":
    app()
