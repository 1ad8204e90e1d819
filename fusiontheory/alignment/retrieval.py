"""Recall of retrieval by cosine, from captions to images and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from fusiontheory.alignment.measurement import Measurement
from fusiontheory.alignment.vectors import TIE, cosine_chunks, row_chunks, unit_vectors
from fusiontheory.checks import positive_integer
from fusiontheory.constraints import checked
from fusiontheory.typing import Array, Integers

__all__ = ["measure_recall", "retrieval_recall"]


@checked
def retrieval_recall(
    image: ArrayLike, text: ArrayLike, ks: Sequence[int] = (1, 5, 10)
) -> dict[str, float]:
    """Return recall@k of retrieval by cosine, from text to image and from image to text.

    text_to_image@k: the share of captions whose image is among the k images of largest cosine.
    image_to_text@k: the share of images of which a caption is among the k captions of largest
    cosine. Of ties, each order counts alike: all equal vectors give chance.

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
    images, captions = unit_vectors(image, text)
    sizes = [positive_integer("ks", k) for k in ks]
    n, per_image, _ = captions.shape
    own = np.einsum("nd,ncd->nc", images, captions)
    best = own.max(axis=1)
    caption_ahead, image_ahead = np.zeros((n, per_image)), np.zeros(n)
    caption_tied = np.full((n, per_image), -1.0)  # its own image ties with itself
    image_tied = np.zeros(n)
    for rows, cosines in cosine_chunks(images, captions):
        ahead = cosines > own + TIE
        caption_ahead += ahead.sum(axis=0)
        caption_tied += (cosines >= own - TIE).sum(axis=0) - ahead.sum(axis=0)
        limit = best[rows][:, None, None]
        cosines[np.arange(len(rows)), rows] = -np.inf  # its own captions do not compete
        image_ahead[rows] = (cosines > limit + TIE).sum(axis=(1, 2))
        image_tied[rows] = (cosines >= limit - TIE).sum(axis=(1, 2)) - image_ahead[rows]
    own_best = (own >= best[:, None] - TIE).sum(axis=1).astype(np.float64)
    recall = {f"text_to_image@{k}": _hits(k, caption_ahead, caption_tied, 1.0) for k in sizes}
    recall |= {f"image_to_text@{k}": _hits(k, image_ahead, image_tied, own_best) for k in sizes}
    return {name: float(hits.mean()) for name, hits in recall.items()}


def _hits(k: int, ahead: Array, tied: Array, own: Array | float) -> Array:
    """Return the probability that one of ``own`` equal entries is among the first k.

    ``ahead`` others are before them for sure and ``tied`` others equal them, in random order:
    1 - C(tied, m)/C(tied + own, m) with m = k - ahead places left.
    """
    places = np.clip(k - ahead, 0, tied + own)
    left = np.maximum(tied - places, 0)
    none = gammaln(tied + 1) - gammaln(left + 1)
    none += gammaln(tied + own - places + 1) - gammaln(tied + own + 1)
    hits: Array = np.where(places > tied, 1.0, np.where(places == 0, 0.0, 1 - np.exp(none)))
    return hits


@checked
def measure_recall(
    image: ArrayLike, text: ArrayLike, ks: Sequence[int] = (1, 5, 10)
) -> Measurement:
    """Return `retrieval_recall` with influences; arguments are the same.

    An image's influence is its own recall, with the gallery held: what it takes from others as
    their competitor is left out. In simulations intervals were up to a fifth too wide for it.
    Ties are in one random order, where `retrieval_recall` has the mean over all orders.
    Who is among the first max(ks) of whom is listed once; a pairing's recall counts its matches
    in that list.

    Example:
        >>> measure_recall(np.eye(3), np.eye(3), ks=(1,)).value.tolist()
        [1.0, 1.0]
    """
    images, captions = unit_vectors(image, text)
    sizes = np.array([positive_integer("ks", k) for k in ks])
    n, count, d = captions.shape
    flat = captions.reshape(n * count, d)
    most = int(sizes.max())
    caption, found_image, caption_rank = _first(flat, images, most, 1)
    searcher, owner, image_rank = _first(images, flat, most, count)

    def hits(order: Integers) -> tuple[Array, Array]:
        """Recall by image, (n, k) each, when image i has the captions of image order[i]."""
        place = np.empty(n, dtype=np.int64)
        place[order] = np.arange(n)
        matched = place[caption // count] == found_image
        of_text = _tally(found_image[matched], caption_rank[matched], sizes, n) / count
        matched = order[searcher] == owner
        return of_text, _tally(searcher[matched], image_rank[matched], sizes, n)

    influence = np.concatenate(hits(np.arange(n)), axis=1)
    return Measurement(
        metrics=[f"{way}@{k}" for way in ("text_to_image", "image_to_text") for k in sizes],
        value=influence.mean(axis=0),
        influence=influence,
        null=lambda rng: np.concatenate(hits(rng.permutation(n)), axis=1).mean(axis=0),
        scale=lambda share: np.clip(share, 0.0, 1.0),
    )


def _tally(image: Integers, rank: Integers, sizes: Integers, n: int) -> Array:
    counts = [np.bincount(image[rank < k], minlength=n) for k in sizes]
    tallied: Array = np.stack(counts, axis=1).astype(np.float64)
    return tallied


def _first(
    queries: Array, gallery: Array, most: int, count: int
) -> tuple[Integers, Integers, Integers]:
    """Return all (query, owner, rank) with rank below ``most``.

    An owner has ``count`` successive vectors of the gallery, the best of which is ranked among
    all vectors of other owners; equal ones are in a random order, drawn once.
    """
    # A rank below ``most`` has fewer than that ahead, and its owner's own vectors.
    length = min(most + count, len(gallery))
    order_of_ties = np.random.default_rng(0).uniform(0, TIE, len(gallery))
    nearest = []
    for rows in row_chunks(len(queries)):
        cosines = queries[rows] @ gallery.T + order_of_ties
        top = np.argpartition(cosines, len(gallery) - length, axis=1)[:, -length:]
        values = np.take_along_axis(cosines, top, axis=1)
        owners = top // count
        same = owners[:, :, None] == owners[:, None]
        ahead = values[:, None] > values[:, :, None]
        ranks = (ahead & ~same).sum(axis=2)
        # One entry for each owner: at its best vector, the first of several equal ones.
        order = np.arange(length)
        better = (values[:, None] > values[:, :, None]) | (
            (values[:, None] == values[:, :, None]) & (order[None, None] < order[None, :, None])
        )
        kept = (ranks < most) & ~(better & same).any(axis=2)
        query = np.broadcast_to(rows[:, None], kept.shape)
        nearest.append((query[kept], owners[kept], ranks[kept]))
    query, owner, rank = (np.concatenate(part) for part in zip(*nearest, strict=True))
    return query, owner, rank
