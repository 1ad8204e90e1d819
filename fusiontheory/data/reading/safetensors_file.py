"""Safetensors files of other origin, by their header: bfloat16 is read, fp8 is named.

The format: eight bytes with the length of a JSON header, the header with type, shape and place of
each tensor, then the values (https://huggingface.co/docs/safetensors).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import InputError
from fusiontheory.data.reading.limits import check_regular
from fusiontheory.data.reading.stored import Stored, StoredFile, by_row
from fusiontheory.store import unreadable
from fusiontheory.typing import AnyArray, Single

__all__ = ["from_bfloat16", "open_safetensors"]

_LENGTH = 8
_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "|b1",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1",
}  # fmt: skip
_NAMES = {"BF16": "bfloat16"}


def open_safetensors(path: Path) -> StoredFile:
    """Return the tensors of a safetensors file by its header; values are mapped, not read.

    Raises:
        InputError: if the file is not there, or its header does not fit its length.
    """
    size = check_regular(path)
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH), "little")
            if length > size - _LENGTH:
                raise ValueError(f"the header has {length} bytes, {size} are there")
            header = json.loads(file.read(length))
        start = _LENGTH + length
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        arrays = {name: _stored(path, entry, start, size) for name, entry in entries.items()}
    except InputError:
        raise
    except Exception as error:  # damaged bytes make the parser raise almost anything
        raise unreadable(path, error) from error
    return StoredFile(path, by_row(arrays))


def from_bfloat16(bits: NDArray[np.uint16]) -> Single:
    """Return the values of bfloat16 numbers, the upper halves of float32 ones, without loss.

    >>> from_bfloat16(np.array([0x3F80, 0xC000], dtype=np.uint16)).tolist()
    [1.0, -2.0]
    """
    wide: Single = (bits.astype("<u4") << 16).view("<f4")
    return wide


def _stored(path: Path, entry: dict[str, Any], start: int, size: int) -> Stored:
    shape, kind = tuple(int(k) for k in entry["shape"]), str(entry["dtype"])
    if kind not in _TYPES:
        problem = f"it holds {kind} values, which cannot be read here; save as float32 or float16"
        return Stored(shape, kind, lambda: np.zeros(()), 1, problem)
    dtype = np.dtype(_TYPES[kind])
    begin, end = (start + int(k) for k in entry["data_offsets"])
    if min(shape, default=1) < 0 or end - begin != math.prod(shape) * dtype.itemsize or end > size:
        raise ValueError(f"{shape} of {kind} at bytes {begin} to {end} of {size}")

    def fetch() -> AnyArray:
        if not math.prod(shape):
            return np.zeros(shape, dtype)
        mapped = np.memmap(path, dtype=dtype, mode="r", offset=begin, shape=shape)
        return from_bfloat16(np.asarray(mapped)) if kind == "BF16" else mapped

    return Stored(shape, _NAMES.get(kind, dtype.name), fetch, dtype.itemsize)
