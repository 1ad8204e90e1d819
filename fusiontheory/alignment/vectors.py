"""Checked pairs of image and caption vectors, and all their cosines in chunks.

Chunks keep memory growing with n and not with n^2.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, finite_array
from fusiontheory.data import normalise
from fusiontheory.typing import Array, Integers

__all__ = ["TIE", "cosine_chunks", "matched_features", "row_chunks", "unit_vectors"]

# Equal vectors can differ by rounding in their cosines, and must count as ties.
TIE = 1e-12
_CHUNK = 256  # images at a time


def matched_features(image: ArrayLike, text: ArrayLike, minimum: int = 2) -> tuple[Array, Array]:
    """Return images (n, d_v) and their captions (n, captions, d_t) as float64.

    Args:
        image: (n, d_v) with n >= ``minimum``.
        text: (n, captions, d_t) or (n, d_t), row by row the captions of the images.
        minimum: fewest images that the caller can work with.

    Raises:
        InputError: if an array is not numeric or finite, of another dimension, if their lengths
            differ, or there are too few images.

    Example:
        >>> images, captions = matched_features(np.eye(3), np.ones((3, 2)))
        >>> images.shape, captions.shape
        ((3, 3), (3, 1, 2))
    """
    images, captions = finite_array("image", image, 2), finite_array("text", text, (2, 3))
    if captions.ndim == 2:
        captions = captions[:, None]
    if len(images) < minimum:
        raise InputError(f"image must have at least {minimum} rows, got {len(images)}")
    if len(captions) != len(images):
        raise InputError(
            f"text must have one row for each of the {len(images)} images,"
            f" got shape {np.shape(text)}"
        )
    return images, captions


def unit_vectors(image: ArrayLike, text: ArrayLike) -> tuple[Array, Array]:
    """Return images (n, d) and captions (n, captions, d) of one space at unit norm.

    Args:
        image: (n, d) with n >= 2.
        text: (n, captions, d) or (n, d), row by row the captions of the images.

    Raises:
        InputError: if the arrays do not fit each other, or hold a zero vector.

    Example:
        >>> unit_vectors(2 * np.eye(2), np.eye(2))[0].tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    images, captions = finite_array("image", image, 2), finite_array("text", text, (2, 3))
    if captions.ndim == 2:
        captions = captions[:, None]
    if len(images) < 2:
        raise InputError(f"image must have at least 2 rows, got {len(images)}")
    if (len(captions), captions.shape[-1]) != images.shape:
        raise InputError(
            f"text must have one row for each image and as many columns, {images.shape},"
            f" got shape {np.shape(text)}"
        )
    return normalise(images, "image"), normalise(captions, "text")


def row_chunks(n: int) -> Iterator[Integers]:
    """Yield the rows 0 to n - 1, a few hundred at a time.

    Example:
        >>> [rows.size for rows in row_chunks(300)]
        [256, 44]
    """
    for start in range(0, n, _CHUNK):
        yield np.arange(start, min(start + _CHUNK, n))


def cosine_chunks(images: Array, captions: Array) -> Iterator[tuple[Integers, Array]]:
    """Yield rows of images and their cosines (rows, n, captions) with all captions.

    Args:
        images: (n, d) at unit norm.
        captions: (n, captions, d) at unit norm.

    Example:
        >>> [cosines.shape for _, cosines in cosine_chunks(*unit_vectors(np.eye(3), np.eye(3)))]
        [(3, 3, 1)]
    """
    flat = captions.reshape(-1, captions.shape[-1]).T
    for rows in row_chunks(len(images)):
        yield rows, (images[rows] @ flat).reshape(len(rows), *captions.shape[:2])
