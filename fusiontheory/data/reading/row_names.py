"""Names of rows in columns whose own name does not say so, such as cell, title or sample."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from fusiontheory.data.reading.joining import in_another_order, owners_by_name
from fusiontheory.data.reading.names import Chosen
from fusiontheory.data.reading.stored import StoredFile
from fusiontheory.typing import AnyArray

__all__ = ["guessed_names", "named_otherwise", "unnamed"]

_TRIED = 3  # columns of text of each file


def guessed_names(file: StoredFile, chosen: Chosen) -> AnyArray | None:
    """Return the first column of text that is not used and has a value of its own in every row.

    It names the rows for labels that stand in another file.
    """
    return next((values for _, values in _distinct_texts(file, chosen)), None)


def named_otherwise(
    image: StoredFile, of_image: Chosen, text: StoredFile, of_text: Chosen
) -> tuple[list[str], AnyArray, AnyArray] | None:
    """Return which columns of two files name their rows, and their values; None if none do.

    Two columns do that have the same name and the same distinct values in two orders, or whose
    texts are distinct and mostly alike. A column that is known to hold names is one of the two
    where there is one.
    """
    for name in of_image.unused:
        if name not in of_text.unused or len(image.arrays[name].shape) != 1:
            continue
        if image.arrays[name].problem is None and text.arrays[name].problem is None:
            one, other = image.read(name, name), text.read(name, name)
            if in_another_order(one, other):
                _say(image, text, name, name)
                return [name], one, other
    for name, one in _known(image, of_image):
        for key, other in _known(text, of_text):
            if _alike(one, other):
                if one.tolist() != other.tolist():
                    _say(image, text, name, key)
                return [name, key], one, other
    return _by_several(image, of_image, text, of_text)


def _by_several(
    image: StoredFile, of_image: Chosen, text: StoredFile, of_text: Chosen
) -> tuple[list[str], AnyArray, AnyArray] | None:
    """Return the columns of both files that name their rows together, such as patient and visit."""
    sides = ((image, of_image), (text, of_text))
    keys = [
        name
        for name in of_image.unused
        if all(name in chosen.unused and _may_name(file, chosen, name) for file, chosen in sides)
    ]
    if len(keys) < 2:
        return None
    one, other = (_together([file.read(key, key) for key in keys]) for file, _ in sides)
    if len(set(one.tolist())) < len(one) or not _alike(one, other):
        return None
    if one.tolist() != other.tolist():
        _say(image, text, " with ".join(keys), " with ".join(keys))
    return keys, one, other


def unnamed(image: StoredFile, of_image: Chosen, text: StoredFile, of_text: Chosen) -> str | None:
    """Return a sentence if columns that may name rows join nothing: the order is then trusted."""
    loose = [
        f"{name} of {file.path.name}"
        for file, chosen in ((image, of_image), (text, of_text))
        for name in [chosen.ids, *(name for name, _ in _distinct_texts(file, chosen))]
        if name is not None
    ]
    if not loose:
        return None
    return (
        f"{image.path} and {text.path}: rows are matched in their order, as the other file has"
        f" nothing like {', '.join(loose[:4])}; where the order differs, write the same names in"
        " both files"
    )


def _known(file: StoredFile, chosen: Chosen) -> list[tuple[str, AnyArray]]:
    if chosen.ids is not None:
        return [(chosen.ids, file.read(chosen.ids, chosen.ids).ravel())]
    return list(_distinct_texts(file, chosen))


def _distinct_texts(file: StoredFile, chosen: Chosen) -> Iterator[tuple[str, AnyArray]]:
    texts = [name for name in chosen.unused if _may_name(file, chosen, name, "str")]
    for name in texts[:_TRIED]:
        values = file.read(name, name)
        if len(set(values.tolist())) == len(values) > 2:
            yield name, values


def _may_name(file: StoredFile, chosen: Chosen, name: str, *kinds: str) -> bool:
    """Return whether an array has a text, or of other kinds a whole number, in each row."""
    side = chosen.image if chosen.image is not None else chosen.text
    rows = () if side is None else file.arrays[side].shape[:1]
    return file.arrays[name].shape == rows and file.arrays[name].dtype.startswith(
        kinds or ("str", "int")
    )


def _together(columns: list[AnyArray]) -> AnyArray:
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return np.array([" ".join(map(str, row)) for row in rows])


def _alike(one: AnyArray, other: AnyArray) -> bool:
    """Return whether most names of one side are among those of the other."""
    names = [[str(value) for value in side.tolist()] for side in (one, other)]
    owner, _ = owners_by_name(*names)
    return bool(2 * np.count_nonzero(owner >= 0) > min(len(one), len(other)))


def _say(image: StoredFile, text: StoredFile, name: str, other: str) -> None:
    by = name if name == other else f"{name} and {other}"
    warnings.warn(
        f"{image.path} and {text.path}: rows are joined by {by}, whose values both files have, in"
        " different orders or not all",
        stacklevel=5,
    )
