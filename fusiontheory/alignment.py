"""How well image and caption vectors agree: retrieval recall and matched cosines.

Everything is exact over all pairs, in chunks, so that memory grows with n and not with n^2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError, finite_array, positive_integer
from fusiontheory.features import normalise

__all__ = ["matched_cosine", "retrieval_recall"]

_CHUNK = 256  # images at a time
# Equal vectors can differ by rounding in their cosines, and must count as ties.
_TIE = 1e-12

_Array = NDArray[np.float64]


def retrieval_recall(
    image: ArrayLike, text: ArrayLike, ks: Sequence[int] = (1, 5, 10)
) -> dict[str, float]:
    """Return recall@k of retrieval by cosine, from text to image and from image to text.

    text_to_image@k: the share of captions whose image is among the k images of largest cosine.
    image_to_text@k: the share of images of which a caption is among the k captions of largest
    cosine. A tie counts against: all equal vectors give 0.

    Args:
        image: (n, d) with n >= 2.
        text: (n, captions, d) or (n, d), row by row the captions of the images.
        ks: integers of at least 1.

    Raises:
        InputError: if the arrays do not fit each other, hold a zero vector, or a k is below 1.

    Source: Hodosh, Young & Hockenmaier, J. Artif. Intell. Res. 47 (2013), recall on Flickr8k.

    >>> retrieval_recall(np.eye(3), np.eye(3)[[0, 2, 1]], ks=(1,))
    {'text_to_image@1': 0.3333333333333333, 'image_to_text@1': 0.3333333333333333}
    """
    images, captions = _unit_vectors(image, text)
    sizes = [positive_integer("ks", k) for k in ks]
    n, per_image, _ = captions.shape
    # Ranks of the image of each caption, summed up over chunks of images; 0 is the first.
    own = np.einsum("nd,ncd->nc", images, captions)
    caption_ranks = np.full((n, per_image), -1)  # its own image counts itself once
    image_ranks = np.empty(n)
    for rows, cosines in _chunks(images, captions):
        caption_ranks += (cosines >= own - _TIE).sum(axis=0)
        at_least = cosines >= own[rows].max(axis=1)[:, None, None] - _TIE
        at_least[np.arange(len(rows)), rows] = False  # its own captions do not compete
        image_ranks[rows] = at_least.sum(axis=(1, 2))
    return {f"text_to_image@{k}": float((caption_ranks < k).mean()) for k in sizes} | {
        f"image_to_text@{k}": float((image_ranks < k).mean()) for k in sizes
    }


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
    images, captions = _unit_vectors(image, text)
    n = len(images)
    own = np.sort(np.einsum("nd,ncd->nc", images, captions).ravel())
    total, above = 0.0, 0.0
    for rows, cosines in _chunks(images, captions):
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


def _unit_vectors(image: ArrayLike, text: ArrayLike) -> tuple[_Array, _Array]:
    """Return images (n, d) and captions (n, captions, d) at unit norm."""
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


def _chunks(images: _Array, captions: _Array) -> Iterator[tuple[NDArray[np.int64], _Array]]:
    """Yield rows of images and their cosines (rows, n, captions) with all captions."""
    flat = captions.reshape(-1, captions.shape[-1]).T
    for start in range(0, len(images), _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, len(images)))
        yield rows, (images[rows] @ flat).reshape(len(rows), *captions.shape[:2])
