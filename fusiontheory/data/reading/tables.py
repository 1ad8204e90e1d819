"""Tables of features: text with separators, a JSON object a line, parquet and feather.

A vector is a column of lists, or numbered columns such as ``image_0`` ... ``image_511``. A table of
numbers alone, as a matrix is written, is one array without a name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import InputError
from fusiontheory.data.reading.limits import check_fits, check_regular
from fusiontheory.data.reading.names import is_id, is_label, is_split, names_side
from fusiontheory.data.reading.stored import Stored, StoredFile
from fusiontheory.data.reading.text_table import IN_TEXT, text_frame
from fusiontheory.store import unreadable
from fusiontheory.typing import AnyArray, Array

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "arrays_of_records", "open_arrow", "open_csv", "open_json_lines", "read_table"]

TABLES = (".csv", ".tsv", ".txt", ".jsonl", ".parquet", ".feather", ".arrow")
"""Endings of tables."""


_LIST = re.compile(r"\s*(\[|\(|tensor\(|array\()")
_PRINTED = re.compile(r"(?:tensor|array)?\(\[?([^\[\]()]*?)\]?(?:,\s*\w+=[^\[\]]*)?,?\)", re.DOTALL)
"""A tuple, or a tensor or array as it prints itself."""
_BARE = re.compile(r"\s*-?[\d.][-+\d.eE]*(?:(?:\s*[,;]\s*|\s+)-?[\d.][-+\d.eE]*){2,}\s*")
"""Three numbers or more without brackets."""
_NAN, _INFINITY = re.compile(r"\bnan\b", re.IGNORECASE), re.compile(r"\binf\b", re.IGNORECASE)


def open_csv(path: Path) -> StoredFile:
    """Return the arrays of a table of text with commas, tabs, semicolons or blanks.

    Raises:
        InputError: if it is not there or not a table, or a cell of lists is not one.
    """
    return StoredFile(path, _arrays_of(text_frame(path), path))


def open_arrow(path: Path) -> StoredFile:
    """Return the arrays of a parquet or feather file.

    Raises:
        InputError: if it is not there or damaged, or a column has vectors of several lengths.
    """
    return StoredFile(path, _arrays_of(_arrow_frame(path), path))


def read_table(path: Path) -> pd.DataFrame:
    """Return a table of any of `TABLES`, column by column as it is stored.

    Raises:
        InputError: as `open_csv` and `open_arrow` do.
    """
    return _FRAMES.get(path.suffix.lower(), _arrow_frame)(path)


def arrays_of_records(records: AnyArray, path: Path) -> dict[str, Stored]:
    """Return the arrays of rows with named fields, as DataFrame.to_records() makes them.

    Raises:
        InputError: as `open_csv` does.
    """
    import pandas as pd

    return _arrays_of(pd.DataFrame({str(k): records[k] for k in records.dtype.names or ()}), path)


def open_json_lines(path: Path) -> StoredFile:
    """Return the arrays of a file with a JSON object a line, vectors being lists.

    Raises:
        InputError: if it is not there, or a line is not such an object.
    """
    return StoredFile(path, _arrays_of(_json_frame(path), path))


def _json_frame(path: Path) -> pd.DataFrame:
    import pandas as pd

    check_fits(path, "table", (check_regular(path), IN_TEXT), 4)
    rows: list[Any] = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line in filter(str.strip, file):
                rows.append(json.loads(line))
                if not isinstance(rows[-1], dict):
                    raise ValueError(f"row {len(rows) - 1} is not an object")
    except (ValueError, RecursionError) as error:
        detail = " ".join(str(error).split())[:100]
        raise InputError(
            f"path must hold a JSON object a line, got {path}: {detail}; mend row {len(rows)}, or"
            " save the arrays as .npz"
        ) from error
    nested = any(isinstance(value, dict) for value in (rows or [{}])[0].values())
    return pd.json_normalize(rows) if nested else pd.DataFrame(rows)


def _arrow_frame(path: Path) -> pd.DataFrame:
    size = check_regular(path)
    try:
        if path.suffix.lower() == ".parquet":
            from pyarrow import parquet

            about = parquet.ParquetFile(path).metadata
            size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
            check_fits(path, "table", (size,), 1)
            table = parquet.read_table(path)
        else:
            table = _arrow_table(path)
        return _with_index(table.to_pandas())
    except InputError:
        raise
    except Exception as error:  # damaged bytes make the parser raise several kinds
        raise unreadable(path, error) from error


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose index is a column where it names the rows.

    It does if it has a name of its own, or if no column does and it does not merely count, as the
    index of a frame that was cut or put together still does.
    """
    import pandas as pd

    index = frame.index
    name = "index" if index.name is None else str(index.name)
    if isinstance(index, (pd.RangeIndex, pd.MultiIndex)) or name in frame.columns:
        return frame
    named = any(is_id(str(c)) and isinstance(_first(frame[c]), (str, int)) for c in frame.columns)
    counts = index.dtype.kind in "iu" and not index.is_unique
    return frame if index.name is None and (named or counts) else frame.reset_index(names=name)


