"""One column of labels or groups: out of .npy, .npz, a table, or the file of the features."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.data.reading.files import open_file
from fusiontheory.data.reading.joining import owners_by_name
from fusiontheory.data.reading.names import is_id
from fusiontheory.data.reading.tables import TABLES, read_table
from fusiontheory.typing import AnyArray

__all__ = ["column_names", "read_column"]


@checked
def read_column(
    name: str, source: str, beside: Sequence[Path] = (), ids: Sequence[str] | None = None
) -> AnyArray:
    """Return a vector of texts or numbers.

    Args:
        name: of the argument, for errors.
        source: a file of any kind that is read here, as ``FILE:COLUMN`` or FILE alone if it has
            one column or array; or the name, in any case, of one in a file of ``beside``.
        beside: files of the features.
        ids: names of the rows that the values are for. Where a file of its own holds names beside
            the values, and at least half of ``ids`` are among them, they are put into this order;
            else they are taken as they stand.

    Raises:
        InputError: if there is no such file or column, or it is not one vector, or names most of
            ``ids`` and not all, or one of them with two values.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "items.csv"
    >>> _ = path.write_text("id,kind\\n1,cat\\n2,dog\\n")
    >>> read_column("labels", f"{path}:kind").tolist()
    ['cat', 'dog']
    """
    path, column = Path(source), None
    if not path.is_file() and ":" in source:
        stem, _, column = source.rpartition(":")
        path = Path(stem)
    if path.is_file():
        column = _column(name, path, column)
        values = _vector(name, path, column)
        own = ids is not None and not any(path.samefile(file) for file in beside)
        return _in_order(name, path, column, values, ids) if own and ids else values
    held: list[str] = []
    for file in beside:
        names = column_names(file)
        if _spelt(source, names) is not None:
            return _vector(name, file, _column(name, file, source))
        held += filter(None, names)
    has = f"; it has {_told(held)}" if held else ""
    raise InputError(
        f"{name} must be a file, FILE:COLUMN, or an array of the features' file, got"
        f" {source!r}{has}"
    )


@checked
def column_names(path: Path) -> list[str]:
    """Return the names of the columns of a table, or of the arrays of a file.

    Raises:
        InputError: if it cannot be read.
    """
    if path.suffix.lower() in TABLES:
        return [str(column) for column in read_table(path).columns]
    return list(open_file(path).arrays)


def _column(name: str, path: Path, column: str | None) -> str:
    """Return the name of a column as the file has it."""
    names = column_names(path)
    if column is None:
        names = [k for k in names if k != "index"] or names  # what pandas writes by itself
        if len(names) != 1:
            raise InputError(
                f"{name} must name a column, {path}:COLUMN, of {_told(names)}; got {path} alone"
            )
        (column,) = names
    column = _spelt(column, names) or column
    if column not in names:
        raise InputError(
            f"{name} must be a column of {path}, got {column!r}; it has {_told(names)}"
        )
    return column


def _vector(name: str, path: Path, column: str) -> AnyArray:
    """Return the values of a column that the file has."""
    if path.suffix.lower() in TABLES:
        table = read_table(path)
        values = table[next(c for c in table.columns if str(c) == column)].to_numpy()
    else:
        values = open_file(path).read(column, name)
    vector = values.reshape(-1) if values.size == len(values) else values
    if vector.ndim != 1:
        raise InputError(
            f"{name} must be one value a row, got shape {vector.shape} in {path}; of columns that"
            " are 0 or 1, save the number of the one that is 1, argmax(axis=1)"
        )
    return vector


def _in_order(name: str, path: Path, column: str, values: AnyArray, ids: Sequence[str]) -> AnyArray:
    """Return values in the order of the names of the features' rows, where their file has names."""
    owners: dict[str, AnyArray] = {}
    texts = _text_columns(path)
    for key in (k for k in column_names(path) if k != column and (is_id(k) or k in texts)):
        try:
            held = [str(one) for one in _vector(key, path, key).tolist()]
        except InputError:
            continue  # such as the vectors of images
        if len(held) != len(values):
            continue
        if held == list(ids):
            return values
        owner, _ = owners_by_name(held, ids)
        if not is_id(key) and 2 * np.count_nonzero(owner < 0) > len(ids):
            continue
        owners[key] = owner
        _check_one_value(name, path, key, held, values, owners[key])
    if not owners:
        return values
    key = max(owners, key=lambda one: np.count_nonzero(owners[one] >= 0))
    owner, absent = owners[key], np.flatnonzero(owners[key] < 0)
    if 2 * absent.size > len(ids):
        names = _vector(key, path, key)
        if not _counts(names):
            raise InputError(
                f"{name} must have the names of the features' rows, got {str(names[0])!r} and"
                f" others in column {key} of {path}, of which none or few are among {ids[0]!r} and"
                f" others of the features; write the same names in both, or leave {key} out to take"
                " rows as they stand"
            )
        _warn(
            f"{path}: rows are taken in their order, as {key} has none of the names of the"
            f" features' rows, such as {ids[absent[0]]!r}, or few"
        )
        return values
    if absent.size:
        raise InputError(
            f"{name} must have a row for each item, got none for {absent.size} of {len(ids)}, such"
            f" as {ids[absent[0]]!r} (row {absent[0]} of the features), in {path}; add them, or"
            " leave these items out"
        )
    if len(owner) != len(values) or (owner != np.arange(len(owner))).any():
        if key == "index" and _counts(_vector(key, path, key)):
            raise InputError(
                f"{name} must stand in the order of the features or be named, got {path} whose"
                f" index counts its rows while the names of the features' rows are the same numbers"
                f" in another order ({ids[0]}, {ids[1]} ...); rename index to id, to join by it, or"
                " leave it out, to take rows as they stand"
            )
        _warn(f"{path}: rows are put into the order of the features by {key}")
    ordered: AnyArray = values[owner]
    return ordered


