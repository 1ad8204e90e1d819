"""What each method foretells from a pilot, beside what was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from experiments.extrapolation.config import Config
from fusiontheory.stats import FORMS, extrapolate
from fusiontheory.typing import Array, Integers

__all__ = ["foretold"]


# Of a mean over orders of one pilot; a smaller one would come from chance among few orders.
_LEAST_ERROR = 0.002


def foretold(config: Config, pilots: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return a row per condition, head, n0, pilot, n and method: foretold and measured accuracy.

    Methods: "moments" and "matched" as `predicted_rows` has them; "anchored", moments moved by
    what they are off by at n0 itself, where the pilot's accuracy is measured, on the scale of
    Phi^-1(accuracy); "power law, FORM" for each form; and "no growth", the accuracy measured at
    n0.

    Args:
        config: the settings.
        pilots: predicted and measured rows.
        truth: condition, head, n, measured, measured_se.
    """
    known = truth.set_index(["condition", "head", "n"])[["measured", "measured_se"]]
    rows = []
    for _, part in pilots.groupby(["condition", "head", "n0", "pilot"], sort=False):
        condition, head = str(part["condition"].iloc[0]), str(part["head"].iloc[0])
        n0, pilot = int(part["n0"].iloc[0]), int(part["pilot"].iloc[0])
        sizes = np.array([factor * n0 for factor in config.factors])
        for method, values in _methods(part, n0, sizes).items():
            for factor, n, value in zip(config.factors, sizes, values, strict=True):
                row: dict[str, Any] = {
                    "condition": condition,
                    "head": head,
                    "n0": n0,
                    "pilot": pilot,
                    "factor": factor,
                    "n": n,
                    "method": method,
                    "foretold": value,
                }
                rows.append(row)
    return pd.DataFrame(rows).merge(known, left_on=["condition", "head", "n"], right_index=True)


def _methods(part: pd.DataFrame, n0: int, sizes: Integers) -> dict[str, Array]:
    curves = {str(kind): rows.set_index("n") for kind, rows in part.groupby("kind")}
    measured, moments = curves["measured"], curves["moments"]["value"]
    at = sizes.tolist()
    last = float(measured["value"].loc[n0])
    moved = norm.ppf(last) - norm.ppf(moments.loc[n0])
    foretold: dict[str, Array] = {
        "moments": moments.loc[at].to_numpy(float),
        "matched": curves["matched"]["value"].loc[at].to_numpy(float),
        "anchored": norm.cdf(norm.ppf(moments.loc[at].to_numpy(float)) + moved),
        "no growth": np.full(sizes.size, last),
    }
    n, accuracy = measured.index.to_numpy(float), measured["value"].to_numpy(float)
    error = np.maximum(measured["error"].to_numpy(float), _LEAST_ERROR)
    for form in FORMS:
        foretold[f"power law, {form}"] = extrapolate(form, n, accuracy, error, sizes.astype(float))
    return foretold
