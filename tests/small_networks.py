"""A CLIP and a ResNet18 with random weights in files, and images to put through them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from validation.backbones import library

for _library in ("open_clip", "torchvision"):
    if importlib.util.find_spec(_library) is None:
        raise ModuleNotFoundError(_library)  # tests that import this are skipped then

CAPTIONS = (
    "A dog runs .",
    "Two children play with a red ball in the park , and both of them smile at the camera .",
    "A man in a blue jacket stands on a hill .",
)

_CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}


def small_clip(folder: Path) -> Path:
    """Make the architectures small and small-quickgelu known, and return weights of theirs."""
    open_clip = library("open_clip")
    for name, quick in (("small", False), ("small-quickgelu", True)):
        (folder / f"{name}.json").write_text(json.dumps({**_CONFIG, "quick_gelu": quick}))
        open_clip.add_model_config(folder / f"{name}.json")
    torch.manual_seed(0)
    model = open_clip.create_model("small", load_weights=False)
    # As they start out, the layers after an activation hardly count.
    state = {k: 20 * w if "c_proj.weight" in k else w for k, w in model.state_dict().items()}
    save_file(
        {name: weight.contiguous() for name, weight in state.items()}, folder / "clip.safetensors"
    )
    return folder / "clip.safetensors"


def small_resnet(folder: Path) -> Path:
    """Return a checkpoint of ResNet18 with random weights."""
    torch.manual_seed(0)
    network = library("torchvision.models").resnet18()
    torch.save(network.state_dict(), folder / "resnet18.pt")
    return folder / "resnet18.pt"


def picture(seed: int, shape: tuple[int, int] = (40, 60)) -> Image.Image:
    """Return an image of a few coloured patches, smooth as a photograph is."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (4, 6, 3), dtype=np.uint8))
    return coarse.resize(shape[::-1], Image.Resampling.BICUBIC)


def pictures(folder: Path, count: int) -> list[tuple[str, Path]]:
    """Write images and return ids and paths."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for i in range(count):
        path = folder / f"{i:03d}.png"
        picture(i).save(path)
        listed.append((path.name, path))
    return listed
