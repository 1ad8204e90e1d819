"""Weights trained with QuickGELU run without an error, and wrongly, in a network with GELU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError
from validation.backbones.checkpoint import file_digest

__all__ = ["check_activation", "model_activation"]

_NAMES = {True: "quick_gelu", False: "gelu"}


def model_activation(open_clip: Any, model: str) -> str:
    """Return the activation of an architecture, "quick_gelu" or "gelu"."""
    return _NAMES[bool((open_clip.get_model_config(model) or {}).get("quick_gelu", False))]


def check_activation(open_clip: Any, model: str, tag: str | None, path: Path | None) -> None:
    """Check that weights were trained with the activation of the architecture.

    What they were trained with is said by their tag, by ``open_clip_config.json`` beside the
    local file, or by the file's SHA-256 where a published address has it. Where none of them says
    it, nothing is checked; only the recall of the features shows it then (`validation.extract`).

    Raises:
        InputError: if it is the other one.
    """
    trained, source = _trained_activation(open_clip, model, tag, path)
    built = model_activation(open_clip, model)
    if trained is None or trained == built:
        return
    twin = model.removesuffix("-quickgelu") if trained == "gelu" else f"{model}-quickgelu"
    hint = f"; take {twin}" if twin in open_clip.list_models() else ""
    raise InputError(
        f"backbone must have the activation {trained} of the weights ({source}), got {model} with"
        f" {built}{hint}"
    )


def _trained_activation(
    open_clip: Any, model: str, tag: str | None, path: Path | None
) -> tuple[str | None, str]:
    if tag is not None:
        settings = open_clip.pretrained.get_pretrained_cfg(model, tag)
        return _NAMES[bool(settings.get("quick_gelu", False))], f"tag {tag}"
    if path is None:
        return None, ""
    beside = path.with_name("open_clip_config.json")
    if beside.is_file():
        try:
            settings = json.loads(beside.read_text(encoding="utf-8"))["model_cfg"]
            return _NAMES[bool(settings.get("quick_gelu", False))], beside.name
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"checkpoint must have a readable {beside.name} beside it or none, got"
                f" {type(error).__name__}: {error}"
            ) from error
    if path.is_file():
        digest = file_digest(path)
        for name, known in open_clip.list_pretrained():
            settings = open_clip.pretrained.get_pretrained_cfg(name, known)
            if f"/{digest}/" in settings.get("url", ""):
                return _NAMES[bool(settings.get("quick_gelu", False))], f"a file of {known}"
    return None, ""
