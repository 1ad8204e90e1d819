"""Panels side by side, or on top of each other where a figure is narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusiontheory.constraints import between, checked
from fusiontheory.plotting.style import stacked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["panels", "per_panel"]


@checked
def per_panel(width: float, count: int) -> float:
    """Return the width of one of ``count`` panels in inches, tick labels and margins included."""
    return width if stacked(width) else width / count


@checked(count=between(1, 100))
def panels(count: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``count`` panels of one scale, each ``height`` inches high."""
    # Imported here: matplotlib takes longer to import than most uses of the package to run.
    from fusiontheory.plotting.picture import Picture

    rows, columns = (count, 1) if stacked(width) else (1, count)
    figure = Picture(figsize=(width, height * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat:
        axes.tick_params(labelbottom=True, length=2.5)
    return figure, list(grid.flat)
