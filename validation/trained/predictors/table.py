"""The columns of a table of predictions: what each predictor says of a measured cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["COLUMNS", "FIRST", "PLACE", "as_table", "prediction", "records"]

FIRST = "concat-mlp"
"""The head that gaps start from."""

PLACE = ["condition", "head", "n", "sigma", "side"]
"""Of a cell."""

COLUMNS = [
    *(*PLACE, "predictor", "predicted", "low", "high"),
    *("gap_sign", "rises", "ratio_low", "ratio_high", "by"),
]
"""``predicted`` with ``low`` and ``high`` are accuracies, as fractions. ``gap_sign`` is the sign of
the gap of `FIRST` less this head at n, ``rises`` that of accuracy at 2n less at n, ``ratio_low`` to
``ratio_high`` where gap(n) / gap(2n) is to lie. What a predictor does not say is missing, and where
it says nothing ``by`` starts with "not predicted" and says why."""


def prediction(place: Mapping[str, Any], predictor: str, by: str, **said: float) -> dict[str, Any]:
    """Return one row; what is not ``said`` is NaN.

    Example:
        >>> row = prediction({"head": "bilinear"}, "sharp", "by hand", predicted=0.7)
        >>> row["predicted"], row["gap_sign"]
        (0.7, nan)
    """
    told = {name: place[name] for name in PLACE if name in place}
    told |= {"predictor": predictor, "by": by}
    return told | {name: said.get(name, np.nan) for name in COLUMNS if name not in told}


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a dictionary for each row, by the names of the columns."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def as_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows of `prediction` with the columns in order."""
    return pd.DataFrame(rows, columns=COLUMNS)