def _first(values: pd.Series[Any]) -> Any:
    return next(iter(values.tolist()[:1]), None)


def _arrow_table(path: Path) -> Any:
    """Return the table of a feather file, or of a stream, as data sets of Hugging Face are."""
    from pyarrow import feather, ipc

    with path.open("rb") as file:
        if file.read(8).startswith((b"ARROW1", b"FEA1")):
            return feather.read_table(path)
        file.seek(0)
        with ipc.open_stream(file) as stream:
            return stream.read_all()


_FRAMES = {
    ".csv": text_frame,
    ".tsv": text_frame,
    ".txt": text_frame,
    ".jsonl": _json_frame,
}


def _numbered(name: str) -> tuple[str, int] | None:
    """Return stem and number of a column's name; None where it ends in none.

    A pattern would look at a long name from each of its characters.

    >>> _numbered("image[12]"), _numbered("text")
    (('image', 12), None)
    """
    text = name.removesuffix("]")
    stem = text.rstrip("0123456789")
    number = text[len(stem) :]
    return (stem.rstrip(" _.-["), int(number)) if 0 < len(number) < 10 else None


def _arrays_of(frame: pd.DataFrame, path: Path) -> dict[str, Stored]:
    arrays: dict[str, Stored] = {}
    numbered: dict[str, list[tuple[int, Any]]] = {}
    scalars: list[Any] = []
    for column in frame.columns:
        values, name = frame[column], str(column).strip()
        match = _numbered(name)
        if values.dtype.kind in "iufb":
            if match:
                numbered.setdefault(match[0], []).append((match[1], column))
            else:
                scalars.append(column)
        elif (vectors := _vectors(values, f"{path} column {name}")) is not None:
            arrays[name] = Stored.of(vectors)
        else:
            arrays[name] = Stored.of(_strings(values))
    _check_numbered(frame, numbered, path)
    for column in [c for c in scalars if f"{c}.1" in frame.columns and str(c) in numbered]:
        scalars.remove(column)  # pandas numbers columns of one name from the second on
        numbered[str(column)].append((0, column))
    if _are_one_matrix(numbered, scalars):
        scalars, numbered = [c for c in frame.columns if frame[c].dtype.kind in "iufb"], {}
    for stem, columns in numbered.items():
        if len(columns) > 1 or stem == "":
            ordered = [column for _, column in sorted(columns)]
            arrays[stem] = Stored.of(frame[ordered].to_numpy(np.float64))
        else:
            scalars.append(columns[0][1])
    plain = [c for c in scalars if not any(f(str(c)) for f in (is_id, is_label, is_split))]
    if len(plain) > 1 and not any(len(stored.shape) > 1 for stored in arrays.values()):
        arrays[""] = Stored.of(frame[plain].to_numpy(np.float64))
        scalars = [column for column in scalars if column not in plain]
    return arrays | {str(column): Stored.of(frame[column].to_numpy()) for column in scalars}


