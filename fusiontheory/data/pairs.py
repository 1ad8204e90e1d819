"""The matching task: pairs of an image and a text, half of them matched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.typing import Array, Integers

__all__ = ["Pairs", "check_disjoint", "draw_pairs", "most_pairs"]


@checked
@dataclass(frozen=True, eq=False)
class Pairs:
    """Labelled pairs as row numbers of a feature set; matched and mismatched alternate.

    Attributes:
        image: row of the image, shape (n,).
        text: row of the image that the text belongs to, shape (n,).
        caption: which of that image's texts, shape (n,).
        label: +1.0 matched (``image == text``) or -1.0 mismatched, shape (n,).
    """

    image: Integers
    text: Integers
    caption: Integers
    label: Array

    def __len__(self) -> int:
        """Return the number of pairs."""
        return self.label.size


@checked
def most_pairs(images: int, captions: int) -> int:
    """Return the largest n of ``draw_pairs``: every text once matched, as many mismatched.

    Example:
        >>> most_pairs(images=100, captions=5)
        1000
    """
    return 2 * images * captions


@checked
def draw_pairs(rows: ArrayLike, captions: int, n: int, seed: SeedSequence) -> Pairs:
    """Draw n pairs, alternately matched and mismatched, from the images in ``rows``.

    Texts are drawn without replacement while they last; after that each text of a matched pair
    comes a second time, in a mismatched one, and the other way round. The image of a mismatched
    pair is drawn from all images but the text's own. The first n pairs of a longer draw with the
    same seed are the draw of n.

    Args:
        rows: rows of the images to draw from, distinct, at least 2.
        captions: texts per image, at least 1.
        n: number of pairs, even, at most ``most_pairs``.
        seed: a SeedSequence; the same one gives the same pairs.

    Raises:
        InputError: for fewer than 2 rows, repeated rows, an odd n, or an n beyond what the texts
            allow.

    Example:
        >>> pairs = draw_pairs([3, 5, 8], captions=2, n=6, seed=SeedSequence(0))
        >>> pairs.label
        array([ 1., -1.,  1., -1.,  1., -1.])
    """
    images = _checked_rows(rows)
    per_image = positive_integer("captions", captions)
    total = positive_integer("n", n, minimum=2)
    if total % 2:
        raise InputError(f"n must be even, half matched and half mismatched, got {total}")
    most = most_pairs(images.size, per_image)
    if total > most:
        raise InputError(
            f"n must be at most {most}, twice the {images.size} images x {per_image} texts,"
            f" got {total}"
        )
    rng = np.random.default_rng(seed)
    half = total // 2
    order = rng.permutation(images.size * per_image)
    matched = np.concatenate([order[0::2], order[1::2]])[:half]
    mismatched = np.concatenate([order[1::2], order[0::2]])[:half]
    # A shift by 1 .. images - 1 never returns to the text's own image.
    shift = rng.integers(1, images.size, size=half)
    other = (mismatched // per_image + shift) % images.size

    def alternate(first: Integers, second: Integers) -> Integers:
        return np.stack([first, second], axis=1).ravel()

    return Pairs(
        image=images[alternate(matched // per_image, other)],
        text=images[alternate(matched // per_image, mismatched // per_image)],
        caption=alternate(matched % per_image, mismatched % per_image),
        label=np.tile([1.0, -1.0], half),
    )


@checked
def check_disjoint(**pools: ArrayLike) -> None:
    """Refuse pools of rows, such as training and test images, that share a row.

    Raises:
        InputError: naming two pools and a row that is in both.

    Example:
        >>> check_disjoint(train=[0, 1], test=[1, 2])
        Traceback (most recent call last):
        fusiontheory.checks.InputError: train and test must not share images, both have row 1
    """
    owner: dict[int, str] = {}
    for name, rows in pools.items():
        for row in _checked_rows(rows):
            other = owner.setdefault(int(row), name)
            if other != name:
                raise InputError(f"{other} and {name} must not share images, both have row {row}")


def _checked_rows(rows: ArrayLike) -> Integers:
    images = np.asarray(rows)
    if images.ndim != 1 or not np.issubdtype(images.dtype, np.integer):
        raise InputError(
            f"rows must be a list of integers, got shape {images.shape} of {images.dtype}"
        )
    if images.size < 2:
        raise InputError(f"rows must have at least 2 images, got {images.size}")
    if np.unique(images).size != images.size:
        raise InputError(
            f"rows must be distinct, got {images.size - np.unique(images).size} repetitions"
        )
    return images.astype(np.int64)
