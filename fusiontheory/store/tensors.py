"""Tensor files: named arrays in safetensors, written in one step and checked when read.

The metadata hold one JSON text with what the writer notes and a SHA-256 over the arrays and the
notes. One entry, because safetensors does not promise an order for several: equal content gives
equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load as _parse
from safetensors.numpy import save as _serialise

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.store.cells import canonical_json
from fusiontheory.store.files import write_atomically
from fusiontheory.typing import AnyArray

__all__ = ["digest", "is_sealed", "read_bytes", "read_tensors", "unreadable", "write_tensors"]

_METADATA = "fusiontheory"
_HEADER_LENGTH = 8  # bytes of the little-endian integer that a safetensors file starts with


@checked
def digest(tensors: Mapping[str, AnyArray], notes: Any = None) -> str:
    """Return the SHA-256 in hex of named arrays (names, types, shapes, values) and of JSON notes.

    >>> digest({"a": np.zeros(2)})[:12]
    '4a2f6cdf55bb'
    >>> digest({"a": np.zeros(2)}) == digest({"a": np.zeros((1, 2))})
    False
    """
    total = hashlib.sha256(canonical_json(notes))
    for name, array in sorted(tensors.items()):
        # The byte order is part of the type, so that equal values hash alike on any machine.
        values = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        total.update(canonical_json([name, values.dtype.str, array.shape]))
        total.update(values.data)
    return total.hexdigest()


@checked
def write_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, AnyArray], notes: Mapping[str, Any]
) -> None:
    """Write arrays and JSON notes to ``path`` in one step, in place of what was there.

    Raises:
        InputError: if the folder cannot be made or written to.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.safetensors"
    >>> write_tensors(file, {"a": np.arange(2)}, {"name": "demo"})
    >>> read_tensors(file)
    ({'a': array([0, 1])}, {'name': 'demo'})
    """
    about = {**notes, "sha256": digest(tensors, dict(notes))}
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    data = _serialise(arrays, metadata={_METADATA: canonical_json(about).decode()})
    write_atomically(Path(path), data)


@checked
def read_tensors(
    path: str | os.PathLike[str],
) -> tuple[dict[str, AnyArray], dict[str, Any] | None]:
    """Return the arrays and the notes of a safetensors file; None for notes it does not have.

    Notes come with a checksum, which is compared. Files of other origin have neither.

    Raises:
        InputError: if the file is not there, not safetensors, truncated, or does not match its
            checksum.

    >>> read_tensors("nowhere.safetensors")
    Traceback (most recent call last):
    fusiontheory.checks.InputError: path must be a file to read, got nowhere.safetensors: No such \
file or directory
    """
    path = Path(path)
    data = read_bytes(path)
    try:
        tensors: dict[str, AnyArray] = _parse(data)
        length = int.from_bytes(data[:_HEADER_LENGTH], "little")
        header = json.loads(data[_HEADER_LENGTH : _HEADER_LENGTH + length])
        sealed = (header.get("__metadata__") or {}).get(_METADATA)
        notes = None if sealed is None else dict(json.loads(sealed))
        expected = None if notes is None else notes.pop("sha256")
    except Exception as error:  # damaged bytes make the parsers raise almost anything
        raise unreadable(path, error) from error
    if notes is not None and expected != digest(tensors, notes):
        raise InputError(
            f"path must be an intact file, got {path}, whose content does not match its checksum;"
            " delete it and make or fetch it again"
        )
    return tensors, notes


@checked
def is_sealed(path: Path) -> bool:
    """Return whether a safetensors file was written by `write_tensors`, by its header alone.

    A file whose header cannot be read counts as one, for `read_tensors` to say what is wrong.

    >>> is_sealed(Path("nowhere.safetensors"))
    True
    """
    try:
        if not path.is_file():
            return not path.exists()
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_HEADER_LENGTH), "little")
            header = json.loads(file.read(min(length, path.stat().st_size)))
        return _METADATA in (header.get("__metadata__") or {})
    except (OSError, ValueError, AttributeError, RecursionError):
        return True


@checked
def read_bytes(path: Path) -> bytes:
    """Return the content of a regular file; a pipe or a device would be read without end.

    Raises:
        InputError: if it is not there or cannot be read.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = file.write_bytes(b"a")
    >>> read_bytes(file)
    b'a'
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError(
                f"path must be a regular file, got {path}, a pipe or a device; save what it gives"
                " to a file first"
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"path must be a file to read, got {path}: {error.strerror}") from error


@checked
def unreadable(path: Path, error: Exception) -> InputError:
    """Return the error of a file that a parser gave up on.

    >>> str(unreadable(Path("a.npz"), ValueError("no header")))
    'path must be an intact .npz file, got a.npz, which is truncated or altered (ValueError: no \
header); delete it and make or fetch it again'
    """
    if isinstance(error, PermissionError):
        return InputError(f"path must be a file to read, got {path}: {error.strerror}")
    detail = " ".join(f"{type(error).__name__}: {error}".split())[:100]
    return InputError(
        f"path must be an intact {path.suffix} file, got {path}, which is truncated or altered"
        f" ({detail}); delete it and make or fetch it again"
    )
