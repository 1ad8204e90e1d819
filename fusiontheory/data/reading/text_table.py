"""A table of text as programs write it: which separator, header and decimal mark it has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusiontheory.checks import InputError
from fusiontheory.data.reading.limits import check_fits, check_regular

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["IN_TEXT", "text_frame"]

IN_TEXT = 3  # bytes of memory for each byte of a text file, at most
_SEPARATORS = (",", "\t", ";")
_BLANKS = r"\s+"
_DECIMAL_COMMA = re.compile(r"-?\d*,\d+([eE][+-]?\d+)?")
_MARKS = {
    r"-?\d{1,3}(\.\d{3})+,\d+": {"decimal": ",", "thousands": "."},
    r"-?\d{1,3}(,\d{3})+\.\d+": {"thousands": ","},
}
"""Numbers with marks of thousands, and how pandas is told."""


def text_frame(path: Path) -> pd.DataFrame:
    """Return a table of text with commas, tabs, semicolons or blanks, a column for each of its own.

    Lines that start with ``#`` are left out, as ``numpy.savetxt`` writes them, unless the last one
    names the columns. So are a second line of names and an empty column at the end.

    Raises:
        InputError: if it is not there, not in UTF-8 or no table.
    """
    import pandas as pd

    check_fits(path, "table", (check_regular(path), IN_TEXT), 4)
    encoding = _encoding(path)
    try:
        given: dict[str, Any] = {"encoding": encoding} | _dialect(path, encoding)
        frame: pd.DataFrame = pd.read_csv(path, **given)
        if given["header"] == 0 and _starts_with_a_value(frame):
            given["header"] = None
            frame = pd.read_csv(path, **given)
        marks: dict[str, Any] = _marks(frame)
        if not marks and given["sep"] in ("\t", ";") and _has_decimal_commas(frame):
            marks = {"decimal": ","}
        if marks:
            frame = pd.read_csv(path, **given, **marks)
        if not isinstance(frame.index, pd.RangeIndex):  # rows are longer than the header by one
            if frame.iloc[:, -1].isna().all():
                frame = pd.read_csv(path, **given, **marks, index_col=False)  # by a last separator
            else:
                frame = frame.reset_index(names="index")  # as R writes names of rows
        frame = _without_empty_end(frame)
        if given["header"] is None and frame.dtypes.iloc[0].kind not in "iufb":
            frame = frame.rename(columns={frame.columns[0]: "ids"})
        # What pandas calls the index of a frame that it wrote without a name.
        names = {"Unnamed: 0": "index"} | {c: str(c).lstrip("# ") for c in frame.columns[:1]}
        return frame.rename(columns=names | {"Unnamed: 0": "index"})
    except UnicodeDecodeError as error:
        raise InputError(
            f"path must be a table in UTF-8, got {path} with the byte"
            f" 0x{error.object[error.start]:02x}, which is not; save it as UTF-8"
        ) from error
    except Exception as error:  # pandas raises its own kinds
        detail = " ".join(str(error).split())[:100]
        raise InputError(
            f"path must be a table of numbers with commas or tabs in UTF-8, got {path}: {detail};"
            " mend the row, or save the arrays as .npz"
        ) from error


def _dialect(path: Path, encoding: str) -> dict[str, Any]:
    """Return what pandas is told of a file by its first lines: sep, header, rows to leave out."""
    with path.open(encoding=encoding) as file:
        notes = list(takewhile(lambda line: line.startswith("#"), file))
    with path.open(encoding=encoding) as file:
        first, second = [file.readline() for _ in range(len(notes) + 2)][-2:]
    separator = _separator(first)
    if notes and len(_cells(notes[-1], separator)) == len(_cells(first, separator)) > 1:
        first, second = notes.pop(), first  # names of columns behind a #
    given: dict[str, Any] = {"sep": separator, "header": 0, "skiprows": len(notes)}
    names = _cells(first, separator)
    if separator == _BLANKS and _counts(first, second):
        return given | {"header": None, "skiprows": len(notes) + 1}  # as word2vec writes
    if not _names_columns([name.lstrip("# ") for name in names]):
        return given | {"header": None}
    below = _cells(second, separator)
    if len(set(names)) < len(names) == len(below) > 2 and _names_columns(below):
        given["skiprows"] += 1  # two lines of names, as pandas writes columns of two levels
    return given


def _separator(line: str) -> str:
    separator = max(_SEPARATORS, key=line.count)
    if all(map(_DECIMAL_COMMA.fullmatch, (parts := line.strip().split(";")))) and parts[1:]:
        return ";"  # commas are those of decimals
    if separator not in line:
        # As numpy.savetxt writes; a word above cells with blanks is the name of one column.
        one = not _is_number(line.strip()) and len(line.split()) == 1
        return "," if one else _BLANKS
    return separator


def _cells(line: str, separator: str) -> list[str]:
    """Return the cells of a line, without blank ones at the end."""
    cells = [cell.strip('" ') for cell in re.split(separator, line.strip())]
    while cells and not cells[-1]:
        del cells[-1]
    return cells


def _starts_with_a_value(frame: pd.DataFrame) -> bool:
    """Return whether the name of a single column is one of its values, as of labels a line."""
    return frame.shape[1] == 1 and bool((frame.iloc[:, 0] == frame.columns[0]).any())


def _counts(first: str, second: str) -> bool:
    """Return whether a line is how many rows there are and of how many numbers, with a name each.

    >>> _counts("3000 4", "cat 0.1 0.2 0.3 0.4")
    True
    """
    cells = first.split()
    return (
        len(cells) == 2
        and all(cell.isdigit() for cell in cells)
        and len(second.split()) == int(cells[1]) + 1 > 2
    )


def _names_columns(cells: Sequence[str]) -> bool:
    """Return whether the cells of a first line are names: not numbers, but for one that names it.

    >>> _names_columns(["id", "0", "1"]), _names_columns(["a.jpg", "0.12", "-1.3"])
    (True, False)
    """
    counted = [str(k) for k in range(len(cells))]  # as pandas names columns without names
    numbers = [cell for cell in cells if _is_number(cell)]
    if len(numbers) == len(cells):
        return cells == counted
    values = len(numbers) == len(cells) - 1 >= 2 and not _is_number(cells[0])
    return not values or all(cell.isdigit() for cell in numbers)


def _encoding(path: Path) -> str:
    """Return UTF-16 where a file starts with its mark, as Excel's Unicode text does."""
    with path.open("rb") as file:
        start = file.read(2)
    return "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _texts(frame: pd.DataFrame) -> list[pd.Series[Any]]:
    texts = [frame[c] for c in frame.columns if frame[c].dtype.kind not in "iufb"]
    return [column.dropna().astype(str).str.strip() for column in texts if column.notna().any()]


def _has_decimal_commas(frame: pd.DataFrame) -> bool:
    return any(_DECIMAL_COMMA.fullmatch(column.iloc[0]) for column in _texts(frame))


def _marks(frame: pd.DataFrame) -> dict[str, Any]:
    """Return how thousands and decimals are marked, where thousands are."""
    texts = _texts(frame)
    for pattern, marks in _MARKS.items():
        if any(column.str.fullmatch(pattern).any() for column in texts):
            return marks
    return {}


def _without_empty_end(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame without a last column without name and values: a separator too many."""
    name = frame.columns[-1]
    named = isinstance(name, str) and not name.startswith("Unnamed: ")
    return frame if named or frame.shape[1] < 2 or frame[name].notna().any() else frame.iloc[:, :-1]


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip('" ').replace(",", "."))
    except ValueError:
        return False
    return True
