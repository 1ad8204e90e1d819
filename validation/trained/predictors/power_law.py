"""The opponent without theory: a - b n^-c through the accuracies measured at smaller n.

It is no prediction from features, as it has the same head's runs at the smaller sizes, on the same
test images. Its interval is of what as many seeds will measure at n: the fit's covariance, and the
standard error at the largest size fitted, with Student's t.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import t

from fusiontheory.stats import extrapolate_with_error
from validation.trained.predictors.table import PLACE, as_table, prediction, records

__all__ = ["LEAST_SIZES", "power_law_predictions"]

LEAST_SIZES = 3
"""Smaller sizes that three numbers need."""

# Of the standard errors: one test pair of 10,000, where all seeds are right equally often.
_LEAST_ERROR = 1e-4
_SERIES = ["condition", "head", "sigma", "side"]


def power_law_predictions(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the forecast of each measured cell from the smaller sizes of its series.

    Args:
        runs: one row per run of one setting, columns `PLACE`, seed and accuracy. A NaN accuracy
            does not count; a size needs two seeds.

    Example:
        >>> cell = {"condition": "c", "head": "h", "sigma": 0.0, "side": "both"}
        >>> rows = [
        ...     {**cell, "n": n, "seed": s, "accuracy": 0.9 - n**-0.5 + s / 1000}
        ...     for n in (64, 128, 256, 512) for s in (0, 1)
        ... ]
        >>> told = power_law_predictions(pd.DataFrame(rows)).set_index("n")["predicted"]
        >>> round(float(told[512]), 3), told.notna().sum().item()
        (0.856, 1)
    """
    rows = []
    for _, series in runs.groupby(_SERIES, sort=False):
        means = series.groupby("n")["accuracy"].agg(["count", "mean", "sem"])
        means = means[means["count"] >= 2]
        for place in records(series[PLACE].drop_duplicates().sort_values("n")):
            before = means[means.index < place["n"]]
            if len(before) < LEAST_SIZES:
                why = f"not predicted: {len(before)} smaller n of {LEAST_SIZES} measured"
                rows.append(prediction(place, "power law", why))
            else:
                said = _forecast(before, float(place["n"]))
                by = "a - b n^-c through n = " + ", ".join(map(str, before.index))
                rows.append(prediction(place, "power law", by, **said))
    return as_table(rows)


def _forecast(before: pd.DataFrame, n: float) -> dict[str, float]:
    error = np.maximum(before["sem"].to_numpy(float), _LEAST_ERROR)
    value, se = extrapolate_with_error(
        before.index.to_numpy(float), before["mean"].to_numpy(float), error, n
    )
    half = float(t.ppf(0.975, before["count"].min() - 1) * np.hypot(se, error[-1]))
    return {"predicted": value, "low": max(value - half, 0.0), "high": min(value + half, 1.0)}
