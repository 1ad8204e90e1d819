"""Arrays of a file before they are read: their shape, their type, and how to get them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.data.reading.limits import check_fits
from fusiontheory.typing import AnyArray

__all__ = ["Stored", "StoredFile", "by_row", "type_problem"]

_FEWEST_ROWS = 8


@dataclass(frozen=True, eq=False)
class Stored:
    """One array of a file, by what its header says.

    Attributes:
        shape: as declared.
        dtype: name of the type, such as float32, bfloat16 or object.
        fetch: reads the values.
        itemsize: bytes of a value once read.
        problem: why it cannot be read and what to do, as the end of a sentence; None if it can.
    """

    shape: tuple[int, ...]
    dtype: str
    fetch: Callable[[], AnyArray]
    itemsize: int = 4
    problem: str | None = None

    @property
    def numeric(self) -> bool:
        """Whether it holds real numbers, as far as the type says."""
        return self.dtype.startswith(("float", "int", "uint", "bfloat"))

    @classmethod
    def of(cls, array: AnyArray) -> Stored:
        """Return an array that is in memory, or mapped into it.

        >>> Stored.of(np.zeros((2, 3))).shape
        (2, 3)
        """
        problem = type_problem(array.dtype)
        return cls(array.shape, array.dtype.name, lambda: array, array.dtype.itemsize, problem)


@dataclass(frozen=True, eq=False)
class StoredFile:
    """The arrays of a file by name; in a file of one array without a name, it is ``""``."""

    path: Path
    arrays: Mapping[str, Stored]

    def read(self, name: str, called: str) -> AnyArray:
        """Return the values of one array.

        Args:
            name: in the file.
            called: what errors call it, such as image.

        Raises:
            InputError: if its type cannot be read, or it does not fit the memory.
        """
        stored = self.arrays[name]
        as_named = f", its array {name}" if name not in ("", called) else ""
        if stored.problem is not None:
            where = f"{self.path}{as_named}"
            raise InputError(f"{called} cannot be read from {where}: {stored.problem}")
        check_fits(self.path, called, stored.shape, stored.itemsize)
        return stored.fetch()


def by_row(
    arrays: Mapping[str, Stored], fetch: Callable[[list[str]], list[AnyArray]] | None = None
) -> dict[str, Stored]:
    """Return the arrays of a file; of one that has a vector for each name, one array and the names.

    So do people keep features by the names of their images.

    Args:
        arrays: by name. They are taken for rows if they are 8 or more, all numbers of one shape
            with one axis of more than one value, or several, as of the captions of an image.
        fetch: reads those of the given names at once; None to read them one by one.

    >>> rows = by_row({f"{k}.jpg": Stored.of(np.ones(3)) for k in range(9)})
    >>> {name: stored.shape for name, stored in rows.items()}
    {'': (9, 3), 'names': (9,)}
    """
    features = _by_feature(arrays)
    if features:
        return features
    first = next(iter(arrays.values()), None)
    if first is None or len(arrays) < _FEWEST_ROWS or len(first.shape) not in (1, 2):
        return dict(arrays)
    alike = all(one.shape == first.shape and one.numeric for one in arrays.values())
    captions = 1 if len(first.shape) == 1 else first.shape[0]
    if not alike or first.shape[-1] < 2 or captions >= len(arrays):
        return dict(arrays)
    names = list(arrays)

    def stacked() -> AnyArray:
        rows = [arrays[name].fetch() for name in names] if fetch is None else fetch(names)
        return np.stack(rows)

    shape = (len(names), *first.shape)
    return {
        "": Stored(shape, first.dtype, stacked, first.itemsize),
        "names": Stored.of(np.array(names)),
    }


def _by_feature(arrays: Mapping[str, Stored]) -> dict[str, Stored]:
    """Return one array for each feature of a file that has a group of them for each item.

    Args:
        arrays: by names such as ``item/feature``.

    Returns:
        Nothing where items are fewer than 8, or differ in their features.
    """
    items: dict[str, dict[str, Stored]] = {}
    for name, one in arrays.items():
        item, _, feature = name.rpartition("/")
        items.setdefault(item, {})[feature] = one
    first = next(iter(items.values()), {})
    whole = len(items) >= _FEWEST_ROWS and "" not in items and len(first) < len(items)
    if not whole or any(one.keys() != first.keys() for one in items.values()):
        return {}
    if any(
        (one[name].shape, one[name].numeric) != (stored.shape, True) or len(stored.shape) > 2
        for name, stored in first.items()
        for one in items.values()
    ):
        return {}

    def stacked(name: str) -> Callable[[], AnyArray]:
        return lambda: np.stack([one[name].fetch() for one in items.values()])

    found = {
        name: Stored((len(items), *one.shape), one.dtype, stacked(name), one.itemsize)
        for name, one in first.items()
    }
    return found | {"names": Stored.of(np.array(list(items)))}


def type_problem(dtype: np.dtype[Any]) -> str | None:
    """Return why a NumPy type holds no numbers and what to do; None if it may.

    >>> type_problem(np.dtype("V2"))
    'it has 2 bytes a value without a type, as NumPy writes bfloat16; save as float32 or float16'
    >>> type_problem(np.dtype("f2")) is None
    True
    """
    if dtype.names:
        fields = ", ".join(dtype.names[:6]) + (" and others" if len(dtype.names) > 6 else "")
        return (
            f"it has a structured type with the fields {fields}; save each field as an array of its"
            " own, with numpy.savez(path, **{k: numpy.array(x[k].tolist()) for k in x.dtype.names})"
        )
    if dtype.kind == "O":
        return (
            "it holds Python objects, which are never unpickled; save it as plain numbers or"
            " strings, with numpy.asarray(x, dtype=float) or dtype=str, or with numpy.stack(x)"
            " where each item is a vector"
        )
    if dtype.kind == "V":
        known = ", as NumPy writes bfloat16" if dtype.itemsize == 2 else ""
        return (
            f"it has {dtype.itemsize} bytes a value without a type{known}; save as float32 or"
            " float16"
        )
    return None