def _are_one_matrix(
    numbered: Mapping[str, Sequence[tuple[int, Any]]], scalars: Sequence[Any]
) -> bool:
    """Return whether columns of numbers are named one by one, as genes or samples are.

    Some of such names end in a number by chance, which does not count from 0 or 1 on.
    """
    if any(names_side(stem) for stem in numbered):
        return False
    counted = 0
    for columns in numbered.values():
        numbers = sorted(number for number, _ in columns)
        whole = list(range(numbers[0], numbers[0] + len(numbers)))
        counted += len(columns) * (len(columns) > 1 and numbers[0] in (0, 1) and numbers == whole)
    return len(scalars) + sum(map(len, numbered.values())) > 2 * counted


def _vectors(values: pd.Series[Any], where: str) -> AnyArray | None:
    """Return a column of lists of numbers as one array, None if it is none."""
    given = [value for value in values if isinstance(value, (list, np.ndarray, str))]
    if not given or (isinstance(given[0], str) and not _starts_vector(given[0])):
        return None
    rows: list[Any] = []
    for number, value in enumerate(values):
        try:
            row = _listed(value, where, number) if isinstance(value, str) else value
            rows.append(None if np.ndim(row) == 0 else np.stack(row) if _nested(row) else row)
            if rows[-1] is not None:
                rows[-1] = np.asarray(rows[-1], dtype=np.float64)
        except InputError:
            raise
        except (ValueError, TypeError) as error:
            if isinstance(value, str) and isinstance(given[0], str) and number == 0:
                return None  # captions may start with a bracket
            if not isinstance(value, str):
                return None  # lists of strings
            raise InputError(
                f"a vector must be a list of numbers in brackets, got {value[:40]!r} ({where}, row"
                f" {number}); save the arrays as .npz or parquet"
            ) from error
    return _stacked(rows, where)


def _starts_vector(cell: str) -> bool:
    return bool(_LIST.match(cell) or _BARE.fullmatch(cell))


def _listed(cell: str, where: str, number: int) -> Any:
    """Return the list in a cell, with commas or, as NumPy prints it, without; or a tuple."""
    if "..." in cell:
        raise InputError(
            f"a vector must be whole, got one that was cut when it was printed, {cell[:40]!r}"
            f" ({where}, row {number}); save the arrays as .npz or parquet"
        )
    if _BARE.fullmatch(cell):
        return [float(part) for part in re.split(r"[\s,;]+", cell.strip())]
    text = _PRINTED.sub(r"[\1]", cell.strip())
    text = _NAN.sub("NaN", _INFINITY.sub("Infinity", text))
    if "," not in text and "[" not in text[1:] and text.endswith("]"):
        return [float(part) for part in text[1:-1].split()]
    return json.loads(text)


def _stacked(rows: Sequence[Any], where: str) -> Array:
    shape = next(row.shape for row in rows if row is not None)
    for number, row in enumerate(rows):
        if row is not None and row.shape != shape:
            raise InputError(
                f"vectors must be of one shape, got {shape} and, in row {number}, {row.shape}"
                f" ({where}); leave the row out or mend it"
            )
    return np.stack([np.full(shape, np.nan) if row is None else row for row in rows])


def _nested(row: Any) -> bool:
    return len(row) > 0 and isinstance(row[0], np.ndarray)


def _strings(values: pd.Series[Any]) -> NDArray[np.str_]:
    return np.array(["" if value is None or value != value else str(value) for value in values])


def _check_numbered(
    frame: pd.DataFrame, numbered: Mapping[str, Sequence[tuple[int, Any]]], path: Path
) -> None:
    """Refuse a vector with a column of text among its numbered ones: it would be left out."""
    import pandas as pd

    for column in frame.columns:
        values, match = frame[column], _numbered(str(column).strip())
        if match is None or values.dtype.kind in "iufb" or len(numbered.get(match[0], ())) < 2:
            continue
        bad = values.notna() & pd.to_numeric(values, errors="coerce").isna()
        row = int(np.argmax(bad.to_numpy()))
        raise InputError(
            f"column {column} must hold numbers as its neighbours do, got {values.iloc[row]!r} in"
            f" row {row} of {path}; mend the cell, or leave it blank and drop the row"
        )
