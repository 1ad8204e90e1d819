"""One call for a picture of a table: curves, and a person's own runs beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.plotting.curves import plot_comparison, plot_curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot", "plot_runs"]

_WIDTH = 5.4  # inches
_TITLE = "your runs"


@checked
def plot(
    curve: pd.DataFrame, points: pd.DataFrame | None = None, *, quantity: str | None = None
) -> Figure:
    """Draw predicted curves against n, with measured points beside them if there are any.

    In a notebook the value of a cell is shown as a picture, once; `fusiontheory.plotting.
    save_figure` writes it to a file.

    Args:
        curve: `predict_curve`, or several with a column ``head``.
        points: ``compare(curve, runs).points``.
        quantity: the column to draw; None for accuracy, or risk where there is no accuracy.

    Raises:
        InputError: if a column is missing or there is nothing to draw.

    Example:
        >>> plot(pd.DataFrame({"n": [256, 512], "accuracy": [0.6, 0.7]})).axes[0].get_ylabel()
        'accuracy (%)'
    """
    if points is not None:
        return plot_runs(curve, points)
    if not isinstance(curve, pd.DataFrame):
        raise InputError(f"curve must be a table of predict_curve, got {type(curve).__name__}")
    chosen = quantity or ("accuracy" if "accuracy" in curve else "risk")
    return plot_curve(curve, chosen, _WIDTH)


@checked
def plot_runs(curve: pd.DataFrame, points: pd.DataFrame, width: float = _WIDTH) -> Figure:
    """Draw runs as points beside the predicted curves.

    Args:
        curve: as in `plot`.
        points: columns head, n, measured, measured_se.
        width: of the figure in inches.

    Raises:
        InputError: if a column is missing or there is nothing to draw.

    Example:
        >>> curve = pd.DataFrame({"head": "bilinear", "n": [64, 256], "accuracy": [0.6, 0.7]})
        >>> runs = pd.DataFrame({"head": ["bilinear"], "n": [64], "measured": [0.61],
        ...                      "measured_se": [0.01]})
        >>> plot_runs(curve, runs).axes[0].get_title(loc="left")
        'your runs'
    """
    if "head" not in curve and "head" in points and points["head"].nunique() == 1:
        curve = curve.assign(head=points["head"].iloc[0])
    return plot_comparison(points.assign(condition=_TITLE), curve.assign(condition=_TITLE), width)
