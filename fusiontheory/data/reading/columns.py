"""One column of labels or groups: out of .npy, .npz, a table, or the file of the features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import InputError

__all__ = ["read_column"]

_TABLES = {".csv": ",", ".tsv": "\t"}
_BINARY = (".parquet", ".feather")


def read_column(name: str, source: str, beside: Sequence[Path] = ()) -> NDArray[Any]:
    """Return a vector of texts or numbers.

    Args:
        name: of the argument, for errors.
        source: a .npy file of one vector; ``FILE:COLUMN`` or FILE alone if it has one column,
            for .csv, .tsv, .parquet, .feather and .npz; or the name of a column or array in one of
            ``beside``.
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
    for file in beside:
        if file.suffix in (*_TABLES, *_BINARY, ".npz") and source in _names(name, file):
            return _vector(name, file, source)
    raise InputError(
        f"{name} must be a file, FILE:COLUMN, or an array of the features' file, got {source!r}"
    )


def _names(name: str, path: Path) -> list[str]:
    return list(_columns(name, path))


def _columns(name: str, path: Path) -> dict[str, NDArray[Any]]:
    """Return every column of a file."""
    try:
        if path.suffix == ".npy":
            return {"": np.load(path, allow_pickle=False)}
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as stored:
                return {key: stored[key] for key in stored.files}
        if path.suffix in _TABLES or path.suffix in _BINARY:
            import pandas as pd

            if path.suffix in _TABLES:
                table = pd.read_csv(path, sep=_TABLES[path.suffix], encoding="utf-8-sig")
            elif path.suffix == ".parquet":
                table = pd.read_parquet(path)
            else:
                table = pd.read_feather(path)
            return {str(key): table[key].to_numpy() for key in table.columns}
    except Exception as error:  # pandas and NumPy raise many kinds, for files of any content
        detail = " ".join(str(error).split())[:100]
        raise InputError(f"{name} cannot be read from {path}: {detail}") from error
    raise InputError(
        f"{name} must be in .npy, .npz, .csv, .tsv, .parquet or .feather, got {path.name!r}"
    )


def _vector(name: str, path: Path, column: str | None) -> NDArray[Any]:
    found = _columns(name, path)
    if column is None:
        if len(found) != 1:
            raise InputError(
                f"{name} must name a column, {path}:COLUMN, of {', '.join(list(found)[:8])};"
                f" got {path} alone"
            )
        (column,) = found
    if column not in found:
        raise InputError(f"{name} must be a column of {path}, got {column!r}; it has none such")
    vector = np.squeeze(found[column])
    if vector.ndim != 1:
        raise InputError(f"{name} must be one value a row, got shape {vector.shape} in {path}")
    return vector
