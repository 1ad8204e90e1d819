"""Whether images that are neighbours by their own vectors are neighbours by their captions."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from fusiontheory.alignment.measurement import Measurement
from fusiontheory.alignment.vectors import TIE, matched_features, row_chunks
from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.data import normalise
from fusiontheory.typing import Array, Integers

__all__ = ["measure_neighbours", "mutual_neighbours"]


@checked
def mutual_neighbours(image: ArrayLike, text: ArrayLike, k: int = 10) -> float:
    """Return the share of an image's k nearest images that are also nearest by the captions.

    (1/(n k)) sum_i |N_v(i) and N_t(i)|, N(i) the k other images of largest cosine with i: among
    image vectors, and among the mean vectors of the captions at unit norm. It is 1 for equal
    neighbourhoods and k/(n - 1) on average for independent ones. A tie at the k-th place counts
    against: those who tie are no neighbours, so that all equal vectors give 0.

    Args:
        image: (n, d_v) with n >= k + 2.
        text: (n, captions, d_t) or (n, d_t), row by row the captions of the images.
        k: number of neighbours, at least 1.

    Raises:
        InputError: if the arrays do not fit each other, hold a zero vector, captions of an image
            add up to zero, or k is below 1 or above n - 2.

    Source: Huh, Cheung, Wang & Isola, arXiv:2405.07987 (mutual k-nearest neighbours).

    Example:
        >>> angle = np.array([0.0, 0.1, 1.0, 1.2])
        >>> circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        >>> mutual_neighbours(circle, -circle, k=1)
        1.0
    """
    (first, second), _ = _graphs(image, text, k)
    return _overlap(first, second, k)


def measure_neighbours(image: ArrayLike, text: ArrayLike, k: int = 10) -> Measurement:
    r"""Return `mutual_neighbours` with influences; arguments are the same.

    Image j matters to the neighbourhoods that it is in: without it the first one beyond the
    border moves in, which is a neighbour in the other modality with probability p. With graphs
    A and B the pair (i, j) thus carries A_ij B_ij - p_A A_ij - p_B B_ij.

    Example:
        >>> eye = np.eye(6) + np.arange(6) / 10
        >>> measure_neighbours(eye, eye, k=2).value.tolist()
        [1.0]
    """
    (first, second), (border_first, border_second) = _graphs(image, text, k)
    n = first.shape[0]
    rows = np.arange(n)
    p_first = float(second[rows, border_first].mean())
    p_second = float(first[rows, border_second].mean())
    carried = (first.multiply(second) - p_first * first - p_second * second) / k
    both_ways = carried + carried.T

    def null(rng: np.random.Generator) -> Array:
        order = rng.permutation(n)
        return np.array([_overlap(first, second[order][:, order], k)])

    return Measurement(
        metrics=("mutual_neighbours",),
        value=np.array([_overlap(first, second, k)]),
        influence=np.asarray(both_ways.sum(axis=1)).reshape(n, 1),
        null=null,
        pair_noise=float(both_ways.multiply(both_ways).sum()) / 2 / n**2,
        scale=lambda share: np.clip(share, 0.0, 1.0),
    )


def _graphs(
    image: ArrayLike, text: ArrayLike, k: int
) -> tuple[list[scipy.sparse.csr_array], list[Integers]]:
    """Return the graphs of neighbours, images and captions, and the (k + 1)-th of each row."""
    images, captions = matched_features(image, text, minimum=3)
    size = positive_integer("k", k)
    if size > len(images) - 2:
        raise InputError(
            f"k must be at most {len(images) - 2} for {len(images)} images, got {size}"
        )
    units = normalise(images, "image"), normalise(captions, "text")
    mean = normalise(units[1].mean(axis=1), "text averaged over captions")
    nearest = [_nearest(x, size) for x in (units[0], mean)]
    return [graph for graph, _ in nearest], [border for _, border in nearest]


def _nearest(units: Array, k: int) -> tuple[scipy.sparse.csr_array, Integers]:
    n = len(units)
    border = np.empty(n, dtype=np.int64)
    starts, ends = [], []
    for rows in row_chunks(n):
        cosines = units[rows] @ units.T
        cosines[np.arange(len(rows)), rows] = -np.inf  # no image is its own neighbour
        top = np.argpartition(cosines, n - k - 1, axis=1)[:, n - k - 1 :]
        values = np.take_along_axis(cosines, top, axis=1)
        last = values.argmin(axis=1)[:, None]
        border[rows] = np.take_along_axis(top, last, axis=1)[:, 0]
        inside = values > np.take_along_axis(values, last, axis=1) + TIE
        starts.append(np.broadcast_to(rows[:, None], top.shape)[inside])
        ends.append(top[inside])
    start, end = np.concatenate(starts), np.concatenate(ends)
    return scipy.sparse.csr_array((np.ones(start.size), (start, end)), shape=(n, n)), border


def _overlap(first: scipy.sparse.csr_array, second: scipy.sparse.csr_array, k: int) -> float:
    return float(first.multiply(second).sum()) / first.shape[0] / k
