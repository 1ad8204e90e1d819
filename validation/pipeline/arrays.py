"""Plain arrays of embeddings to a features file, with every check before anything is written."""

from __future__ import annotations

import csv
import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.data import (
    ENDINGS,
    FeatureSet,
    Reading,
    Rows,
    column_names,
    is_id,
    read_column,
    read_rows,
    settle,
)
from fusiontheory.store import read_bytes, write_atomically
from fusiontheory.typing import Single
from validation.corpus import read_lines
from validation.pipeline.splits import read_split, separator, split_by_image

__all__ = ["ArraysWritten", "arrays_file", "read_ids"]

_TEXT = (".csv", ".tsv")
_UNIT = 1e-3  # as `validation.extract.recall_proof` has it


@dataclass(frozen=True)
class ArraysWritten:
    """What was written.

    Attributes:
        path: the features file.
        features: what it holds.
        left_out: how many rows of text belong to no image of the image array.
    """

    path: Path
    features: FeatureSet
    left_out: int


def arrays_file(
    image: Path,
    text: Path,
    ids: Path | None,
    out: Path,
    *,
    text_ids: Path | None = None,
    split: Path | int | None = None,
    name: str | None = None,
    reading: Reading | None = None,
) -> ArraysWritten:
    """Check arrays and write them as a features file with its sidecar.

    Args:
        image: file that `fusiontheory.data.reading` reads, of (n, d_v). Equal rows are one image.
        text: likewise, (n, captions, d_t) or (n, d_t).
        ids: a name a line, or a CSV with a column of names; None: those of the files, or the row
            numbers.
        out: file to write, .safetensors.
        text_ids: names of the rows of text, if they are others than those of image: rows are
            joined by name.
        split: file that `validation.pipeline.splits.read_split` reads, or a seed to split by image
            with. With None the file has no splits.
        name: of the features, for people; None: that of the image file.
        reading: which array of a file of several, and what to do with rows that are zero or not
            finite; None: find the array, refuse the rows.

    Raises:
        InputError: if a file cannot be read, an array is not numeric, has NaN, infinity, zero
            vectors or another shape, ids do not fit the rows or are missing on one side, or the
            splits do not fit.
    """
    if out.suffix != ".safetensors":
        raise InputError(f"out must end in .safetensors, got {out}")
    if text_ids is not None and ids is None:
        raise InputError("ids must be given beside text_ids, to join rows by name")
    rows, left_out = _settled(image, text, ids, text_ids, reading or Reading())
    names = list(rows.image_ids or map(str, range(len(rows.image))))
    splits = rows.split
    if split is not None:
        if isinstance(split, int):
            splits = split_by_image(names, split)
        else:
            splits = read_split(split, names)
    features = FeatureSet(
        rows.image,
        rows.text,
        split=None if splits is None else np.array(splits),
        name=name or image.stem,
    )
    features.save(out)
    sources = {"image": image, "text": text}
    about: dict[str, Any] = {
        kind: {"name": "arrays", "tag": sources[kind].name, "weights": _digest(sources[kind])}
        | {"normalisation": _length(getattr(features, kind))}
        for kind in sources
    }
    about |= {"ids": names, "skipped": [], "fingerprint": features.fingerprint}
    write_atomically(out.with_suffix(".json"), json.dumps(about, indent=1, sort_keys=True).encode())
    return ArraysWritten(out, features, left_out)


def _settled(
    image: Path, text: Path, ids: Path | None, text_ids: Path | None, reading: Reading
) -> tuple[Rows, int]:
    """Return one row for each image, and how many rows of text belong to none."""
    rows, _ = read_rows([image, text], reading)
    names, joined = rows.image_ids, rows.text_ids
    if ids is not None:
        names = read_ids(ids, len(rows.image), "image")
        joined = None if text_ids is None else read_ids(text_ids, len(rows.text), "text")
    given = names if joined is None and len(rows.image) == len(rows.text) else joined
    settled, said = settle(replace(rows, image_ids=names, text_ids=given), reading.missing)
    for sentence in said:
        warnings.warn(sentence, stacklevel=3)
    known = {*(names or ())}
    return settled, sum(name not in known for name in joined or ())


def read_ids(path: Path, rows: int, kind: str) -> list[str]:
    """Return the names of the rows of an array: a name a line, a list, or a column of a table.

    Of a CSV (.csv, .tsv) the column is the first whose name is one of ids or of image files, such
    as id, image, filename or image_path; without such a header, the first. Names may repeat, as
    where each caption has a row.

    Raises:
        InputError: if the file cannot be read, or there are not as many names as rows.
    """
    header = ""
    ending = path.suffix.lower()
    if ending in (*ENDINGS, ".json") and ending not in (*_TEXT, ".txt"):
        names = _stored(path, kind)
    else:
        names = [line.strip() for _, line in read_lines(path)]
        if ending in _TEXT:
            names, header = _column(names)
        elif len(names) == rows + 1 and is_id(names[0]):
            del names[0]  # a header above names a line
    if len(names) != rows:
        passed = f", whose first line {header!r} is taken as a name" if header else ""
        passed += "; call the column of names image" if passed and len(names) == rows + 1 else ""
        raise InputError(
            f"{kind} ids must be {rows}, one for each row, got {len(names)} in {path}{passed}"
        )
    return names


def _stored(path: Path, kind: str) -> list[str]:
    """Return the names in a list of JSON, or in the file of an array or table."""
    if path.suffix.lower() == ".json":
        try:
            names = json.loads(read_bytes(path))
        except ValueError as error:
            raise InputError(f"{kind} ids must be JSON, got {error} in {path}") from error
        if not isinstance(names, list) or any(isinstance(one, (list, dict)) for one in names):
            raise InputError(f"{kind} ids must be a list of names, got another form in {path}")
        return [str(one) for one in names]
    held = column_names(path)
    known = [one for one in held if is_id(one)]
    column = f":{known[0]}" if known and len(held) > 1 else ""
    return [str(one) for one in read_column(f"{kind} ids", f"{path}{column}").tolist()]


def _column(lines: Sequence[str]) -> tuple[list[str], str]:
    """Return the names, and the first line if it was not known as a header."""
    mark = separator(lines[0]) if lines else ","
    rows = list(csv.reader(lines, delimiter=mark))
    header = [cell.strip() for cell in rows[0]] if rows else []
    known = [i for i, cell in enumerate(header) if is_id(cell)]
    place = known[0] if known else 0
    names = [row[place].strip() for row in (rows[1:] if known else rows) if len(row) > place]
    return names, "" if known else mark.join(header)


def _digest(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _length(x: Single) -> str:
    off = np.abs(np.linalg.norm(x.astype(np.float64), axis=-1) - 1)
    return "unit" if off.max() <= _UNIT else "none"
