"""Labels of a pilot as columns of numbers, with every refusal a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.typing import AnyArray, Array, Integers

__all__ = ["LEAST_ITEMS", "LEAST_OF_CLASS", "Labels", "Task", "class_codes"]

Task = Literal["auto", "classification", "regression"]

LEAST_ITEMS = 50
LEAST_OF_CLASS = 5
# Integers with more values than this are numbers rather than classes.
_MOST_CLASSES = 50
_OFF_BY_ONE = {
    -1: "; if the file has no header, its first label was taken for one: add a header",
    1: "; if its first row is a header, leave that out",
}


@checked
@dataclass(frozen=True, eq=False)
class Labels:
    """Labels as targets of least squares.

    Attributes:
        targets: (n0, c) float: one column of +-1 for two classes, one of +-1 for each of more
            classes, or the numbers of a regression.
        codes: (n0,) index of the class; None for a regression.
        classes: their names, in the order of the codes; None for a regression.

    Example:
        >>> Labels.from_labels(["cat", "dog"] * 30).targets[:2].ravel()
        array([-1.,  1.])
    """

    targets: Array
    codes: Integers | None
    classes: AnyArray | None

    @classmethod
    def from_labels(cls, y: ArrayLike, task: Task = "auto", items: int | None = None) -> Labels:
        """Read labels of ``items`` rows.

        Args:
            y: (n0,) texts, booleans or integers for classes, numbers for a regression.
            task: "auto" takes texts, booleans and at most 50 different integers as classes.
            items: number of rows that the labels must fit.

        Raises:
            InputError: for NaN labels, one class, a class with fewer than 5 items, fewer than 50
                items, labels that do not fit the rows, and texts where numbers are needed.
        """
        array, kind = _read(y, task, items)
        if kind == "regression":
            return _numbers(array)
        classes, codes = _coded(array)
        if len(classes) == 2:
            targets = np.where(codes == 1, 1.0, -1.0)[:, None]
        else:
            targets = np.where(codes[:, None] == np.arange(len(classes)), 1.0, -1.0)
        return cls(targets, codes, classes)

    @property
    def items(self) -> int:
        """Number of items n0."""
        return len(self.targets)

    @property
    def variance(self) -> float:
        """Summed variance of the target columns, the unit of every risk."""
        return float(self.targets.var(0).sum())

    @property
    def shares(self) -> Array:
        """Share of the items in each class.

        Raises:
            InputError: for a regression.
        """
        if self.codes is None or self.classes is None:
            raise InputError("a regression has no classes")
        shares: Array = np.bincount(self.codes, minlength=len(self.classes)) / self.items
        return shares

    @property
    def balanced(self) -> bool:
        """Whether the largest class has at most 1.5 times the items of the smallest."""
        return bool(self.shares.max() <= 1.5 * self.shares.min())

    def subset(self, rows: AnyArray) -> Labels:
        """Return the labels of some rows, in that order; classes stay those of all rows."""
        codes = None if self.codes is None else self.codes[rows]
        return Labels(self.targets[rows], codes, self.classes)


@checked
def class_codes(y: ArrayLike, task: Task = "auto", items: int | None = None) -> Integers | None:
    """Return the index of each item's class, or None for a regression, without making targets.

    Args:
        y, task, items: see `Labels.from_labels`.

    Raises:
        InputError: see `Labels.from_labels`.

    Example:
        >>> class_codes(["cat", "dog"] * 30)[:2]
        array([0, 1])
    """
    array, kind = _read(y, task, items)
    return None if kind == "regression" else _coded(array)[1]


def _read(y: ArrayLike, task: Task, items: int | None) -> tuple[AnyArray, Task]:
    """Return complete labels, and what they are."""
    if task not in ("auto", "classification", "regression"):
        raise InputError(f"task must be auto, classification or regression, got {task!r}")
    array = _complete(y)
    if items is not None and len(array) != items:
        raise InputError(
            f"y must have one label for each of {items} rows, got {len(array)}"
            f"{_OFF_BY_ONE.get(len(array) - items, '')}"
        )
    if len(array) < LEAST_ITEMS:
        raise InputError(
            f"{len(array)} labelled items are too few to say anything;"
            f" {LEAST_ITEMS} are the least, a few hundred are what it takes"
        )
    if task == "auto":
        task = "classification" if _looks_like_classes(array) else "regression"
    return array, task


def _complete(y: ArrayLike) -> AnyArray:
    """Return one-dimensional labels without a missing one."""
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.size == 0:
        raise InputError(
            f"y must be one label for each item, got shape {array.shape}; of columns that are 0 or"
            " 1, give the number of the column that is 1"
        )
    if array.dtype.kind == "c":
        raise InputError("y must be classes or real numbers, got complex ones")
    if array.dtype.kind == "O" and (longer := [v for v in array.tolist() if np.ndim(v)]):
        raise InputError(
            f"y must be one label for each item, got lists such as {longer[0]!r}; of lists of 0"
            " and 1, give the place of the one"
        )
    if array.dtype.kind in "OU":
        missing = np.array([_blank(v) for v in array.tolist()], bool)
    elif array.dtype.kind == "f":
        missing = ~np.isfinite(array)
    else:
        missing = np.zeros(len(array), bool)
    if missing.any():
        rows = ", ".join(str(i) for i in np.flatnonzero(missing)[:5])
        more = " and more" if missing.sum() > 5 else ""
        raise InputError(
            f"y has {int(missing.sum())} missing or infinite labels (rows {rows}{more},"
            " counted from 0); leave those items out, or give them as unlabelled"
        )
    return array


def _blank(value: object) -> bool:
    """Return whether a value is None, NaN or a text that programs write where there is none."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return True
    return isinstance(value, str) and value.strip().lower() in ("", "nan", "<na>")


def _looks_like_classes(array: AnyArray) -> bool:
    if array.dtype.kind in "biu" or (
        array.dtype.kind == "f" and bool(np.all(array == np.round(array)))
    ):
        return len(np.unique(array)) <= _MOST_CLASSES
    return array.dtype.kind != "f"


def _coded(array: AnyArray) -> tuple[AnyArray, Integers]:
    """Return classes, of which each has items enough, and the index of each item's."""
    texts = array.astype(str) if array.dtype.kind == "O" else array
    classes, codes = np.unique(texts, return_inverse=True)
    codes = codes.astype(np.int64)
    counts = np.bincount(codes)
    if len(classes) < 2:
        raise InputError(f"y has one class ({classes[0]}): there is nothing to tell apart")
    if texts.dtype.kind in "US" and len(classes) > len(array) / 2:
        raise InputError(
            f"y has {len(classes)} different texts in {len(array)} items, which are no classes;"
            " for a regression give numbers"
        )
    if counts.min() < LEAST_OF_CLASS:
        rare = classes[counts < LEAST_OF_CLASS]
        names = ", ".join(str(c) for c in rare[:3]) + (" and more" if len(rare) > 3 else "")
        raise InputError(
            f"{len(rare)} of {len(classes)} classes have fewer than {LEAST_OF_CLASS} items"
            f" ({names}); join them with others, leave them out, or label more of them"
        )
    return classes, codes


def _numbers(array: AnyArray) -> Labels:
    try:
        targets = np.asarray(array, dtype=np.float64)[:, None]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"y must be numbers for a regression, got texts such as {str(array[0])!r}"
        ) from error
    if targets.std() <= 1e-12 * max(1.0, float(np.abs(targets).max())):
        raise InputError(f"y is {targets[0, 0]:g} for every item: there is nothing to learn")
    return Labels(targets, None, None)
