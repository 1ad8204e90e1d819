"""Extract features of images in two decoding workers; a script of its own for `rounds`.

``python extraction.py FOLDER``: images are read from, and the features written into, the folder.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from rich.progress import Progress

from validation.backbones import Card, Preprocessing
from validation.corpus import Corpus
from validation.extract import Settings, extract, merge

IMAGES = 96
_CARD = Card("stub", "local", "0" * 64, "pooled", "none", "float32", Preprocessing(size=8), 77)


@dataclass
class MeanColours:
    """A backbone without weights: mean colours of an image, counts of letters of a caption."""

    card: Card = _CARD
    device: torch.device = torch.device("cpu")  # noqa: RUF009  it cannot be changed

    def encode_images(self, x: Any) -> NDArray[np.float32]:
        """Return the means of (n, 3, 8, 8) pixels."""
        return np.asarray(x.flatten(2).mean(2).numpy())

    def encode_texts(self, texts: list[str], batch: int) -> NDArray[np.float32]:
        """Return counts."""
        return np.array([[len(t), t.count("0"), t.count("1")] for t in texts], dtype=np.float32)


def draw_images(folder: Path) -> None:
    """Write the images, which take a while to decode."""
    pixels = np.random.default_rng(0).integers(0, 255, (700, 700, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "whole.png", compress_level=1)
    for k in range(IMAGES):
        (folder / f"{k:03d}.png").hardlink_to(folder / "whole.png")


def main(folder: Path) -> None:
    """Extract into `features.safetensors`."""
    names = tuple(f"{k:03d}.png" for k in range(IMAGES))
    captions = tuple((f"picture {k}",) for k in range(IMAGES))
    corpus = Corpus(names, names, captions, ("train",) * IMAGES, folder, "pictures")
    settings = Settings(batch=4, shard=32, workers=2)
    with Progress(disable=True) as progress:
        backbone = MeanColours()
        listed = extract(corpus, backbone, backbone, folder / "cache", progress, settings)
    merge([listed], folder / "features.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
