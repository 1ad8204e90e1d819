"""One image in several rows: found by vectors that are equal, or nearly, and made one image.

Many repositories store a row for each caption, with the image's vector repeated, or that of another
crop or encoding of it. Taken as distinct images, such rows put an image into training and test, and
mismatched pairs that match.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from fusiontheory.checks import InputError
from fusiontheory.constraints import array_like, checked
from fusiontheory.typing import AnyArray, Integers

__all__ = ["caption_places", "check_distinct_images", "equal_rows", "same_images"]

_CHUNK = 4096  # rows at a time

# Lengths at which a gap in the distances is looked for, in units of the root mean square distance
# from the mean. Different images have no gap: many more pairs lie below twice a length than below
# it. Between copies of an image and all other pairs there is one.
_REACH = np.geomspace(1e-4, 0.15, 32)
_GAP = 10
_MOST_COPIES = 20
"""Rows of a group, on average, beyond which the groups are classes of images."""

_FEWEST_DIMENSIONS = 8
_DIRECTIONS = 6
_DEVIATIONS = 4.75
"""Length of a projection on so many random directions: 999 of 1000 vectors are below."""

_SAMPLE, _NEIGHBOURS = 1000, 64
_FEW = 0.05
"""Share of copies below which they are chance finds, such as an image that was posted twice."""


@checked(x=array_like)
def equal_rows(x: AnyArray) -> Integers:
    """Return for each row of x (n, ...) the first row that equals it in float32, shape (n,).

    Rows are compared by a 64-bit hash: among 10^6 rows, two that differ meet with probability
    below 10^-7.

    >>> equal_rows(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])).tolist()
    [0, 1, 0]
    """
    hashes = np.empty(len(x), dtype=np.uint64)
    width = x[:1].size  # float32 values of a row, 32 bits each
    factors = np.random.default_rng(0).integers(1, 2**63, width, dtype=np.uint64)
    factors = factors * np.uint64(2) + np.uint64(1)
    for start in range(0, len(x), _CHUNK):
        rows = np.asarray(x[start : start + _CHUNK], dtype=np.float32)
        # Adding 0 makes -0 and 0 alike, which their bits are not.
        bits = (rows.reshape(len(rows), -1) + np.float32(0)).view(np.uint32)
        # Exact integers that wrap: unlike sums of floats they do not depend on a row's place.
        hashes[start : start + len(rows)] = (bits * factors).sum(axis=1, dtype=np.uint64)
    _, first, place = np.unique(hashes, return_index=True, return_inverse=True)
    first_equal: Integers = first[place.ravel()]
    return first_equal


@checked
def same_images(image: AnyArray) -> Integers:
    """Return for each row of image (n, d) the first that is the same image, shape (n,).

    An encoder that meets an image in several batches, crops or encodings gives vectors that differ
    a little. Rows are the same image if they are at most 0.15 of their root mean square
    distance from the mean apart, and if that is a gap: ten times as many pairs lie within that
    distance as between it and its double, and at least ten. Differences of rounding, a ten
    thousandth, need no such number. From 8 dimensions on: below, different images may come that
    close.

    >>> x = np.random.default_rng(0).normal(size=(3, 8))[[0, 1, 0, 2]]
    >>> same_images(x + 1e-6 * np.arange(4)[:, None]).tolist()
    [0, 1, 0, 3]
    """
    first = equal_rows(image)
    rows = np.unique(first)
    if image.shape[1] < _FEWEST_DIMENSIONS or len(rows) < 2:
        return first
    x = image[rows].astype(np.float32)
    x -= np.asarray(x.mean(axis=0, dtype=np.float64), dtype=np.float32)
    x /= np.float32(np.sqrt(np.mean(np.einsum("nd,nd->n", x, x), dtype=np.float64)) or 1.0)
    one, other = _copies(x)
    if not one.size:
        return first
    graph = coo_array((np.ones(one.size), (one, other)), shape=(len(rows), len(rows)))
    groups, group = connected_components(graph, directed=False)
    several = np.bincount(group, minlength=groups)
    if several[several > 1].mean() > _MOST_COPIES:
        return first
    _, head = np.unique(group, return_index=True)
    first_equal: Integers = rows[head[group]][np.searchsorted(rows, first)]
    return first_equal


def _copies(x: AnyArray) -> tuple[Integers, Integers]:
    """Return pairs of rows that are nearer to each other than the gap in distances, if any."""
    pairs, reach = _near_pairs(x)
    distances = np.empty(len(pairs), dtype=np.float32)
    for start in range(0, len(pairs), _CHUNK):
        one, other = pairs[start : start + _CHUNK].T
        distances[start : start + _CHUNK] = np.linalg.norm(x[one] - x[other], axis=1)
    ordered = np.sort(distances)
    limits = _REACH[reach >= 2 * _REACH]
    within, around = (np.searchsorted(ordered, c * limits, side="right") for c in (1, 2))
    # One pair more than seen, but for rounding: around a chance pair there may be none.
    beyond = around - within + (limits > _REACH[0])
    gaps = np.flatnonzero((within > 0) & (within >= _GAP * beyond))
    near = distances <= (limits[gaps[-1]] if gaps.size else 0.0)
    one, other = pairs[near].T
    return one, other


def _near_pairs(x: AnyArray) -> tuple[Integers, float]:
    """Return pairs of rows (m, 2) with all that are near, and up to which distance that is all.

    They are looked for in a few random directions, within a distance at which a row has not too
    many neighbours there: features of few effective dimensions are not searched far.
    """
    rng = np.random.default_rng(0)
    along = x @ rng.standard_normal((x.shape[1], _DIRECTIONS)).astype(np.float32)
    tree = KDTree(along)
    some = along[rng.permutation(len(x))[:_SAMPLE]]
    reach = 2 * float(_REACH[-1])
    while reach > _REACH[0]:
        counts = tree.query_ball_point(some, _DEVIATIONS * reach, return_length=True)
        if np.mean(counts) <= _NEIGHBOURS:
            break
        reach /= 2
    return tree.query_pairs(_DEVIATIONS * reach, output_type="ndarray"), reach


@checked
def check_distinct_images(image: AnyArray) -> None:
    """Refuse images (n, d) of which more than one in twenty are copies of others.

    Raises:
        InputError: saying how many are distinct, and what to do.

    >>> check_distinct_images(np.repeat(np.eye(2), 5, axis=0))
    Traceback (most recent call last):
    fusiontheory.checks.InputError: image must have a row for each image, got 2 distinct rows of \
