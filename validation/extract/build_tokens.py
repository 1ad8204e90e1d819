"""Build the shipped tokens: grids of ResNet18 of the official test images, and their captions.

    python -m validation.extract.build_tokens --source DIR --out FILE

DIR holds ``flickr8k/images/``, ``resnet18_to_layer3/weights_bn_folded.npz``,
``features/image_ids.txt`` (sorted file names) and ``features/minilm_384.npy`` (captions of these,
row by row). Needs torch and torchvision.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from fusiontheory.checks import InputError
from fusiontheory.console import OneLineCommand, application
from fusiontheory.data import TokenSet
from fusiontheory.typing import Array, Single
from validation.data import SPLIT_SEED, lines, principal_scores, stored_array

__all__ = ["CELLS", "DIMENSION", "app", "coarser", "split_of"]

NAME = "flickr8k-test-resnet18-layer3-grid-minilm"
DIMENSION = 64
CELLS = 7
"""Cells of the grid along each side; layer 3 of a 224 x 224 image has 14."""

_SPLIT = {"align": 100, "train": 640, "dev": 60, "test": 200}

app = application("Build the shipped token file.")


@app.command(cls=OneLineCommand)
def build(
    source: Annotated[Path, typer.Option(help="Folder with images, weights and captions.")],
    out: Annotated[Path, typer.Option(help="File to write, .safetensors.")],
) -> None:
    """Write tokens and captions of the official test images, int8, with ids and splits."""
    known = lines(source / "features" / "image_ids.txt")
    grids, names = _grids(source)
    position = {name: i for i, name in enumerate(known)}
    ids = np.array([position[name] for name in names])
    split = split_of(len(names))
    tokens = coarser(grids)
    flat = principal_scores(
        tokens.reshape(-1, tokens.shape[-1]),
        np.repeat(split == "align", tokens.shape[1]),
        DIMENSION,
    )
    captions = stored_array(source / "features" / "minilm_384.npy", len(known))
    image = flat.reshape(*tokens.shape[:2], DIMENSION).astype(np.float32)
    found = TokenSet(image, captions[ids].astype(np.float32), ids, split, name=NAME)
    found.save(out)
    typer.echo(f"{out}: {len(found)} images, {out.stat().st_size / 2**20:.2f} MiB")


def coarser(grids: Single) -> Array:
    """Return (n, `CELLS`^2, channels), each cell the mean over a square of those of a finer grid.

    Args:
        grids: (n, cells, channels), row by row of a square whose side `CELLS` divides.

    Raises:
        InputError: for a grid that is not such a square.

    >>> coarser(np.ones((1, 196, 2), dtype=np.float32)).shape
    (1, 49, 2)
    """
    n, cells, channels = grids.shape
    side = round(cells**0.5)
    if side**2 != cells or side % CELLS:
        raise InputError(f"grids must be squares with sides of {CELLS} k cells, got {cells} cells")
    step = side // CELLS
    blocks = grids.astype(np.float64).reshape(n, CELLS, step, CELLS, step, channels)
    return np.asarray(blocks.mean(axis=(2, 4)).reshape(n, CELLS**2, channels))


def split_of(images: int) -> NDArray[np.str_]:
    """Return the split of each of so many images, in shares of 10, 64, 6 and 20 per cent.

    >>> [int((split_of(1000) == name).sum()) for name in ("align", "train", "dev", "test")]
    [100, 640, 60, 200]
    """
    words = np.random.SeedSequence(SPLIT_SEED).generate_state(images, np.uint64)
    place = np.argsort(np.argsort(words, kind="stable"), kind="stable")
    ends = np.cumsum([count * images / 1000 for count in _SPLIT.values()])
    return np.array(list(_SPLIT))[np.searchsorted(ends, place, side="right")]


def _grids(source: Path) -> tuple[Single, list[str]]:
    """Return layer 3 of ResNet18 of all images, by the extraction of this project, and names."""
    import torch
    from rich.progress import Progress

    from validation.backbones import (
        IMAGENET_MEAN,
        IMAGENET_STD,
        Preprocessing,
        load_resnet18,
        unfolded,
    )
    from validation.extract import Settings, extract_images, read_shard

    paths = sorted((source / "flickr8k" / "images").glob("*.jpg"))
    if not paths:
        raise InputError(f"source must hold flickr8k/images/*.jpg, got {source} without")
    with tempfile.TemporaryDirectory() as folder, Progress(disable=True) as progress:
        checkpoint = Path(folder) / "layer3.pt"
        torch.save(unfolded(source / "resnet18_to_layer3" / "weights_bn_folded.npz"), checkpoint)
        backbone = load_resnet18(
            checkpoint=checkpoint,
            tokens=True,
            through="layer3",
            preprocessing=Preprocessing(
                interpolation="bilinear", mean=IMAGENET_MEAN, std=IMAGENET_STD
            ),
        )
        images = [(path.name, path) for path in paths]
        files = extract_images(
            images, backbone, Path(folder), Settings(workers=0, strict=True), progress
        )
        shards = [read_shard(files[number]) for number in sorted(files)]
    return np.concatenate([s.features for s in shards]), [name for s in shards for name in s.ids]


if __name__ == "__main__":
    app()
