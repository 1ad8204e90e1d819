"""Cosines of matched pairs, and how well they tell these from mismatched ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.alignment.measurement import Measurement
from fusiontheory.alignment.vectors import cosine_chunks, unit_vectors
from fusiontheory.constraints import checked
from fusiontheory.typing import Array, Integers

__all__ = ["matched_cosine", "measure_cosine"]


# Of [-1, 1], for nulls and influences; cosines in one bin count as equal.
_BINS = 1 << 16


@checked
def matched_cosine(image: ArrayLike, text: ArrayLike) -> dict[str, float]:
    """Return the mean cosine of matched and of mismatched pairs, and how well it tells them.

    The AUC is P(matched > mismatched) + P(equal) / 2 over all n captions matched and
    n (n - 1) captions mismatched pairs.

    Args:
        image: (n, d) with n >= 2.
        text: (n, captions, d) or (n, d), row by row the captions of the images.

    Returns:
        ``matched``, ``mismatched`` and ``auc``.

    Raises:
        InputError: if the arrays do not fit each other, or hold a zero vector.

    >>> matched_cosine(np.eye(2), np.eye(2))
    {'matched': 1.0, 'mismatched': 0.0, 'auc': 1.0}
    """
    images, captions = unit_vectors(image, text)
    n = len(images)
    own = np.sort(np.einsum("nd,ncd->nc", images, captions).ravel())
    total, above = 0.0, 0.0
    for rows, cosines in cosine_chunks(images, captions):
        others = np.ones(cosines.shape[:2], dtype=bool)
        others[np.arange(len(rows)), rows] = False
        mismatched = cosines[others].ravel()
        total += float(mismatched.sum())
        # Pairs with a larger own cosine count 1 and equal ones 1/2: the mean of both counts.
        below = np.searchsorted(own, mismatched, "left") + np.searchsorted(own, mismatched, "right")
        above += float((own.size - below / 2).sum())
    pairs = own.size * (n - 1)
    return {
        "matched": float(own.mean()),
        "mismatched": total / pairs,
        "auc": above / pairs / own.size,
    }


def measure_cosine(image: ArrayLike, text: ArrayLike) -> Measurement:
    """Return the matched cosine and its AUC with influences; arguments as in `matched_cosine`.

    An image moves the AUC by its own matched cosines, and by the mismatched ones of its vector
    and of its captions. All cosines are counted once in bins; the AUC of any other pairing
    follows from the ranks of its matched cosines among them.

    Example:
        >>> measure_cosine(np.eye(2), np.eye(2)).value.tolist()
        [1.0, 1.0]
    """
    images, captions = unit_vectors(image, text)
    n = len(images)
    exact = matched_cosine(images, captions)
    own = np.einsum("nd,ncd->nc", images, captions)
    histogram = np.zeros(_BINS)
    for _, cosines in cosine_chunks(images, captions):
        histogram += _histogram(cosines)
    own_histogram = _histogram(own)
    pairs = own.size * (n - 1)
    below = _ranks(histogram - own_histogram) / pairs
    above = 1 - _ranks(own_histogram) / own.size
    by_image, by_caption = _mean_of_others(images, captions, above)
    influence = below[_bins(own)].mean(axis=1) + by_image + by_caption
    ranks = _ranks(histogram)

    def null(rng: np.random.Generator) -> Array:
        shuffled = np.einsum("nd,ncd->nc", images, captions[rng.permutation(n)])
        # Among themselves, matched cosines are above each other half of the time.
        wins = float(ranks[_bins(shuffled)].sum()) - own.size**2 / 2
        return np.array([shuffled.mean(), wins / pairs / own.size])

    return Measurement(
        metrics=("matched_cosine", "cosine_auc"),
        value=np.array([exact["matched"], exact["auc"]]),
        influence=np.stack([own.mean(axis=1), influence], axis=1),
        null=null,
        scale=lambda values: np.clip(values, [-1.0, 0.0], 1.0),
    )


def _bins(cosines: Array) -> Integers:
    return np.clip(((cosines + 1) * (_BINS / 2)).astype(np.int64), 0, _BINS - 1)


def _histogram(cosines: Array) -> Array:
    return np.bincount(_bins(cosines).ravel(), minlength=_BINS).astype(np.float64)


def _ranks(histogram: Array) -> Array:
    """Return for each bin how many are below it, those in it counted half."""
    ranks: Array = np.cumsum(histogram, dtype=np.float64) - histogram / 2
    return ranks


def _mean_of_others(images: Array, captions: Array, table: Array) -> tuple[Array, Array]:
    """Return the mean of ``table`` over mismatched pairs, by image and by owner of the caption."""
    n = len(images)
    by_image, by_caption = np.empty(n), np.zeros(n)
    for rows, cosines in cosine_chunks(images, captions):
        looked_up = table[_bins(cosines)].mean(axis=2)
        looked_up[np.arange(len(rows)), rows] = 0.0
        by_image[rows] = looked_up.sum(axis=1)
        by_caption += looked_up.sum(axis=0)
    return by_image / (n - 1), by_caption / (n - 1)
