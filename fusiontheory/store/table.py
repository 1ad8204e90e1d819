"""From sealed records to one tidy table: cells sorted by configuration, their rows in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.store.cells import ADDED_COLUMNS
from fusiontheory.store.rows import Column, parse
from fusiontheory.store.sealed import SealedRecord
from fusiontheory.typing import Integers

__all__ = ["tidy"]

_TYPES = {"bool": pa.bool_(), "int64": pa.int64(), "double": pa.float64(), "string": pa.string()}
_OF_PYTHON = {bool: "bool", int: "int64", float: "double", str: "string"}
_NULLABLE_TYPES = {pa.bool_(): pd.BooleanDtype(), pa.int64(): pd.Int64Dtype()}
_ABSENT = object()
_AT_ONCE = 50_000  # rows held as Python objects, per schema


@checked
def tidy(records: Iterable[SealedRecord]) -> pd.DataFrame:
    """Return the rows of records with their configurations, ``features``, ``code`` and ``cell``.

    Where only some cells have a column, integers and bools become the nullable pandas types.

    Raises:
        InputError: if a column has types that do not mix, or is of the rows in one cell and of
            the configuration in another.

    >>> from fusiontheory.store import Cell
    >>> from fusiontheory.store import sealed
    >>> cells = [Cell("demo", {"n": n}, "f", "v") for n in (16, 8)]
    >>> tidy(sealed(cell, [{"risk": 0.5}]) for cell in cells)[["n", "risk"]]
        n  risk
    0   8   0.5
    1  16   0.5
    """
    cells, rows = _Cells(), _Rows()
    for record in records:
        cells.add(record)
        rows.add(record.columns())
    order = cells.order()
    measured, starts = rows.table(order)
    names = sorted(cells.config)
    clash = sorted({*names} & {*measured.column_names})
    if clash:
        raise InputError(f"cells must not use a name for config and for rows, got {clash}")
    lengths = np.array(rows.lengths, dtype=np.int64)[order]
    per_row = np.repeat(np.arange(len(order)), lengths)
    # Row j of the k-th cell in order is row starts[k] + j of the table as it was read.
    within = np.arange(len(per_row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    measured = measured.take(pa.array(starts[order][per_row] + within))
    described = {name: _series(cells.values(name), order) for name in [*names, *ADDED_COLUMNS]}
    repeated = {
        name: column.take(per_row).reset_index(drop=True) for name, column in described.items()
    }
    return pd.DataFrame(
        {
            **{name: repeated[name] for name in names},
            **{name: _pandas(measured[name]) for name in measured.column_names},
            **{name: repeated[name] for name in ADDED_COLUMNS},
        }
    )


class _Cells:
    """Configurations by column; equal texts are one object, as a store has few of them."""

    def __init__(self) -> None:
        self.count = 0
        self.config: dict[str, list[Any]] = {}
        self.added: dict[str, list[str]] = {name: [] for name in ADDED_COLUMNS}
        self._texts: dict[str, str] = {}

    def add(self, record: SealedRecord) -> None:
        cell = parse(record.cell)
        for name, value in cell["config"].items():
            column = self.config.setdefault(name, [])
            column += [_ABSENT] * (self.count - len(column))
            column.append(_plain(self._one(value)))
        self.added["features"].append(self._one(cell["features"]))
        self.added["code"].append(self._one(cell["code"]))
        self.added["cell"].append(record.key.decode())
        self.count += 1

    def _one(self, value: Any) -> Any:
        return self._texts.setdefault(value, value) if isinstance(value, str) else value

    def values(self, name: str) -> list[Any]:
        """Return an entry of each cell, None where it has none."""
        if name in self.added:
            return self.added[name]
        known = [None if value is _ABSENT else value for value in self.config[name]]
        return known + [None] * (self.count - len(known))

    def order(self) -> Integers:
        """Return positions of the cells sorted by configuration, features, code and key.

        Configurations compare as the sorted list of their names and values.
        """
        if not self.count:
            return np.zeros(0, dtype=np.int64)
        names = sorted(self.config)
        # The entries of a cell are those of the names it has; the p-th are compared with p-th.
        place = np.zeros(self.count, dtype=np.int64)
        columns: list[Integers] = []
        for rank, name in enumerate(names):
            held = [(k, v) for k, v in enumerate(self.config[name]) if v is not _ABSENT]
            where = np.array([k for k, _ in held], dtype=np.int64)
            codes = _codes([_rank(value) for _, value in held])
            for p in np.unique(place[where]):
                while len(columns) <= p:
                    columns.append(np.full(self.count, -1, dtype=np.int64))
                here = place[where] == p
                columns[p][where[here]] = rank * (self.count + 1) + codes[here]
            place[where] += 1
        columns += [_codes(self.added[name]) for name in ADDED_COLUMNS]
        return np.lexsort(columns[::-1])


class _Rows:
    """Rows by schema, in arrow as soon as there are many."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self._schemas: dict[tuple[tuple[str, str], ...], int] = {}
        self._of: list[int] = []
        self._starts: list[int] = []
        self._counts: list[int] = []
        self._waiting: list[list[list[Any]]] = []
        self._chunks: list[list[pa.Table]] = []

    def add(self, columns: list[Column]) -> None:
        schema = tuple((name, kind) for name, kind, _ in columns)
        number = self._schemas.setdefault(schema, len(self._schemas))
        if number == len(self._waiting):
            self._waiting.append([[] for _ in schema])
            self._chunks.append([])
            self._counts.append(0)
        length = len(columns[0][2])
        self._of.append(number)
        self._starts.append(self._counts[number])
        self.lengths.append(length)
        self._counts[number] += length
        waiting = self._waiting[number]
        for held, (_, _, values) in zip(waiting, columns, strict=True):
            held += values
        if len(waiting[0]) >= _AT_ONCE:
            self._pack(number, schema)

    def _pack(self, number: int, schema: tuple[tuple[str, str], ...]) -> None:
        values = self._waiting[number]
        names = [name for name, _ in schema]
        arrays = [pa.array(v, _TYPES[kind]) for v, (_, kind) in zip(values, schema, strict=True)]
        self._chunks[number].append(pa.table(arrays, names=names))
        self._waiting[number] = [[] for _ in schema]

    def table(self, order: Integers) -> tuple[pa.Table, Integers]:
        """Return all rows, schema by schema as ``order`` first meets them, and the cells' starts.

        Raises:
            InputError: if a column has types that do not mix.
        """
        for schema, number in self._schemas.items():
            self._pack(number, schema)
        of = np.array(self._of, dtype=np.int64)
        met = list(dict.fromkeys(of[order].tolist()))
        offsets = np.zeros(max(len(self._chunks), 1), dtype=np.int64)
        offsets[met] = np.cumsum([0, *(self._counts[number] for number in met)])[:-1]
        tables = [chunk for number in met for chunk in self._chunks[number]] or [pa.table({})]
        try:
            rows = pa.concat_tables(tables, promote_options="permissive")
        except pa.ArrowException as error:
            raise InputError(f"cells must not mix types in a row column: {error}") from error
        return rows, np.array(self._starts, dtype=np.int64) + offsets[of]


