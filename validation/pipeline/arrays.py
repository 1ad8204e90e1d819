"""Plain arrays of embeddings to a features file, with every check before anything is written."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import InputError, finite_array
from fusiontheory.data import FeatureSet, normalise
from fusiontheory.store import read_bytes, unreadable, write_atomically
from validation.corpus import read_lines
from validation.pipeline.splits import read_split, split_by_image

__all__ = ["ArraysWritten", "arrays_file", "read_array", "read_ids"]

_UNIT = 1e-3  # as `validation.extract.proof` has it
_ID_COLUMNS = ("id", "ids", "image", "image_id", "name", "filename", "file")


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
    split: Path | None = None,
    seed: int | None = None,
    name: str | None = None,
) -> ArraysWritten:
    """Check arrays and write them as a features file with its sidecar.

    Args:
        image: .npy or .npz with one array (n, d_v), or with one named image.
        text: likewise, (n, captions, d_t) or (n, d_t), or with one named text.
        ids: a name a line, or a CSV with a column of names; None: the row numbers.
        out: file to write, .safetensors.
        text_ids: names of the rows of text, if they are others than those of image: rows are
            joined by name.
        split: file that `validation.pipeline.splits.read_split` reads.
        seed: split by image with this seed instead. With neither, the file has no splits.
        name: of the features, for people; None: that of the image file.

    Raises:
        InputError: if a file cannot be read, an array is not numeric, has NaN, infinity, zero
            vectors or another shape, ids repeat, do not fit the rows or are missing on one side,
            or the splits do not fit.
    """
    if out.suffix != ".safetensors":
        raise InputError(f"out must end in .safetensors, got {out}")
    if split is not None and seed is not None:
        raise InputError("seed must not be given beside a split file; choose one of the two")
    if text_ids is not None and ids is None:
        raise InputError("ids must be given beside text_ids, to join rows by name")
    v, t = read_array(image, "image", (2,)), read_array(text, "text", (2, 3))
    names = [str(row) for row in range(len(v))] if ids is None else read_ids(ids, len(v), "image")
    left_out = 0
    if text_ids is not None:
        named = read_ids(text_ids, len(t), "text")
        t, left_out = _joined(names, named, t)
    elif len(t) != len(v):
        raise InputError(
            f"text must have one row for each of the {len(v)} images, got {len(t)}; shape it"
            " (images, captions, dimension), or name its rows with --text-ids"
        )
    normalise(v, "image"), normalise(t, "text")  # refuses zero vectors
    splits = None
    if split is not None:
        splits = read_split(split, names)
    elif seed is not None:
        splits = split_by_image(names, seed)
    features = FeatureSet(v, t, split=splits, name=name or image.stem)  # type: ignore[arg-type]
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


def read_array(path: Path, kind: str, dimensions: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the array of a .npy or .npz file; nothing is unpickled.

    Args:
        path: of the file.
        kind: what it holds, "image" or "text": the name in an .npz of several arrays.
        dimensions: numbers of axes that it may have.

    Raises:
        InputError: if the file cannot be read, holds several arrays of other names, or values
            that are not finite numbers.
    """
    if path.suffix not in (".npy", ".npz"):
        raise InputError(f"{kind} must be a .npy or .npz file, got {path}")
    data = read_bytes(path)
    try:
        loaded: Any = np.load(io.BytesIO(data), allow_pickle=False)
        arrays = dict(loaded) if path.suffix == ".npz" else {kind: loaded}
    except Exception as error:  # damaged bytes make zipfile and numpy raise almost anything
        raise unreadable(path, error) from error
    if kind not in arrays and len(arrays) != 1:
        held = ", ".join(sorted(arrays)) or "none"
        raise InputError(f"{kind} must be the one array of {path.name} or be named so, got {held}")
    array = arrays[kind] if kind in arrays else next(iter(arrays.values()))
    return np.asarray(finite_array(kind, array, dimensions))


def read_ids(path: Path, rows: int, kind: str) -> list[str]:
    """Return the names of the rows of an array: a name a line, or a column of a CSV.

    Of a CSV (.csv, .tsv) the column is that named id, image, name or filename; without such a
    header, the first.

    Raises:
        InputError: if the file cannot be read, names repeat, or there are not as many as rows.
    """
    names = [line.strip() for _, line in read_lines(path)]
    if path.suffix in (".csv", ".tsv"):
        names = _column(names, "\t" if path.suffix == ".tsv" else ",")
    if len(names) != rows:
        raise InputError(f"{kind} ids must be {rows}, one for each row, got {len(names)} in {path}")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{kind} ids must be distinct, got {name!r} twice in {path}")
        seen.add(name)
    return names


def _column(lines: Sequence[str], separator: str) -> list[str]:
    rows = list(csv.reader(lines, delimiter=separator))
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    known = [i for i, cell in enumerate(header) if cell in _ID_COLUMNS]
    place = known[0] if known else 0
    return [row[place].strip() for row in (rows[1:] if known else rows) if len(row) > place]


def _joined(
    names: Sequence[str], named: Sequence[str], text: NDArray[np.float64]
) -> tuple[NDArray[np.float64], int]:
    """Return the rows of text in the order of the images, and how many belong to none."""
    position = {name: row for row, name in enumerate(named)}
    lost = [name for name in names if name not in position]
    if lost:
        raise InputError(
            f"text must have a row for each image, got none for {len(lost)} of {len(names)}, such"
            f" as {lost[0]}; add them or leave these images out"
        )
    return text[[position[name] for name in names]], len(named) - len(names)


def _digest(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _length(x: NDArray[np.float32]) -> str:
    off = np.abs(np.linalg.norm(x.astype(np.float64), axis=-1) - 1)
    return "unit" if off.max() <= _UNIT else "none"
