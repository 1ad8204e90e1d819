"""What labels may mean that they do not say: no label at all, or one class in two spellings."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.typing import AnyArray

__all__ = ["label_doubts", "task_doubts"]

_FILLERS = (1, 9, 99, 999, 9999, 99999)
"""What people write for a number that is not there, with either sign."""

_NO_LABEL = frozenset(
    (
        *("unlabelled", "unlabeled", "unannotated", "unassigned", "undefined", "unknown"),
        *("missing", "not available", "no label", "na", "n/a", "none", "null", "?", "-", "-1"),
    )
)
"""Texts that may stand for a label that is not there."""
_TOLD = 3  # spellings in a sentence


def label_doubts(y: ArrayLike) -> list[str]:
    """Return a sentence for each thing about labels that may not be meant.

    Args:
        y: (n,) labels as they are given.

    >>> label_doubts(["cat", "Cat", "cat", "dog", "dog", "dog"])[0]
    "labels are spelt in several ways, and taken as classes of their own: 'Cat' (1), 'cat' (2); \
write one spelling if one class is meant"
    >>> label_doubts([0, 1, 2, -1])[0][:63]
    'labels are -1 in 1 of 4 rows, the first at index 3, where all o'
    """
    array = np.asarray(y)
    if array.ndim != 1 or array.size == 0:
        return []
    if array.dtype.kind in "iuf":
        return _numbers(array)
    if array.dtype.kind not in "UO":
        return []
    return _texts(np.array([str(one) for one in array.tolist()]))


def task_doubts(y: AnyArray, asked: str, taken: str) -> list[str]:
    """Return a sentence where whole numbers are taken for a regression that nobody asked for.

    >>> task_doubts(np.arange(90), "auto", "regression")[0][:52]
    'labels are 90 different whole numbers, and are taken'
    """
    if asked != "auto" or taken != "regression" or not _whole(y):
        return []
    return [
        f"labels are {len(np.unique(y))} different whole numbers, and are taken as amounts, for a"
        " regression; if they are classes, say so (--task classification)"
    ]


def _numbers(y: AnyArray) -> list[str]:
    """Doubt a number far from all others, such as -999, and a single negative class."""
    if (y == y[:1]).all() or not np.isfinite(y).all():
        return []
    said = []
    for value in (y.min(), y.max()):
        same = y == value
        rest = y[~same]
        away = abs(rest.astype(float) - float(value)).min()
        wide = float(rest.max()) - float(rest.min())
        where = f"labels are {value:g} in {same.sum()} of {len(y)} rows, the first at index"
        if same.sum() > 1 and abs(float(value)) in _FILLERS and away > 3 * wide > 0:
            said.append(
                f"{where} {same.argmax()}, far from all others ({rest.min():g} to {rest.max():g}),"
                " as where a label is missing; if so, leave these rows out"
            )
        elif value == -1 and len(np.unique(rest)) > 1 and _whole(rest) and rest.min() >= 0:
            said.append(
                f"{where} {same.argmax()}, where all others are 0 or above, and are taken as"
                " meant; if -1 means no label, leave these rows out"
            )
    return said


def _whole(y: AnyArray) -> bool:
    return bool((y == np.round(y)).all())


def _texts(y: AnyArray) -> list[str]:
    """Doubt words for no label, and classes that differ in capitals or blanks alone."""
    names, counts = np.unique(y, return_counts=True)
    if 2 * len(names) > len(y):
        return []  # no classes
    said = []
    for name, count in zip(names.tolist(), counts.tolist(), strict=True):
        if name.strip().lower() in _NO_LABEL:
            first = int((y == name).argmax())
            said.append(
                f"labels are {name!r} in {count} of {len(y)} rows, the first at index {first},"
                " which is taken as a class; if it means no label, leave these rows out"
            )
    spellings: dict[str, list[str]] = {}
    for name, count in zip(names.tolist(), counts.tolist(), strict=True):
        spellings.setdefault(" ".join(name.lower().split()), []).append(f"{name!r} ({count})")
    several = [", ".join(one) for one in spellings.values() if len(one) > 1]
    if several:
        said.append(
            "labels are spelt in several ways, and taken as classes of their own:"
            f" {'; '.join(several[:_TOLD])}; write one spelling if one class is meant"
        )
    return said
