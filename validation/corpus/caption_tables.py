"""Tables of image path, caption and maybe split: CSV, other separators, parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError
from fusiontheory.store import unreadable
from validation.corpus.cells import captions_in_cell, mended_row
from validation.corpus.columns import Columns, find_columns
from validation.corpus.corpus import Corpus
from validation.corpus.image_folder import relative_path
from validation.corpus.listing import Incomplete, Listing
from validation.corpus.splits import split_name
from validation.corpus.text_file import read_lines, read_text

__all__ = ["JSON_LINES", "SEPARATORS", "list_table", "read_table"]

SEPARATORS = (",", "\t", "|", ";")
"""Between columns; the first with which the header has the columns of an image and a caption."""

JSON_LINES = (".jsonl", ".ndjson")
"""Endings of files with a JSON object a line, as metadata.jsonl."""

_Row = tuple[str, Sequence[Any]]


def read_table(
    table: Path, images: Path | None = None, incomplete: Incomplete = "refuse"
) -> Corpus:
    """Return the corpus of a table with one row for each caption, or for each image.

    Columns are found by name (see `find_columns`). Captions of one image are in several rows, in
    numbered columns (caption_0, ...), or in one column of lists. The image's id is its
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
    if table.suffix in (*JSON_LINES, ".json"):
        columns, rows = _json_rows(table)
    else:
        columns, rows = _parquet(table) if table.suffix == ".parquet" else _text(table)
    listing = Listing(table)
    beside = f"{table.parent.resolve()}/"
    for place, row in rows:
        path, label, captions = row[0], row[1], row[2:]
        if not isinstance(path, str):
            raise InputError(
                f"column {columns.image} must hold paths of image files, got"
                f" {type(path).__name__} ({table} {place}); write images to files first"
            )
        # Whole paths, as scripts that list a folder write them, are of this machine or of another.
        path = relative_path(path.strip().removeprefix(beside), f"{table} {place}")
        if columns.image.strip().lower().endswith("id") and "." not in path:
            raise InputError(
                f"column {columns.image} must hold names of image files, got {path!r} ({table}"
                f" {place}); write each with the ending that its file has, such as {path}.jpg"
            )
        if columns.split is None:
            split = (splits or {}).get(path)
        else:
            split = split_name(
                _text_or_none(label, columns.split, table, place), f"{table} {place}"
            )
        listing.add(path, path, _flat(captions, f"{table} {place}"), split, place)
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
    records = _records(text, separator)
    next(records)
    for number, lines, row, error in records:
        if not "".join(lines).strip():
            continue
        if (error is not None or len(row) != len(header)) and len(lines) == 1:
            mended = mended_row(lines[0].rstrip("\r\n"), row, header, columns, separator)
            row, error = (row, error) if mended is None else (mended, None)
        if error is not None:
            opened = number - len(lines) + 1
            where = f"line {number}" if opened == number else f"lines {opened} to {number}"
            raise InputError(
                f"path must be a table in CSV, got {table}: {error} ({where}); close the quotation"
                f" mark that opens a field in line {opened}, or leave it out, and double each one"
                " inside a quoted caption"
            ) from error
        if len(row) != len(header):
            how = (
                f"a {separator!r} is missing: add it"
                if len(row) < len(header)
                else f"put captions that contain {separator!r} in double quotes"
            )
            raise InputError(
                f"rows must have {len(header)} fields as the header has, got {len(row)}"
                f" ({table} line {number}); {how}"
            )
        yield f"line {number}", [None if i is None else row[i] for i in wanted]


def _records(
    text: str, separator: str
) -> Iterator[tuple[int, list[str], list[str], csv.Error | None]]:
    """Yield each row's last line number, its lines, its fields, and what is wrong with it."""
    read: list[str] = []

    def noted(lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            read.append(line)
            yield line

    # Not at other line ends than \n and \r\n, which captions may hold.
    source = noted(io.StringIO(text.lstrip(), newline=""))
    number = 0
    while True:
        # Strict, because an unclosed quotation mark would otherwise swallow the rest of the file.
        reader = csv.reader(source, delimiter=separator, strict=True)
        row: list[str] = []
        error = None
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as found:
            error = found
        number += len(read)
        yield number, read[:], row, error
        read.clear()


def _json_rows(table: Path) -> tuple[Columns, Iterator[_Row]]:
    rows = _json_list(table) if table.suffix == ".json" else _json_lines(table)
    columns = find_columns(list(rows[0][1]), str(table))
    names = (columns.image, columns.split, *columns.captions)
    return columns, ((place, [row.get(k) if k else None for k in names]) for place, row in rows)


def _json_list(table: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the objects of one list, as pandas writes with orient="records"."""
    try:
        rows = json.loads(read_text(table))
    except (ValueError, RecursionError) as error:
        raise InputError(f"path must be JSON, got {error} in {table}; mend it") from error
    if not (isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)):
        raise InputError(f"path must hold a list of JSON objects, one a row, got {table}")
    return [(f"object {number}", row) for number, row in enumerate(rows, start=1)]


def _json_lines(table: Path) -> list[tuple[str, Mapping[str, Any]]]:
    rows: list[tuple[str, Mapping[str, Any]]] = []
    for number, line in read_lines(table):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"each line must be a JSON object, got {error} ({table} line {number}); mend it"
            ) from error
        if not isinstance(row, dict):
            raise InputError(
                f"each line must be a JSON object, got {line[:40]!r} ({table} line {number})"
            )
        rows.append((f"line {number}", row))
    return rows


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


def _flat(captions: Collection[Any], where: str) -> list[Any]:
    """Return captions of all columns in one list, a missing one as a blank."""
    flat: list[Any] = []
    for value in captions:
        if isinstance(value, str):
            flat += captions_in_cell(value, where)
        else:
            flat += list(value) if isinstance(value, list) else ["" if value is None else value]
    return flat
