"""Tables of image path, caption and maybe split: CSV, other separators, parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError
from fusiontheory.store import unreadable
from validation.corpus.columns import Columns, find_columns
from validation.corpus.corpus import Corpus
from validation.corpus.image_folder import relative_path
from validation.corpus.listing import Incomplete, Listing
from validation.corpus.splits import split_name
from validation.corpus.text_file import read_text

__all__ = ["SEPARATORS", "list_table", "read_table"]

SEPARATORS = (",", "\t", "|", ";")
"""Between columns; the first with which the header has the columns of an image and a caption."""

_Row = tuple[str, Sequence[Any]]


def read_table(
    table: Path, images: Path | None = None, incomplete: Incomplete = "refuse"
) -> Corpus:
    """Return the corpus of a table with one row for each caption, or for each image.

    Columns are found by name (see `find_columns`). Captions of one image are in several rows, in
    numbered columns (caption_0, ...), or in parquet in one column of lists. The image's id is its
    path. Splits come from a column ``split``; without one, no image is in a split.

    Args:
        table: a file that ends in .parquet, or of text with a header.
        images: the folder that the paths are relative to. None: looked for beside the table.
        incomplete: see `Listing.corpus`.

    Raises:
        InputError: if the file is empty, damaged or lacks a column, a row does not fit the header
            or has no image, an image is in two splits, or as `Listing.corpus` does.

    Example:
        ``read_table(Path("pairs.csv"), images=Path("photos"))``
    """
    return list_table(table).corpus(images, incomplete)


def list_table(table: Path, splits: Mapping[str, str] | None = None) -> Listing:
    """Return what a table lists; ``splits`` by image serve where it has no such column.

    Raises:
        InputError: as `read_table` does, but for what only the image folder can tell.
    """
    columns, rows = _parquet(table) if table.suffix == ".parquet" else _text(table)
    listing = Listing(table)
    for place, row in rows:
        path, label, captions = row[0], row[1], row[2:]
        if not isinstance(path, str):
            raise InputError(
                f"column {columns.image} must hold paths of image files, got"
                f" {type(path).__name__} ({table} {place}); write images to files first"
            )
        path = relative_path(path.strip(), f"{table} {place}")
        if columns.split is None:
            split = (splits or {}).get(path)
        else:
            split = split_name(
                _text_or_none(label, columns.split, table, place), f"{table} {place}"
            )
        listing.add(path, path, _flat(captions), split, place)
    return listing


def _text(table: Path) -> tuple[Columns, Iterator[_Row]]:
    text = read_text(table)
    separator, header = _header(text, table)
    columns = find_columns(header, str(table))
    return columns, _text_rows(text, separator, header, columns, table)


def _header(text: str, table: Path) -> tuple[str, list[str]]:
    """Return separator and column names; those of the first separator if none will do."""
    line = text.lstrip().split("\n", 1)[0].rstrip("\r")
    headers = {mark: next(csv.reader([line], delimiter=mark)) for mark in SEPARATORS}
    for mark, header in headers.items():
        try:
            find_columns(header, str(table))
        except InputError:
            continue
        return mark, header
    return SEPARATORS[0], headers[SEPARATORS[0]]


def _text_rows(
    text: str, separator: str, header: list[str], columns: Columns, table: Path
) -> Iterator[_Row]:
    wanted = _positions(header, columns)
    # Strict, because an unclosed quotation mark would otherwise swallow the rest of the file.
    reader = csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=separator, strict=True)
    try:
        next(reader)
        for row in reader:
            place = f"line {reader.line_num}"
            if not "".join(row).strip():
                continue
            if len(row) != len(header):
                raise InputError(
                    f"rows must have {len(header)} fields as the header has, got {len(row)}"
                    f" ({table} {place}); put captions that contain {separator!r} in double quotes"
                )
            yield place, [None if i is None else row[i] for i in wanted]
    except csv.Error as error:
        raise InputError(
            f"path must be a table in CSV, got {table}: {error} (line {reader.line_num});"
            " double each quotation mark inside a quoted caption"
        ) from error


def _parquet(table: Path) -> tuple[Columns, Iterator[_Row]]:
    # Only this format needs it, and importing it takes longer than reading a small CSV.
    from pyarrow import parquet

    if not table.is_file():
        raise InputError(f"path must be a file to read, got {table}, which is none")
    try:
        names = list(parquet.read_schema(table).names)
    except Exception as error:  # damaged bytes make the parser raise several kinds
        raise unreadable(table, error) from error
    columns = find_columns(names, str(table))
    wanted = [columns.image, *([columns.split] if columns.split else []), *columns.captions]
    try:
        content = parquet.read_table(table, columns=wanted).to_pydict()
    except Exception as error:  # as above
        raise unreadable(table, error) from error
    count = len(content[columns.image])
    series = [
        content[columns.image],
        content[columns.split] if columns.split else [None] * count,
        *(content[name] for name in columns.captions),
    ]
    rows = zip(*series, strict=True)
    return columns, ((f"row {i}", row) for i, row in enumerate(rows, start=1))


def _positions(header: list[str], columns: Columns) -> list[int | None]:
    split = None if columns.split is None else header.index(columns.split)
    return [header.index(columns.image), split, *(header.index(k) for k in columns.captions)]


def _text_or_none(value: Any, column: str, table: Path, place: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise InputError(f"column {column} must hold names, got {value!r} ({table} {place})")


def _flat(captions: Collection[Any]) -> list[Any]:
    """Return captions of all columns in one list, a missing one as a blank."""
    flat: list[Any] = []
    for value in captions:
        flat += list(value) if isinstance(value, list) else ["" if value is None else value]
    return flat
