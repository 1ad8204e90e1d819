"""A number or a table that a page asks of a stored table by itself, without a function of its own.

The comment behind a number says where it stands: the table, which rows, what of them, and how it is
written, with semicolons between. `shown` reads it::

    2.0<!-- docs/results/trained/gaps.csv; n == 2048 and second == 'bilinear'; 100*gap; .1f -->

Rows are chosen by ``pandas.DataFrame.query`` (none given: all of them). The value is an expression
in the columns, which are pandas series (``error.abs().mean()``); `t` is the table itself. It has to
be one number. In place of a file a table can be what a study's summary makes of its files:
``experiments.rank.summary:errors``. The README of a study writes ``results.csv`` and
``summary:errors`` for its own.
"""

from __future__ import annotations

import importlib
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]


def in_folder(name: str, folder: str) -> str:
    """Return a table's name from the root of the clone, where a page in a folder has its own.

    >>> in_folder("results.csv", "experiments/rank")
    'experiments/rank/results.csv'
    >>> in_folder("summary:errors", "experiments/rank")
    'experiments.rank.summary:errors'
    """
    if ":" in name:
        return name if "." in name else f"{folder.replace('/', '.')}.{name}"
    return name if "/" in name else f"{folder}/{name}"


@cache
def table_of(name: str) -> pd.DataFrame:
    """Return a stored table, or the one that a function makes of the tables of its study.

    Args:
        name: a file's path from the root of the clone, or ``module:function``.
    """
    if ":" not in name:
        return pd.read_csv(ROOT / name)
    module, function = name.split(":")
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    folder = ROOT.joinpath(*module.split(".")[:-1])
    tables = {path.name: pd.read_csv(path) for path in sorted(folder.glob("*.csv"))}
    made: pd.DataFrame = getattr(importlib.import_module(module), function)(tables)
    return made.reset_index() if made.index.names[0] else made


@cache
def rows_of(name: str, rows: str) -> pd.DataFrame:
    """Return the rows of a table that a query keeps, or all."""
    table = table_of(name)
    return table.query(rows, engine="python") if rows else table


def value_of(table: pd.DataFrame, expression: str) -> float:
    """Return what an expression in a table's columns gives, which has to be one finite number.

    Raises:
        ValueError: it is not.

    >>> value_of(pd.DataFrame({"a": [1.0, 4.0], "b c": [0.0, 2.0]}), "(a - `b c`).mean()")
    1.5
    """
    code = re.sub(r"`([^`]+)`", r"t['\1']", expression)
    names: dict[str, Any] = {str(n): table[n] for n in table.columns if str(n) in expression}
    # The expressions are those of this repository's own pages.
    found = np.atleast_1d(eval(code, {"np": np, "pd": pd, "t": table}, names))
    if len(found) != 1 or not np.isfinite(found[0]):
        raise ValueError(f"{expression!r} gives {found.tolist()[:5]}; it has to be one number.")
    return float(found[0])


def written(value: float, form: str) -> str:
    """Return a number in a format of Python's; what rounds to 0 has no minus.

    >>> written(-0.04, "+.1f"), written(12.0, "d")
    ('+0.0', '12')
    """
    text = format(round(value) if form.endswith("d") else value, form)
    return text if float(text.replace(",", "")) else text.replace("-", "+" if "+" in form else "")


def shown(place: str, folder: str = "") -> str:
    """Return the number of a place, as text.

    Args:
        place: table, rows, value and format, with semicolons between.
        folder: of the page.

    Raises:
        ValueError: the place does not have four parts, or its value is not one finite number.

    >>> shown("docs/results/gaps.csv; condition == 'aligned' and n == 256; -100*measured_gap; +.1f")
    '+22.1'
    """
    parts = [part.strip() for part in place.split(";")]
    if len(parts) != 4:
        raise ValueError(f"{place!r} has {len(parts)} parts, not table; rows; value; format.")
    name, rows, value, form = parts
    try:
        return written(value_of(rows_of(in_folder(name, folder), rows), value), form)
    except ValueError as error:
        raise ValueError(f"{place!r}: {error}") from None
