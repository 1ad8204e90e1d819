"""Writing a tensor file block by block, the same bytes' checksum as `fusiontheory.store.tensors`.

A features file can be larger than the memory that `fusiontheory.store.write_tensors`
needs for it; here blocks are produced once for the checksum and once for the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.store import canonical_json
from fusiontheory.typing import AnyArray

__all__ = ["Tensor", "stream_fingerprint", "write_stream"]

_TYPES = {"<f4": "F32", "<i8": "I64", "|u1": "U8"}
_METADATA = "fusiontheory"


@dataclass(frozen=True)
class Tensor:
    """A tensor that is produced in blocks of rows.

    Args:
        name: in the file.
        dtype: NumPy's name, with byte order.
        shape: of all rows.
        blocks: returns an iterator over the blocks, the same ones each time.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    blocks: Callable[[], Iterator[AnyArray]]

    @classmethod
    def of_array(cls, name: str, array: AnyArray) -> Tensor:
        """Return an array as one block."""
        return cls(name, array.dtype.str, array.shape, lambda: iter([array]))

    @property
    def size(self) -> int:
        """Number of bytes."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize


def stream_fingerprint(tensors: Iterable[Tensor]) -> str:
    """Return the fingerprint that a `fusiontheory.data.FeatureSet` of these tensors has."""
    return _digest(tensors, None)[:20]


def write_stream(path: Path, tensors: Iterable[Tensor], notes: Mapping[str, Any]) -> None:
    """Write tensors and notes in one step, as `fusiontheory.store.read_tensors` reads them.

    Raises:
        InputError: if the folder cannot be made or written to.

    >>> import tempfile
    >>> from fusiontheory.store import read_tensors
    >>> file = Path(tempfile.mkdtemp()) / "a.safetensors"
    >>> write_stream(file, [Tensor.of_array("a", np.arange(2))], {"name": "demo"})
    >>> read_tensors(file)
    ({'a': array([0, 1])}, {'name': 'demo'})
    """
    # Larger types first keeps every tensor aligned.
    ordered = sorted(tensors, key=lambda t: -np.dtype(t.dtype).itemsize)
    about = canonical_json({**notes, "sha256": _digest(ordered, dict(notes))}).decode()
    header: dict[str, Any] = {"__metadata__": {_METADATA: about}}
    offset = 0
    for tensor in ordered:
        header[tensor.name] = {
            "dtype": _TYPES[tensor.dtype],
            "shape": tensor.shape,
            "data_offsets": [offset, offset + tensor.size],
        }
        offset += tensor.size
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    temporary = path.parent / f".{uuid.uuid4().hex}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(len(head).to_bytes(8, "little") + head)
            for tensor in ordered:
                for block in tensor.blocks():
                    file.write(np.ascontiguousarray(block).data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"path: cannot write to {path}: {error.strerror};"
            " choose a folder that is writable and has space"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _digest(tensors: Iterable[Tensor], notes: Any) -> str:
    """Return what `fusiontheory.store.digest` returns of the whole arrays."""
    total = hashlib.sha256(canonical_json(notes))
    for tensor in sorted(tensors, key=lambda t: t.name):
        total.update(canonical_json([tensor.name, tensor.dtype, tensor.shape]))
        for block in tensor.blocks():
            total.update(np.ascontiguousarray(block, dtype=tensor.dtype).data)
    return total.hexdigest()
