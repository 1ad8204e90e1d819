"""One column of labels or groups: out of .npy, .npz, a table, or the file of the features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.data.reading.files import open_file
from fusiontheory.data.reading.tables import TABLES, read_table
from fusiontheory.typing import AnyArray

__all__ = ["column_names", "read_column"]


@checked
def read_column(name: str, source: str, beside: Sequence[Path] = ()) -> AnyArray:
    """Return a vector of texts or numbers.

    Args:
        name: of the argument, for errors.
        source: a file of any kind that is read here, as ``FILE:COLUMN`` or FILE alone if it has
            one column or array; or the name, in any case, of one in a file of ``beside``.
        beside: files of the features.

    Raises:
        InputError: if there is no such file or column, or it is not one vector.

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
        return _vector(name, path, column)
    held: list[str] = []
    for file in beside:
        names = column_names(file)
        if _spelt(source, names) is not None:
            return _vector(name, file, source)
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


def _vector(name: str, path: Path, column: str | None) -> AnyArray:
    names = column_names(path)
    if column is None:
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
    if path.suffix.lower() in TABLES:
        table = read_table(path)
        values = table[next(c for c in table.columns if str(c) == column)].to_numpy()
    else:
        values = open_file(path).read(column, name)
    vector = values.reshape(-1) if values.size == len(values) else values
    if vector.ndim != 1:
        raise InputError(f"{name} must be one value a row, got shape {vector.shape} in {path}")
    return vector


def _told(names: Sequence[str]) -> str:
    """Return the first names for an error, those of numbered columns last."""
    ordered = sorted(filter(None, names), key=lambda name: name[-1].isdigit())
    return ", ".join(ordered[:8]) + (" and others" if len(ordered) > 8 else "")


def _spelt(column: str, names: Sequence[str]) -> str | None:
    """Return a name as the file has it, in whatever case it was asked for; None if unclear."""
    alike = [name for name in names if name.strip().lower() == column.strip().lower()]
    return column if column in names else alike[0] if len(alike) == 1 else None