def _codes(values: Sequence[Any]) -> Integers:
    """Return the place of each value among the sorted distinct ones."""
    places = {value: k for k, value in enumerate(sorted(set(values)))}
    return np.fromiter((places[value] for value in values), dtype=np.int64, count=len(values))


def _rank(value: Any) -> tuple[Any, ...]:
    """Make values of all types comparable, numbers as numbers."""
    if isinstance(value, tuple):
        return (3, *map(_rank, value))
    if isinstance(value, str):
        return (2, value)
    return (0,) if value is None else (1, value)


def _plain(value: Any) -> Any:
    return tuple(map(_plain, value)) if isinstance(value, list) else value


def _series(values: list[Any], order: Integers) -> pd.Series[Any]:
    ordered = [values[k] for k in order.tolist()]
    kinds = {type(value) for value in ordered if value is not None}
    kind = float if kinds == {int, float} else kinds.pop() if len(kinds) == 1 else None
    if kind not in _OF_PYTHON:  # lists and mixed types stay Python objects
        return pd.Series(ordered, dtype=object)
    try:
        return _pandas(pa.array(ordered, _TYPES[_OF_PYTHON[kind]]))
    except (ValueError, OverflowError):  # an integer that no float is
        return pd.Series(ordered, dtype=object)


def _pandas(column: pa.Array | pa.ChunkedArray) -> pd.Series[Any]:
    # By default pandas turns integers with gaps into floats, which are not exact.
    types_mapper = _NULLABLE_TYPES.get if column.null_count else None
    series: pd.Series[Any] = column.to_pandas(types_mapper=types_mapper)
    return series
