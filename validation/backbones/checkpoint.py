"""Reading weights without unpickling, and saying which of them do not fit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from fusiontheory.checks import InputError

__all__ = ["check_fits", "file_digest", "note_of", "read_state", "weights_digest"]

_SHOWN = 3


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Return the named tensors of a checkpoint: .safetensors, or what torch.save wrote.

    A dictionary with the entry ``state_dict`` is opened, and a common prefix ``module.`` removed.

    Raises:
        InputError: if the file is not there, or holds anything else than tensors.
    """
    if not path.is_file():
        raise InputError(f"checkpoint must be a file, got {path}, which is not there")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            loaded: Any = load_file(path)
        else:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes make the parsers raise almost anything
        detail = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise InputError(
            f"checkpoint must be safetensors or tensors alone saved by torch, got {path}, which"
            f" cannot be read without running code from it ({detail}); get it as .safetensors"
        ) from error
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping) or not loaded:
        raise InputError(f"checkpoint must hold named tensors, got {path} with none")
    odd = [str(name) for name, value in loaded.items() if not isinstance(value, torch.Tensor)]
    if odd:
        raise InputError(
            f"checkpoint must hold named tensors only, got {path} with {_few(sorted(odd))}"
        )
    if all(name.startswith("module.") for name in loaded):
        loaded = {name.removeprefix("module."): value for name, value in loaded.items()}
    return dict(loaded)


def note_of(path: Path | None) -> str | None:
    """Return the note of a .safetensors file, the entry of that name in its metadata.

    Weights that are not what their architecture is known for say so there.
    """
    if path is None or path.suffix != ".safetensors" or not path.is_file():
        return None
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        note: str | None = (file.metadata() or {}).get("note")
    return note


def check_fits(
    path: Path, state: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor], model: str
) -> None:
    """Check that a checkpoint has exactly the tensors of a model, in their shapes.

    Raises:
        InputError: naming the first tensors that are missing, of another shape, or too many.
    """
    missing = [name for name in wanted if name not in state]
    surplus = [name for name in state if name not in wanted]
    shapes = [
        f"{name} {tuple(state[name].shape)} for {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in state and state[name].shape != value.shape
    ]
    faults = [
        f"{what} {_few(names)}"
        for what, names in (
            ("without", missing),
            ("with other shapes of", shapes),
            ("with unknown", surplus),
        )
        if names
    ]
    if faults:
        raise InputError(
            f"checkpoint must be one of {model}, got {path} {'; '.join(faults)};"
            " name the architecture that it was made for"
        )


def weights_digest(state: Mapping[str, torch.Tensor]) -> str:
    """Return the SHA-256 in hex of tensors by name; the kind of file they came in is no part of it.

    >>> weights_digest({"a": torch.zeros(2)})[:12]
    'da53f451559f'
    """
    total = hashlib.sha256()
    for name, value in sorted(state.items()):
        values = value.detach().cpu().contiguous()
        total.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
        total.update(values.flatten().view(torch.uint8).numpy().data)
    return total.hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 in hex of a file's bytes."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
