"""Build the shipped features from arrays of encoder outputs and the official splits.

    python -m validation.data.build --source DIR --out FILE

DIR holds ``features/`` with ``image_ids.txt`` (sorted file names, the rows of the arrays),
``mobilenetv2_1280.npy``, ``resnet18_layer3_256.npy`` and ``minilm_384.npy``, and
``flickr8k/captions/`` with ``Flickr_8k.{train,dev,test}Images.txt``. The same source gives the
same bytes on one machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.console import OneLineCommand, application
from fusiontheory.data import FeatureSet
from fusiontheory.typing import Array

__all__ = [
    "ALIGN_IMAGES",
    "DIMENSION",
    "SPLIT_SEED",
    "app",
    "encoder_features",
    "lines",
    "principal_scores",
    "stored_array",
]

NAME = "flickr8k-mobilenetv2-resnet18-minilm"
DIMENSION = 512
ALIGN_IMAGES = 3000
SPLIT_SEED = 0

_BACKBONES = ("mobilenetv2_1280.npy", "resnet18_layer3_256.npy")
_CAPTIONS = "minilm_384.npy"

app = application("Build the shipped feature file.")


@app.command(cls=OneLineCommand)
def build(
    source: Annotated[Path, typer.Option(help="Folder with features/ and flickr8k/captions/.")],
    out: Annotated[Path, typer.Option(help="File to write, .safetensors.")],
) -> None:
    """Write the features of all images and captions, int8, with integer ids and splits."""
    features = encoder_features(source)
    features.save(out, int8=True)
    typer.echo(f"{out}: {len(features)} images, {out.stat().st_size / 2**20:.2f} MiB")


def encoder_features(
    source: Path, dimension: int = DIMENSION, align_images: int = ALIGN_IMAGES
) -> FeatureSet:
    """Return the features before quantisation.

    Image: `principal_scores` of all backbones side by side, fitted on the align images. Text: the
    sentence embeddings of the captions as they are. Ids: the positions in ``image_ids.txt``.

    Args:
        source: folder as described in the module.
        dimension: of the image vectors.
        align_images: how many of the official training images are for alignment.

    Raises:
        InputError: if a file is missing or does not fit the others.

    Example:
        ``encoder_features(Path("source")).image.shape`` is (8091, 512).
    """
    names, image, split = _backbones(source, align_images)
    return FeatureSet(
        principal_scores(image, split == "align", dimension).astype(np.float32),
        stored_array(source / "features" / _CAPTIONS, len(names)).astype(np.float32),
        split=split,
        name=NAME,
    )


def variance_kept(source: Path, dimension: int = DIMENSION) -> float:
    """Return the share of the variance of the align images that the principal components hold.

    Args:
        source: folder as described in the module.
        dimension: number of components.

    Raises:
        InputError: as `encoder_features` does.
    """
    _, image, split = _backbones(source, ALIGN_IMAGES)
    align = image[split == "align"]
    scores = principal_scores(image, split == "align", dimension)[split == "align"]
    return float(scores.var(axis=0).sum() / np.count_nonzero(align.std(axis=0)))


def _backbones(source: Path, align_images: int) -> tuple[list[str], Array, NDArray[np.str_]]:
    """Return the names of the images, the vectors of all backbones side by side, and the splits."""
    names = lines(source / "features" / "image_ids.txt")
    if names != sorted(set(names)):
        raise InputError("image_ids.txt must hold distinct names in sorted order, it does not")
    split = _splits(source / "flickr8k" / "captions", names, align_images)
    parts = [stored_array(source / "features" / name, len(names)) for name in _BACKBONES]
    return names, np.concatenate(parts, axis=1), split


def principal_scores(x: Array, fitted: NDArray[np.bool_], dimension: int) -> Array:
    """Return U^T (x - mean)/std, the first principal components of the standardised columns.

    Mean, std and U come from the ``fitted`` rows only. A column that is constant over them is
    divided by 1; the largest entry of each component is positive, so that signs are fixed.

    Args:
        x: (n, columns).
        fitted: (n,) which rows to fit on.
        dimension: at most the number of columns.

    Raises:
        InputError: if the dimension is not from 1 to the number of columns.

    >>> x = np.array([[1.0, 2.0], [3.0, 6.0], [2.0, 4.0], [5.0, 0.0]])
    >>> principal_scores(x, np.array([True, True, True, False]), 1).round(3).ravel().tolist()
    [-1.732, 1.732, 0.0, 0.866]
    """
    if positive_integer("dimension", dimension) > x.shape[1]:
        raise InputError(f"dimension must be at most {x.shape[1]} columns, got {dimension}")
    std = x[fitted].std(axis=0)
    z = (x - x[fitted].mean(axis=0)) / np.where(std > 0, std, 1)
    _, vectors = np.linalg.eigh(z[fitted].T @ z[fitted])
    components = vectors[:, ::-1][:, :dimension]
    largest = np.abs(components).argmax(axis=0)
    signs = np.sign(components[largest, np.arange(dimension)])
    return np.asarray(z @ (components * signs))


def _splits(folder: Path, names: list[str], align_images: int) -> NDArray[np.str_]:
    """Return the split of each image; official training images in none of three lists train."""
    position = {name: i for i, name in enumerate(names)}
    official: dict[str, list[int]] = {}
    for part in ("train", "dev", "test"):
        listed = lines(folder / f"Flickr_8k.{part}Images.txt")
        unknown = [name for name in listed if name not in position]
        if unknown:
            raise InputError(f"Flickr_8k.{part}Images.txt must list known images, got {unknown[0]}")
        official[part] = sorted(position[name] for name in listed)
    rows = [row for part in official.values() for row in part]
    if len(set(rows)) != len(rows):
        raise InputError("the official splits must be disjoint lists without repeats, they overlap")
    training = np.array(official["train"])
    if align_images > len(training):
        raise InputError(
            f"align_images must be at most {len(training)} training images, got {align_images}"
        )
    # The words of a SeedSequence are the same in every NumPy; Generator.permutation may change.
    order = np.argsort(
        np.random.SeedSequence(SPLIT_SEED).generate_state(len(training), np.uint64), kind="stable"
    )
    split = np.full(len(names), "train")
    split[training[order[:align_images]]] = "align"
    split[official["dev"]], split[official["test"]] = "dev", "test"
    return split


def stored_array(path: Path, rows: int) -> Array:
    """Return an array of a file in double precision, of so many rows.

    Raises:
        InputError: if it cannot be read, or has another number of rows.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"source must hold a readable {path.name}: {error}") from error
    if len(array) != rows:
        raise InputError(f"{path.name} must have {rows} rows as image_ids.txt, got {array.shape}")
    return np.asarray(array, dtype=np.float64)


def lines(path: Path) -> list[str]:
    """Return the words of a text file, one a line.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").split()
    except OSError as error:
        raise InputError(f"source must hold {path.name}: {error.strerror}") from error


if __name__ == "__main__":
    app()
