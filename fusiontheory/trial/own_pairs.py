"""Pairs of a trial: training and test pairs of the images at hand, none of which share an item."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from fusiontheory.data import Pairs
from fusiontheory.typing import Integers

__all__ = ["FOLDS", "folds", "unshared_pairs"]


FOLDS = 5
"""Parts of the images; each is tested on by heads that were trained on the others."""


def folds(images: int, rng: Generator) -> Iterator[tuple[Integers, Integers]]:
    """Yield the rows to train on and the rows to test on, each row once in a test.

    Example:
        >>> [len(test) for _, test in folds(12, np.random.default_rng(0))]
        [3, 3, 2, 2, 2]
    """
    order = rng.permutation(images)
    for fold in range(FOLDS):
        test = np.zeros(images, dtype=np.bool_)
        test[order[fold::FOLDS]] = True
        yield np.flatnonzero(~test), np.flatnonzero(test)


def unshared_pairs(rows: Integers, captions: int, n: int, rng: Generator) -> Pairs:
    """Return n pairs, alternately matched and mismatched, that share no image and no text.

    Half of the rows are in matched pairs. Of the other half each image has the text of another
    row of that half, so that an image and its own text are in two pairs, which then have neither
    the image nor the text in common.

    Args:
        rows: to draw from, at least n and at least 4.
        captions: texts of each image, of which a pair takes any.
        n: even, at least 4.
        rng: source of randomness.

    Example:
        >>> pairs = unshared_pairs(np.arange(8), 1, 8, np.random.default_rng(0))
        >>> sorted(pairs.image.tolist()) == sorted(pairs.text.tolist()) == list(range(8))
        True
        >>> (pairs.image == pairs.text).tolist() == (pairs.label > 0).tolist()
        True
    """
    half = n // 2
    drawn = rng.permutation(rows)[: 2 * half]
    matched, others = drawn[:half], drawn[half:]
    texts = np.roll(others, int(rng.integers(1, half)))
    return Pairs(
        image=np.stack([matched, others], axis=1).ravel(),
        text=np.stack([matched, texts], axis=1).ravel(),
        caption=rng.integers(0, captions, 2 * half),
        label=np.tile([1.0, -1.0], half),
    )
