"""NumPy's own files: .npy mapped into memory, and .npz member by member. Nothing is unpickled."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from fusiontheory.checks import InputError
from fusiontheory.data.reading.limits import check_regular
from fusiontheory.data.reading.stored import Stored, StoredFile, by_row, type_problem
from fusiontheory.data.reading.tables import arrays_of_records
from fusiontheory.store import unreadable
from fusiontheory.typing import AnyArray

__all__ = ["open_npy", "open_npz"]

_ONE_OBJECT = (
    "it holds one Python object, such as a dictionary of arrays, which is never unpickled; save its"
    ' arrays with numpy.savez("features.npz", **dictionary)'
)
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def open_npy(path: Path) -> StoredFile:
    """Return the one array of a .npy file, which stays on the disk until it is used.

    Of a structured array each field is an array, as each member of an .npz file is.

    Raises:
        InputError: if the file is not there, or not an intact .npy file.
    """
    check_regular(path)
    try:
        with path.open("rb") as file:
            dtype, stored = _declared(file, path.stat().st_size)
    except InputError:
        raise
    except Exception as error:  # damaged bytes make numpy raise almost anything
        raise unreadable(path, error) from error
    if _has_fields(dtype, stored):
        return StoredFile(path, _fields(path, dtype, _mapped(path, stored)))
    if stored.problem is None and 0 not in stored.shape:
        stored = _mapped(path, stored)
    return StoredFile(path, {"": stored})


def open_npz(path: Path) -> StoredFile:
    """Return the arrays of an .npz file by the headers of its members; none is read yet.

    Of a structured array that is alone in it, each field is an array.

    Raises:
        InputError: if the file is not there, or not an intact .npz file.
    """
    check_regular(path)
    arrays: dict[str, Stored] = {}
    types: list[np.dtype[Any]] = []
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.filename.endswith(".npy"):
                    continue
                with archive.open(info) as member:
                    dtype, stored = _declared(member, info.file_size)
                name = info.filename.removesuffix(".npy")
                arrays[name] = _member(path, info.filename, stored)
                types.append(dtype)
    except InputError:
        raise
    except Exception as error:  # as above, and zipfile too
        raise unreadable(path, error) from error
    if len(arrays) == 1:
        (alone,), (dtype,) = arrays.values(), types
        if _has_fields(dtype, alone):
            return StoredFile(path, _fields(path, dtype, alone))
    if {"data", "format", "shape"} <= set(arrays):
        raise InputError(
            f"path must hold full arrays, got {path}, a sparse matrix of SciPy; save"
            " scipy.sparse.load_npz(path).toarray() with numpy.save"
        )
    return StoredFile(path, by_row(arrays, lambda names: _members(path, names)))


def _declared(file: IO[bytes], size: int) -> tuple[np.dtype[Any], Stored]:
    """Return the type of an array and itself by its header; the rest of the file must hold it."""
    version = npy.read_magic(file)
    read_header = _HEADERS.get(version)
    if read_header is None:  # 3.0 is for names of structured types that are not Latin
        problem = (
            "its structured type has names of fields beyond Latin letters; save each field under a"
            " plain name, with numpy.savez(path, image=x[...], text=x[...])"
        )
        return np.dtype("V1"), Stored((), "void", lambda: np.zeros(()), problem=problem)
    shape, _, dtype = read_header(file)
    left = size - file.tell()
    if not dtype.hasobject and math.prod(shape) * dtype.itemsize > left:
        raise ValueError(f"the header declares {shape} of {dtype}, {left} bytes are there")
    one = dtype.kind == "O" and not shape  # what numpy.save makes of a dictionary
    why = _ONE_OBJECT if one else type_problem(dtype)
    return dtype, Stored(shape, dtype.name, lambda: np.zeros(shape, dtype), dtype.itemsize, why)


def _has_fields(dtype: np.dtype[Any], stored: Stored) -> bool:
    row = len(stored.shape) == 1 and stored.shape[0] > 0
    return row and bool(dtype.names) and not dtype.hasobject


def _fields(path: Path, dtype: np.dtype[Any], stored: Stored) -> dict[str, Stored]:
    """Return an array for each field of a structured one; numbered fields are one vector."""
    names = dtype.names or ()
    if all(not dtype[name].shape for name in names):  # rows of a table, DataFrame.to_records()
        return arrays_of_records(stored.fetch(), path)
    fields: dict[str, Stored] = {}
    for name in names:
        base, sub = dtype[name].base, dtype[name].shape
        fields[name] = Stored(
            stored.shape + sub,
            base.name,
            partial(_field, stored.fetch, name),
            base.itemsize,
            type_problem(base),
        )
    return fields


def _field(fetch: Callable[[], AnyArray], name: str) -> AnyArray:
    return np.ascontiguousarray(fetch()[name])


def _mapped(path: Path, stored: Stored) -> Stored:
    def fetch() -> AnyArray:
        mapped: AnyArray = np.load(path, mmap_mode="r", allow_pickle=False)
        return mapped

    return Stored(stored.shape, stored.dtype, fetch, stored.itemsize)


def _members(path: Path, names: list[str]) -> list[AnyArray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return [archive[name] for name in names]
    except Exception as error:  # as above
        raise unreadable(path, error) from error


def _member(path: Path, name: str, stored: Stored) -> Stored:
    def fetch() -> AnyArray:
        try:
            with zipfile.ZipFile(path) as archive, archive.open(name) as member:
                array: AnyArray = npy.read_array(member, allow_pickle=False)
                member.read(1)  # to the end, where the checksum is compared
        except Exception as error:  # damaged bytes make both raise almost anything
            raise unreadable(path, error) from error
        return array

    return Stored(stored.shape, stored.dtype, fetch, stored.itemsize, stored.problem)
