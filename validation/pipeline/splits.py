"""Splits by image: drawn by a seed, or read from a file."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.data import is_split
from validation.corpus import official_splits, read_lines, split_name

__all__ = ["HELD_OUT", "read_split", "separator", "split_by_image"]

HELD_OUT = 8
"""One image in so many is for dev, and one for test: 6000, 1000 and 1000 of Flickr8k."""


def split_by_image(ids: Sequence[str], seed: int = 0) -> list[str]:
    """Return train, dev or test for each image; an image's captions go where it goes.

    The order of the images does not count: they are ranked by a hash of seed and id.

    Args:
        ids: distinct, at least 6.
        seed: of the hash, at least 0.

    Raises:
        InputError: if there are too few images for two of each split, or ids repeat.

    >>> split_by_image(["a", "b", "c", "d", "e", "f"]).count("train")
    2
    """
    positive_integer("seed", seed, minimum=0)
    if len({*ids}) != len(ids):
        raise InputError(f"ids must be distinct to split by, got {len(ids) - len({*ids})} repeats")
    held_out = max(2, round(len(ids) / HELD_OUT))
    if len(ids) < 3 * held_out:
        raise InputError(f"images must be at least 6 to split, got {len(ids)}")
    ranked = sorted(ids, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    split = dict.fromkeys(ids, "train")
    split |= dict.fromkeys(ranked[:held_out], "dev")
    split |= dict.fromkeys(ranked[held_out : 2 * held_out], "test")
    return [split[name] for name in ids]


def read_split(path: Path, ids: Sequence[str]) -> list[str]:
    """Return the split of each image from a file, or from a folder with the three official lists.

    The file has two columns, id and split, between them a comma or a tab, with a header line or
    without; names of splits are those of `validation.corpus.splits.split_name`. The folder has
    ``Flickr_8k.{train,dev,test}Images.txt``. Ids that are not asked for are passed over.

    Raises:
        InputError: if a file cannot be read, a line has other columns, a split is unknown, an id
            is in two splits, or an image is in none.
    """
    names = official_splits(path) if path.is_dir() else _columns(path)
    lost = [name for name in ids if name not in names]
    if lost:
        raise InputError(
            f"split must name each image, got none for {len(lost)} of {len(ids)}, such as"
            f" {lost[0]}, in {path}; add them, or split by --seed"
        )
    return [names[name] for name in ids]


def separator(line: str) -> str:
    """Return what stands between the columns of a table: a tab, a semicolon, or else a comma.

    >>> separator("image;caption, in German"), separator("a.jpg,train")
    (';', ',')
    """
    return next((mark for mark in ("\t", ";") if mark in line), ",")


def _columns(path: Path) -> dict[str, str]:
    columns: dict[str, tuple[str, str]] = {}
    for number, line in read_lines(path):
        where = f"{path.name} line {number}"
        row = next(csv.reader([line], delimiter=separator(line)))
        if len(row) != 2:
            raise InputError(
                f"split must have two columns, id and split, got {line!r} ({where}); write such as"
                " a.jpg,train"
            )
        name, told = (cell.strip() for cell in row)
        if not columns and is_split(told):
            continue
        split = split_name(told, where)
        if split is None:
            raise InputError(f"split must be named for each image, got none of {name} ({where})")
        before = columns.setdefault(name, (split, where))
        if before[0] != split:
            raise InputError(
                f"an image must be in one split, got {name} in {before[0]} ({before[1]}) and in"
                f" {split} ({where}); delete one of the two"
            )
    return {name: split for name, (split, _) in columns.items()}
