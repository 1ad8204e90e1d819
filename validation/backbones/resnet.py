"""torchvision's ResNet18 (He et al. 2016) as a backbone of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fusiontheory.checks import InputError
from fusiontheory.typing import Single
from validation.backbones.backbone import Card, check_device, torch_dtype
from validation.backbones.checkpoint import check_fits, note_of, read_state, weights_digest
from validation.backbones.downloads import downloaded
from validation.backbones.libraries import library
from validation.backbones.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing

__all__ = ["RESNET18_PREPROCESSING", "RESNET_TAGS", "ResNet18", "load_resnet18"]

RESNET_TAGS = ("IMAGENET1K_V1",)
RESNET18_PREPROCESSING = Preprocessing(224, 256, "crop", "bilinear", IMAGENET_MEAN, IMAGENET_STD)
"""Of the published weights."""

_LAYERS = ("layer1", "layer2", "layer3", "layer4")
_BATCH_COUNT = "num_batches_tracked"  # of training; old checkpoints lack it, nothing here needs it


@dataclass(frozen=True)
class ResNet18:
    """ResNet18 up to one of its layers; pooled over the grid, or the grid cells as tokens."""

    card: Card
    stages: torch.nn.Sequential
    device: torch.device

    @torch.inference_mode()
    def encode_images(self, x: torch.Tensor) -> Single:
        """Return (n, channels), the mean over the grid, or (n, cells, channels) row by row."""
        x = x.to(self.device, torch_dtype(self.card.dtype), memory_format=torch.channels_last)
        grid = self.stages(x).flatten(2)
        features = grid.mean(2) if self.card.output == "pooled" else grid.transpose(1, 2)
        return np.asarray(features.float().cpu().contiguous().numpy())


def load_resnet18(
    tag: str = RESNET_TAGS[0],
    checkpoint: Path | None = None,
    *,
    tokens: bool = False,
    through: str = "layer4",
    preprocessing: Preprocessing = RESNET18_PREPROCESSING,
    dtype: str = "float32",
    device: str = "cpu",
) -> ResNet18:
    """Load ResNet18 with published or local weights.

    Args:
        tag: published weights, downloaded if there is no checkpoint.
        checkpoint: local file in torchvision's names; classifier weights are not needed.
        tokens: (n, 49, 512) of the 7 x 7 grid instead of its mean (n, 512), for 224 pixels.
        through: the last layer to apply; a checkpoint need not have those after it.
        preprocessing: of images.
        dtype: what to compute in, one of `DTYPES`.
        device: where.

    Raises:
        InputError: if a setting is unknown, or the weights cannot be had or do not fit.
    """
    if through not in _LAYERS:
        raise InputError(f"through must be one of {', '.join(_LAYERS)}, got {through!r}")
    place, number = check_device(device), torch_dtype(dtype)
    network = library("torchvision.models").resnet18(weights=None)
    layers = _LAYERS[: _LAYERS.index(through) + 1]
    if checkpoint is None:
        what = f"the weights {tag} of ResNet18"
        path, state = Path(tag), downloaded(what, lambda: _published(tag))
    else:
        path, state = checkpoint, read_state(checkpoint)
    named = {name for name in network.state_dict() if name.split(".")[0] in layers}
    wanted = {
        name: value
        for name, value in network.state_dict().items()
        if (name in named or name.startswith(("conv1.", "bn1."))) and not _optional(name)
    }
    beyond = (*(layer for layer in _LAYERS if layer not in layers), "fc")
    used = {
        name: value
        for name, value in state.items()
        if name.split(".")[0] not in beyond and not _optional(name)
    }
    check_fits(path, used, wanted, "ResNet18" if through == "layer4" else f"ResNet18 to {through}")
    network.load_state_dict(used, strict=False)
    stem = (network.conv1, network.bn1, network.relu, network.maxpool)
    stages = torch.nn.Sequential(*stem, *(getattr(network, layer) for layer in layers))
    stages = stages.eval().requires_grad_(False).to(place, number)
    card = Card(
        name="resnet18" if through == "layer4" else f"resnet18:{through}",
        tag=tag if checkpoint is None else "local",
        weights=weights_digest(used),
        output="tokens" if tokens else "pooled",
        normalisation="none",
        dtype=dtype,
        preprocessing=preprocessing,
        note=note_of(checkpoint),
    )
    for weight in stages.parameters():
        if weight.ndim == 4:  # a third faster on a CPU with the input in the same order
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return ResNet18(card, stages, place)


def _optional(name: str) -> bool:
    return name.endswith(_BATCH_COUNT)


def _published(tag: str) -> Mapping[str, Any]:
    weights = library("torchvision.models").ResNet18_Weights[tag]
    state: Mapping[str, Any] = weights.get_state_dict(
        progress=False, check_hash=True, weights_only=True
    )
    return state
