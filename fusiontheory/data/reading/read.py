"""Feature sets from people's files: one file of both sides, or one for each."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.data.features import FeatureSet, decoded
from fusiontheory.data.reading.files import open_file
from fusiontheory.data.reading.hdf5_files import IDS_OF
from fusiontheory.data.reading.joining import in_another_order
from fusiontheory.data.reading.names import (
    UNNAMED,
    Chosen,
    choose_one,
    choose_pair,
    is_id,
    is_mask,
    speaks_of_text,
)
from fusiontheory.data.reading.row_names import guessed_names, named_otherwise, unnamed
from fusiontheory.data.reading.rows import Missing, Rows, settle
from fusiontheory.data.reading.splits import named_splits
from fusiontheory.data.reading.stored import StoredFile
from fusiontheory.store import is_sealed
from fusiontheory.typing import AnyArray

__all__ = ["Reading", "features_of", "read_features", "read_rows"]


@checked
@dataclass(frozen=True)
class Reading:
    """How to read files.

    Attributes:
        image_key: name of the image array; None to find it by its name.
        text_key: likewise.
        missing: "refuse" rows that are zero or not finite, or "drop" them.
    """

    image_key: str | None = None
    text_key: str | None = None
    missing: str = "refuse"


DEFAULT = Reading()


@checked
def read_features(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], reading: Reading = DEFAULT
) -> FeatureSet:
    """Return the features of one file, or of a file of image vectors and one of text vectors.

    Read are .npy, .npz, .safetensors, .pt, .parquet, .feather, .arrow, .csv, .tsv, .txt, .jsonl,
    and .h5, .h5ad and .h5mu where their packages are installed. Nothing is unpickled. Names of rows
    (ids, filename, image_path and others) join two files; equal rows of image become one image with
    several captions. What was grouped, left out or not used is said in a warning.

    Args:
        paths: one path, or two: image and text.
        reading: which arrays, and what becomes of missing rows.

    Raises:
        InputError: if a file cannot be read, or as `fusiontheory.data.settle` does.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> np.save(folder / "image.npy", np.eye(3)); np.save(folder / "text.npy", 1 + np.eye(3))
    >>> len(read_features([folder / "image.npy", folder / "text.npy"]))
    3
    """
    files = [Path(p) for p in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]
    if len(files) == 1 and files[0].suffix == ".safetensors" and is_sealed(files[0]):
        return FeatureSet.load(files[0])
    return _feature_set(read_rows(files, reading), reading.missing, files[0].stem)


@checked
def features_of(
    image: ArrayLike,
    text: ArrayLike,
    ids: Sequence[str] | None = None,
    split: Sequence[str] | None = None,
    name: str = "features",
    missing: Missing = "refuse",
) -> FeatureSet:
    """Return the features of arrays, grouped and checked as those of files are.

    Args:
        image: (n, d_v), rows of one image equal.
        text: (n, captions, d_t) or (n, d_t).
        ids: n names, that may repeat with their image.
        split: n names of splits, as train, val, test.
        name: for people.
        missing: "refuse" or "drop".

    Raises:
        InputError: as `fusiontheory.data.settle` does.

    >>> len(features_of(np.repeat(np.eye(3), 2, axis=0), np.arange(18.0).reshape(6, 3)))
    3
    """
    names = None if split is None else named_splits(np.asarray(split), "split")
    known = None if ids is None else [str(k) for k in ids]
    rows = Rows(np.asarray(image), np.asarray(text), known, known, names)
    return _feature_set((rows, None if ids is None else np.asarray(ids)), missing, name)


@checked
def read_rows(files: Sequence[Path], reading: Reading = DEFAULT) -> tuple[Rows, AnyArray | None]:
    """Return the arrays of one file or of two, not yet settled, and the ids of image as stored.

    Raises:
        InputError: if there are other than one or two files, or one cannot be read.
    """
    if len(files) == 1:
        return _one_file(open_file(files[0]), reading)
    if len(files) != 2:
        raise InputError(f"features must be one file, or two of image and text, got {len(files)}")
    image, text = (open_file(path) for path in files)
    chosen = (
        choose_one(image.path, image.arrays, "image", reading.image_key),
        choose_one(text.path, text.arrays, "text", reading.text_key),
    )
    ids, text_ids, used = _row(image, chosen[0].ids), _row(text, chosen[1].ids), None
    if ids is None or text_ids is None:
        names = named_otherwise(image, chosen[0], text, chosen[1])
        ids = ids if ids is not None else guessed_names(image, chosen[0])
        ids, text_ids = (ids, ids) if names is None else names[1:]
        used = None if names is None else names[0]
        doubt = None if names is not None else unnamed(image, chosen[0], text, chosen[1])
        if doubt is not None:
            _warn(doubt)
    for file, one in zip((image, text), chosen, strict=True):
        _say_unused(file, one, used)
    split = _split(image, chosen[0])
    v, t = _array(image, chosen[0].image, "image"), _array(text, chosen[1].text, "text")
    if split is None and len(v) == len(t):
        split = _split(text, chosen[1])
    joined = None if ids is None else _strings(text_ids)
    if ids is not None and text_ids is ids and len(v) != len(t):
        joined = None
    where = f"{image.path} and {text.path}"
    return Rows(v, t, _strings(ids), joined, split, where), ids


def _one_file(file: StoredFile, reading: Reading) -> tuple[Rows, AnyArray | None]:
    if set(file.arrays) == {""}:
        if file.arrays[""].problem is not None:
            file.read("", "features")
        raise InputError(
            f"features must be two files where each holds one array, got {file.path} alone; give"
            " image and text"
        )
    image, text = reading.image_key, reading.text_key
    sides = [name for name in file.arrays if name + IDS_OF in file.arrays]
    if sides and image is None and text is None:
        if len(sides) != 2:
            raise InputError(
                f"path must hold two modalities, got {', '.join(sides)} in {file.path}; choose with"
                " --image-key and --text-key"
            )
        image, text = sides
        _warn(f"{file.path}: {image} is taken in the place of image, {text} in that of text")
    chosen = choose_pair(file.path, file.arrays, image, text)
    own = [f"{side}{IDS_OF}" for side in (chosen.image, chosen.text)]
    named = [_row(file, name) for name in own if name in file.arrays]
    used: list[str] = []
    if len(named) == 2:
        ids, text_ids = named
        rest = tuple(name for name in chosen.unused if not name.endswith(IDS_OF))
        chosen = Chosen(chosen.image, chosen.text, None, chosen.split, rest)
    else:
        ids = text_ids = _row(file, chosen.ids)
        if ids is None and chosen.text_ids is None:
            ids = text_ids = guessed_names(file, chosen)
        for key in filter(speaks_of_text, chosen.unused):
            if ids is not None and file.arrays[key].problem is None and is_id(key):
                other = file.read(key, key)
                if in_another_order(ids, other):
                    used, text_ids = [key], other
    _say_unused(file, chosen, used)
    for side, name in (("image", chosen.image), ("text", chosen.text)):
        if name in UNNAMED and (reading.image_key, reading.text_key) == (None, None):
            _warn(f"{file.path}: {name} is taken as {side}, as arrays without names are in order")
        if name == "":
            _warn(f"{file.path}: its main array, which has no name (X), is taken as {side}")
    v, t = _array(file, chosen.image, "image"), _array(file, chosen.text, "text")
    if chosen.text_ids is not None:
        ids, text_ids = _joined(file, chosen.text_ids, ids, len(v))
    split = _split(file, chosen)
    return Rows(v, t, _strings(ids), _strings(text_ids), split, str(file.path)), ids


def _joined(file: StoredFile, name: str, ids: AnyArray | None, n: int) -> tuple[AnyArray, AnyArray]:
    """Return names of n images and those of more texts, which may be places of images."""
    text_ids = file.read(name, name).ravel()
    whole = text_ids.dtype.kind in "iu"
    if whole and (ids is None or ids.dtype.kind not in "iu"):
        if text_ids.min() < 0 or text_ids.max() >= n:
            raise InputError(
                f"{name} must hold names of images or places from 0 to {n - 1}, got"
                f" {text_ids.min()} to {text_ids.max()} in {file.path}; add the names of the images"
            )
        _warn(f"{file.path}: {name} is taken as the row of image that each text belongs to")
        ids = np.arange(n) if ids is None else ids
        return ids, ids[text_ids]
    if ids is None:
        raise InputError(
            f"ids must be names of the {n} images to join {name} of {len(text_ids)} texts with, got"
            f" none in {file.path}; add them under the name image_ids"
        )
    return ids, text_ids


def _feature_set(read: tuple[Rows, AnyArray | None], missing: str, name: str) -> FeatureSet:
    rows, ids = read
    settled, said = settle(rows, missing)
    for sentence in said:
        _warn(sentence)
    numbers = None
    if ids is not None and ids.dtype.kind in "iu":
        numbers = np.array([int(k) for k in settled.image_ids or ()], dtype=np.int64)
    split = None if settled.split is None else np.array(settled.split)
    return FeatureSet(settled.image, settled.text, numbers, split, name)  # type: ignore[arg-type]


def _array(file: StoredFile, name: str | None, side: str) -> AnyArray:
    assert name is not None
    array = file.read(name, side)
    scale = f"{name}_scale"
    if array.dtype == np.int8 and file.path.suffix in (".npz", ".safetensors"):
        held = {name: array}
        if scale in file.arrays:
            held[scale] = file.read(scale, scale)
        return decoded(held, name)
    return array


def _row(file: StoredFile, name: str | None) -> AnyArray | None:
    return None if name is None else file.read(name, name).ravel()


def _split(file: StoredFile, chosen: Chosen) -> list[str] | None:
    given = _row(file, chosen.split)
    return None if given is None else named_splits(given, str(file.path))


def _strings(ids: AnyArray | None) -> list[str] | None:
    if ids is None:
        return None
    return [k.decode() if isinstance(k, bytes) else str(k) for k in ids.tolist()]


def _say_unused(file: StoredFile, chosen: Chosen, used: Sequence[str] | None) -> None:
    unused = [name for name in chosen.unused if name not in (used or ())]
    if unused:
        told = [f"{name or 'the rest'} {file.arrays[name].shape}" for name in unused[:6]]
        more = f" and {len(unused) - 6} more" if len(unused) > 6 else ""
        _warn(
            f"{file.path}: {', '.join(told)}{more} not used; the task is image-text matching, which"
            " takes image and text vectors, ids and splits"
        )
    masks = [name for name in unused if is_mask(name)]
    if masks and chosen.split is None:
        _warn(
            f"{file.path}: all rows are taken, as {', '.join(masks)} is not read; to take those of"
            " training alone, write a column split of train, dev and test, or leave the others out"
        )


def _warn(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=4)
