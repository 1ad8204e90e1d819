"""Convolutions with batch norm folded into them, back in torchvision's names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from fusiontheory.checks import InputError

__all__ = ["unfolded"]

_EPSILON = 1e-5  # of torchvision's batch norm


def unfolded(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a ResNet whose batch norms do nothing but add the folded bias.

    Args:
        path: .npz of weights and biases of the convolutions, named as in torchvision.

    Raises:
        InputError: if the file cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as folded:
            arrays = {name: torch.from_numpy(folded[name]) for name in folded.files}
    except (OSError, ValueError) as error:
        raise InputError(f"path must be a readable .npz of weights, got {path}: {error}") from error
    state: dict[str, torch.Tensor] = {}
    for name, value in arrays.items():
        layer, _, kind = name.rpartition(".")
        if kind == "weight":
            state[name] = value
            continue
        norm = f"{layer[:-1]}1" if layer.endswith("downsample.0") else layer.replace("conv", "bn")
        state[f"{norm}.weight"] = torch.ones_like(value)
        state[f"{norm}.bias"] = value
        state[f"{norm}.running_mean"] = torch.zeros_like(value)
        state[f"{norm}.running_var"] = torch.full_like(value, 1 - _EPSILON)
    return state
