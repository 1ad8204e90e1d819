"""Rows of text to rows of image by their names, which two files may spell differently."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

import numpy as np

from fusiontheory.typing import AnyArray, Integers

__all__ = ["in_another_order", "owners_by_name"]

_CAPTION_NUMBER = re.compile(r"#\d+$")
_LANE = re.compile(r"-\d+$")
"""Behind the barcode of a cell, as 10x writes it."""


def in_another_order(one: AnyArray, other: AnyArray) -> bool:
    """Return whether two columns hold the same distinct values, not in the same order.

    >>> in_another_order(np.array([3, 1, 2]), np.array([1, 2, 3]))
    True
    """
    if one.shape != other.shape or one.dtype.kind != other.dtype.kind or one.dtype.kind in "fb":
        return False
    distinct = np.unique(one)
    return (
        len(distinct) == len(one) > 2
        and not np.array_equal(one, other)
        and np.array_equal(distinct, np.unique(other))
    )


def _numberless(name: str) -> str:
    return _CAPTION_NUMBER.sub("", name.strip(" \t'\""))


def _file_name(name: str) -> str:
    return PurePosixPath(_numberless(name).replace("\\", "/")).name


def _stem(name: str) -> str:
    return PurePosixPath(_file_name(name)).stem


def _number(name: str) -> str:
    stem = _stem(name)
    return (stem.lstrip("0") or "0") if stem.isdigit() else stem


def _small(name: str) -> str:
    return _number(name).casefold().strip()


def _lane(name: str) -> str:
    return _LANE.sub("", _small(name))


_SPELLINGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("as they are", str),
    ("without the number of a caption", _numberless),
    ("without folders", _file_name),
    ("without folders and endings", _stem),
    ("without leading zeros", _number),
    ("without capitals and blanks", _small),
    ("without the number behind a dash", _lane),
)
"""That with which most names agree is taken; of equals, the first."""


def owners_by_name(
    image_ids: Sequence[str], text_ids: Sequence[str]
) -> tuple[Integers, str | None]:
    """Return the row of image that each row of text belongs to, -1 for none, by their names.

    Where no name of text is one of image as it stands, the number of a caption (``a.jpg#0``),
    folders, endings, leading zeros, capitals and the number behind a barcode are left out,
    as far as images stay distinct without them.

    Args:
        image_ids: n names, that may repeat; the first row of a name owns.
        text_ids: m names.

    Returns:
        (m,) rows, and a sentence that says how they were joined, None if as they are.

    >>> rows, said = owners_by_name(["a/0.jpg", "a/1.jpg"], ["1", "0", "2"])
    >>> rows.tolist(), said
    ([1, 0, -1], "names of image and text agree without folders and endings, as 'a/1.jpg' and '1'")
    """
    distinct = len(set(image_ids))
    best, said = np.full(len(text_ids), -1, dtype=np.int64), None
    for how, spelt in _SPELLINGS:
        place = {spelt(name): row for row, name in reversed(list(enumerate(image_ids)))}
        if len(place) < distinct:
            break
        owner = np.array([place.get(spelt(name), -1) for name in text_ids], dtype=np.int64)
        if np.count_nonzero(owner >= 0) > np.count_nonzero(best >= 0):
            text = int(np.argmax(owner >= 0))
            pair = f"{image_ids[owner[text]]!r} and {text_ids[text]!r}"
            best = owner
            said = None if spelt is str else f"names of image and text agree {how}, as {pair}"
        if spelt is str and (best >= 0).any():
            break  # names that agree as they stand are meant so
    return best, said