def _text_columns(path: Path) -> set[str]:
    """Return the names of the columns that hold text."""
    if path.suffix.lower() in TABLES:
        table = read_table(path)
        return {str(c) for c in table.columns if table[c].dtype.kind not in "iufb"}
    return {name for name, one in open_file(path).arrays.items() if one.dtype.startswith("str")}


def _counts(column: AnyArray) -> bool:
    """Return whether a column is 0, 1, 2 ..., as pandas writes it by itself, or 1, 2, 3 ..."""
    whole = column.dtype.kind in "iu" and column.size > 0 and column[0] in (0, 1)
    return bool(whole and np.array_equal(column - column[0], np.arange(len(column))))


def _check_one_value(
    name: str, path: Path, key: str, held: Sequence[str], values: AnyArray, owner: AnyArray
) -> None:
    """Refuse a name of the features' rows that has two values."""
    used = {held[row] for row in owner[owner >= 0].tolist()}
    first: dict[str, int] = {}
    for row, one in enumerate(held):
        before = first.setdefault(one, row)
        if one in used and values[row] != values[before] and values[row] == values[row]:
            raise InputError(
                f"{name} must have one value for each {key}, got {values[before]} and {values[row]}"
                f" for {one!r} (rows {before} and {row} of {path}); leave one of the two out"
            )


def _warn(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=5)


def _told(names: Sequence[str]) -> str:
    """Return the first names for an error, those of numbered columns last."""
    ordered = sorted(filter(None, names), key=lambda name: name[-1].isdigit())
    return ", ".join(ordered[:8]) + (" and others" if len(ordered) > 8 else "")


def _spelt(column: str, names: Sequence[str]) -> str | None:
    """Return a name as the file has it, in whatever case it was asked for; None if unclear."""
    alike = [name for name in names if name.strip().lower() == column.strip().lower()]
    return column if column in names else alike[0] if len(alike) == 1 else None