10, as where each caption is a row: shape text (images, captions, dimension), or give the arrays \
to features_of, which groups equal rows
    """
    distinct = len(np.unique(equal_rows(image)))
    if len(image) - distinct > _FEW * len(image):
        raise InputError(
            f"image must have a row for each image, got {distinct} distinct rows of {len(image)},"
            " as where each caption is a row: shape text (images, captions, dimension), or give"
            " the arrays to features_of, which groups equal rows"
        )


@checked
def caption_places(owner: Integers, images: int) -> tuple[Integers, Integers]:
    """Return which images are kept, and the rows of their captions, equally many each.

    Images have different numbers of captions; the number c that keeps most captions is taken, the
    first c of each image, and images with fewer are left out.

    Args:
        owner: (m,) image of each caption, -1 for one of none.
        images: number of images.

    Returns:
        Images that are kept, ascending (k,), and rows of captions (k, c).

    >>> kept, rows = caption_places(np.array([0, 0, 1, 2, 1, 1]), images=3)
    >>> kept.tolist(), rows.tolist()
    ([0, 1], [[0, 1], [2, 4]])
    """
    owned = np.flatnonzero(owner >= 0)
    counts = np.bincount(owner[owned], minlength=images)
    if not counts.any():
        return np.empty(0, dtype=np.int64), np.empty((0, 1), dtype=np.int64)
    numbers = np.unique(counts[counts > 0])
    most = int(max(numbers, key=lambda c: c * np.count_nonzero(counts >= c)))
    kept = np.flatnonzero(counts >= most)
    ordered = owned[np.argsort(owner[owned], kind="stable")]
    starts = np.cumsum(counts) - counts
    return kept, ordered[starts[kept][:, None] + np.arange(most)]
