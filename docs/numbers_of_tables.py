"""A number that a page asks of a table by itself, without a function of its own.

The comment behind it says where it stands: the table, which rows, what of them, and how it is
written, with semicolons between. `shown` reads it::

    2.0<!-- docs/results/trained/gaps.csv; n == 2048 and second == 'bilinear'; 100*gap; .1f -->

Rows are chosen by ``pandas.DataFrame.query`` (none given: all of them), and the value is computed
by ``pandas.DataFrame.eval``. It has to be one number.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]


@cache
def _table(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / name)


def shown(place: str) -> str:
    """Return the number of a place, as text.

    Args:
        place: table, rows, value and format, with semicolons between.

    Raises:
        ValueError: the place does not have four parts, or its value is not one finite number.

    >>> shown("docs/results/gaps.csv; condition == 'aligned' and n == 256; -100*measured_gap; +.1f")
    '+22.1'
    """
    parts = [part.strip() for part in place.split(";")]
    if len(parts) != 4:
        raise ValueError(f"{place!r} has {len(parts)} parts, not table; rows; value; format.")
    name, rows, value, form = parts
    table = _table(name)
    kept = table.query(rows, engine="python") if rows else table
    found = np.atleast_1d(kept.eval(value, engine="python"))
    if len(found) != 1 or not np.isfinite(found[0]):
        raise ValueError(f"{place!r} gives {found.tolist()[:5]}; it has to be one number.")
    text = format(found[0], form)
    return text if float(text) else text.replace("-", "")
