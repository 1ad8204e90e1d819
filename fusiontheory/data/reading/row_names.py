"""Names of rows in columns whose own name does not say so, such as cell, title or sample."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from fusiontheory.data.reading.joining import in_another_order, owners_by_name
from fusiontheory.data.reading.names import Chosen
from fusiontheory.data.reading.stored import StoredFile
from fusiontheory.typing import AnyArray

__all__ = ["guessed_names", "named_otherwise"]

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
    return None


def _known(file: StoredFile, chosen: Chosen) -> list[tuple[str, AnyArray]]:
    if chosen.ids is not None:
        return [(chosen.ids, file.read(chosen.ids, chosen.ids).ravel())]
    return list(_distinct_texts(file, chosen))


def _distinct_texts(file: StoredFile, chosen: Chosen) -> Iterator[tuple[str, AnyArray]]:
    side = chosen.image if chosen.image is not None else chosen.text
    rows = () if side is None else file.arrays[side].shape[:1]
    stored = [(name, file.arrays[name]) for name in chosen.unused]
    texts = [name for name, one in stored if one.dtype.startswith("str") and one.shape == rows]
    for name in texts[:_TRIED]:
        values = file.read(name, name)
        if len(set(values.tolist())) == len(values) > 2:
            yield name, values


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
