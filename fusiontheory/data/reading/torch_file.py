"""Files of ``torch.save``: tensors alone, with ``weights_only=True``, so that nothing is run.

The only module of the readers that loads torch, and only when such a file is read.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.data.reading.limits import check_fits, check_regular
from fusiontheory.data.reading.stored import Stored, StoredFile, by_row
from fusiontheory.store import unreadable

__all__ = ["open_torch"]


def open_torch(path: Path) -> StoredFile:
    """Return the tensors of a .pt file.

    It holds one tensor, a dictionary of them, maybe of dictionaries, a list of a dictionary for
    each item, a vector for each name of an item, or a pair (image, text).

    bfloat16 and other types that NumPy lacks become float32. Lists of strings, as of ids, are
    kept; what is neither is not.

    Raises:
        InputError: if torch is not installed, the file is not there or damaged, or holds objects
            that are not tensors.
    """
    size = check_regular(path)
    try:
        import torch
    except ImportError as error:
        raise InputError(
            f"path must be a file that can be read here, got {path}, which needs the package torch;"
            " run pip install torch, or save as .npz"
        ) from error
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                size = sum(info.file_size for info in archive.infolist())
    except Exception as error:  # damaged bytes make zipfile raise almost anything
        raise unreadable(path, error) from error
    check_fits(path, "tensors", (size,), 1)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling stops at the first foreign object, in several ways
        if "eights only" in str(error) or "weights_only" in str(error):
            raise InputError(
                f"path must hold tensors alone, got {path} with other Python objects, which are"
                " never unpickled; save torch.save({'image': image, 'text': text}, path)"
            ) from error
        raise unreadable(path, error) from error
    arrays = {name: _stored(value, torch) for name, value in _named(content, torch)}
    return StoredFile(path, by_row({name: one for name, one in arrays.items() if one is not None}))


def _named(content: Any, torch: Any) -> list[tuple[str, Any]]:
    if isinstance(content, Mapping):
        return _flat(content)
    if _is_items(content):
        items = [dict(_flat(item)) for item in content]
        if all(item.keys() == items[0].keys() for item in items):
            return [(name, [item[name] for item in items]) for name in items[0]]
    pair = isinstance(content, Sequence) and not isinstance(content, str) and len(content) == 2
    if pair and all(isinstance(part, torch.Tensor) for part in content):
        return list(zip(("image", "text"), content, strict=True))
    return [("", content)]


def _flat(content: Mapping[Any, Any], before: str = "") -> list[tuple[str, Any]]:
    """Return what is in a dictionary, that of dictionaries in it under names such as clip/image."""
    tensors: list[tuple[str, Any]] = []
    for name, value in content.items():
        inner = isinstance(value, Mapping)
        tensors += _flat(value, f"{before}{name}/") if inner else [(f"{before}{name}", value)]
    return tensors


def _is_items(content: Any) -> bool:
    """Return whether it is a list with a dictionary for each item, all of the same names."""
    if not (isinstance(content, list) and content):
        return False
    return all(isinstance(one, Mapping) and one.keys() == content[0].keys() for one in content)


def _stored(value: Any, torch: Any) -> Stored | None:
    if isinstance(value, torch.Tensor):
        dense = value.detach().to_dense() if value.layout != torch.strided else value.detach()
        if dense.is_quantized:
            dense = dense.dequantize()
        if dense.dtype.is_floating_point and dense.dtype not in (torch.float64, torch.float16):
            dense = dense.to(torch.float32)
        return Stored.of(dense.resolve_conj().resolve_neg().numpy())
    if isinstance(value, list) and value:
        if all(isinstance(part, torch.Tensor) and part.ndim for part in value):
            if len({part.shape for part in value}) == 1:
                return _stored(torch.stack(value), torch)
            return _stored(torch.cat(value), torch) if _are_batches(value) else _ragged(value)
        elif all(isinstance(part, (str, int)) for part in value):
            return Stored.of(np.array(value))
    return None


def _are_batches(tensors: Sequence[Any]) -> bool:
    """Return whether tensors are the batches of one array: of one size, the last smaller."""
    first, last = tensors[0].shape, tensors[-1].shape
    full = all(one.shape == first for one in tensors[:-1])
    return bool(full and len(first) == 2 and last[1:] == first[1:] and last[0] < first[0])


def _ragged(tensors: Sequence[Any]) -> Stored:
    shapes = sorted({tuple(one.shape) for one in tensors})
    problem = (
        f"it holds tensors of several shapes, such as {shapes[0]} and {shapes[-1]}; put batches"
        " together with torch.cat, or pool each item to one vector and use torch.stack"
    )
    return Stored((len(tensors),), "object", lambda: np.empty(0), problem=problem)
