"""Where curves cross a level, and the slope of log n in log d."""

from __future__ import annotations

import numpy as np
import pandas as pd

from experiments.sample_complexity.config import POINT, QUANTITIES, Head
from fusiontheory.typing import Array

__all__ = ["crossing", "exponents", "slope_weights", "slopes_of"]


def crossing(sizes: Array, excess: Array, level: float) -> Array:
    """Return n at which curves fall to ``level``, by interpolation in log n and log excess.

    Args:
        sizes: n, ascending, shape (k,).
        excess: rows of curves, shape (r, k).
        level: excess risk.

    Returns:
        Shape (r,); NaN where a curve does not pass the level between two of the n.
    """
    result = np.full(len(excess), np.nan)
    x, height = np.log(sizes), np.log(excess) - np.log(level)
    for row, curve in enumerate(height):
        below = np.flatnonzero((curve[:-1] > 0) & (curve[1:] <= 0))
        if below.size:
            k = below[0]
            result[row] = np.exp(x[k] + (x[k + 1] - x[k]) * curve[k] / (curve[k] - curve[k + 1]))
    return result


def exponents(
    crossed: pd.DataFrame, resampled: dict[tuple[str, Head, float, int], Array]
) -> pd.DataFrame:
    """Return the slopes of log n, log count and log effective dimension in log d.

    The interval of the measured one holds the middle 95 % of the slopes of resampled draws.
    """
    rows = []
    for key, group in crossed.groupby(POINT[:3], sort=False):
        slopes = slopes_of(group, QUANTITIES)
        again = np.stack([resampled[(*key, d)] for d in group["d"]])
        drawn = slope_weights(group) @ np.log(again)
        low, high = np.nanpercentile(drawn, [2.5, 97.5])
        rows.append((*key, int(group["d"].max()), *slopes.values(), low, high))
    return pd.DataFrame(rows, columns=[*POINT[:3], "largest_d", *QUANTITIES, "low", "high"])


def slopes_of(group: pd.DataFrame, names: list[str]) -> dict[str, float]:
    """Return the least-squares slope of the logarithm of each column in log d."""
    weights = slope_weights(group)
    return {name: float(weights @ np.log(group[name].to_numpy())) for name in names}


def slope_weights(group: pd.DataFrame) -> Array:
    """Return the weights of log y in the slope of log y in log d."""
    x = np.log(group["d"].to_numpy(dtype=np.float64))
    centred = x - x.mean()
    return np.asarray(centred / np.sum(centred**2))
