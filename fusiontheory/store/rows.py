"""The rows of a record: checked when written, kept as JSON columns, read back exactly.

A column is ``[name, type, values]``; its type is one of four that pandas, pyarrow and JSON share.
JSON keeps every float exactly, and NaN and infinity by the names that Python's parser knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.store.cells import Cell, check_names

__all__ = ["Column", "columns_of", "decode", "encode", "first_difference", "is_time", "parse"]

Column: TypeAlias = "list[Any]"
"""Name, type ("bool", "int64", "double", "string") and the values, as plain Python."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DECODE = json.JSONDecoder().raw_decode  # json.loads looks for space first, twice


def is_time(name: str) -> bool:
    """Whether a column holds measured time: ``seconds``, or a name that ends in ``_seconds``.

    Such columns are kept and sealed but no part of what a record is compared by: the same cell
    measured twice never takes the same time.

    >>> is_time("seconds"), is_time("wall_seconds"), is_time("risk")
    (True, True, False)
    """
    return name == "seconds" or name.endswith("_seconds")


def columns_of(cell: Cell, rows: pd.DataFrame | Sequence[Mapping[str, Any]]) -> list[Column]:
    """Return rows as columns of plain Python values.

    Raises:
        InputError: if there are none, they cannot be stored, or a column has the name of an entry
            of the configuration.

    >>> columns_of(Cell("demo", {"n": 1}, "f", "v"), [{"risk": np.float32(0.5)}, {"risk": 1}])
    [['risk', 'double', [0.5, 1.0]]]
    """
    columns = _by_name(rows)
    if not columns or not len(rows):
        raise InputError("rows must hold at least one row and one column, got none")
    check_names("rows", columns)
    clash = sorted(columns.keys() & cell.config.keys())
    if clash:
        raise InputError(f"rows must not have columns that config names too, got {clash}")
    return [[name, *_typed(name, values)] for name, values in columns.items()]


def encode(columns: Sequence[Column]) -> bytes:
    """Return columns as JSON in UTF-8.

    >>> encode([["risk", "double", [0.1, float("nan")]]])
    b'[["risk","double",[0.1,NaN]]]'
    """
    return _ENCODER.encode(columns).encode()


def decode(text: bytes) -> list[Column]:
    """Return the columns of a JSON text.

    >>> decode(b'[["risk","double",[0.5]]]')
    [['risk', 'double', [0.5]]]
    """
    columns: list[Column] = parse(text)
    return columns


def parse(text: bytes) -> Any:
    """Return the value of one of our JSON texts, which have no space around them.

    >>> parse(b'{"n": 1}')
    {'n': 1}
    """
    return _DECODE(text.decode())[0]


def first_difference(held: Sequence[Column], given: Sequence[Column]) -> str:
    """Say where columns differ first, for a message.

    >>> first_difference([["risk", "double", [0.5, 1.0]]], [["risk", "double", [0.5, 2.0]]])
    'risk of row 1 is 1.0 there and 2.0 here'
    """
    names = [[name for name, *_ in columns] for columns in (held, given)]
    if names[0] != names[1]:
        return f"columns are {names[0]} there and {names[1]} here"
    for (name, kind, old), (_, other, new) in zip(held, given, strict=True):
        if kind != other:
            return f"{name} is {kind} there and {other} here"
        if len(old) != len(new):
            return f"there are {len(old)} rows there and {len(new)} here"
        for row, pair in enumerate(zip(old, new, strict=True)):
            if repr(pair[0]) != repr(pair[1]):
                return f"{name} of row {row} is {pair[0]!r} there and {pair[1]!r} here"
    return "the cells differ"


def _by_name(rows: pd.DataFrame | Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    if isinstance(rows, pd.DataFrame):
        if not rows.columns.is_unique:
            raise InputError(f"rows must have distinct columns, got {list(rows.columns)}")
        return {name: rows[name].tolist() for name in rows.columns}
    names = list(rows[0]) if len(rows) else []
    for i, row in enumerate(rows):
        if row.keys() != set(names):
            raise InputError(f"rows[{i}] must have the columns {names}, got {list(row)}")
    return {name: [row[name] for row in rows] for name in names}


def _typed(name: str, values: list[Any]) -> tuple[str, list[Any]]:
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    kinds = {type(value) for value in plain}
    kind = float if kinds == {int, float} else kinds.pop() if len(kinds) == 1 else None
    if kind is float:
        # An integer among floats must be one of them exactly.
        if all(type(value) is float or abs(value) <= 2**53 for value in plain):
            return "double", [float(value) for value in plain]
    elif kind is int:
        if all(-(2**63) <= value < 2**63 for value in plain):
            return "int64", plain
    elif kind is str:
        if all(value.isascii() or _is_unicode(value) for value in plain):
            return "string", plain
    elif kind is bool:
        return "bool", plain
    got = " and ".join(sorted({type(value).__name__ for value in plain}))
    rule = "all bools, all 64-bit integers, all floats or all strings"
    raise InputError(f"rows column {name!r} must hold {rule}, got {got}")


def _is_unicode(value: str) -> bool:
    return value.encode(errors="ignore").decode() == value
