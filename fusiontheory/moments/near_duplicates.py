"""Duplicate and near-duplicate rows of paired features, and what counts as an independent image."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fusiontheory.checks import InputError, finite_array, non_negative
from fusiontheory.constraints import checked
from fusiontheory.moments.groups import numbered
from fusiontheory.typing import Array, Integers, Single

__all__ = ["find_duplicates"]


TOLERANCE = 0.02
"""Squared distance of near-duplicates over that of two random rows: noise of 14 percent each."""

# Integers are compared in so many random directions first, within so much more than the tolerance:
# five standard deviations of a squared distance in them.
_DIRECTIONS, _SLACK = 48, 2.0
# Pairs of a row that may be near by accident, among all other rows.
_ACCIDENTS = 0.02
_QUANTILES = 0.05, 0.3
_BLOCK = 2048


@checked
def find_duplicates(
    image: ArrayLike, text: ArrayLike, tolerance: float = TOLERANCE, seed: int = 0
) -> Integers:
    """Return the group of each row: rows whose images and whose texts are nearly the same.

    Two rows are near if |v - v'|^2 and |t - t'|^2 are both at most ``tolerance`` times their mean
    over random rows. Groups are the connected components. In few dimensions rows are near by
    accident: there the tolerance falls to where a row would have 0.02 such neighbours, by the power
    law that distances of other rows follow.

    Args:
        image: shape (n, d_v).
        text: shape (n, d_t), or (n, captions, d_t), of which the mean is compared.
        tolerance: at least 0; 0 for exact copies alone.
        seed: of the random directions.

    Returns:
        Group numbers from 0, in the order of their first rows, shape (n,).

    Raises:
        InputError: for other shapes, rows that do not fit each other, a negative tolerance.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((4, 8))
        >>> find_duplicates(x[[0, 1, 1, 2]], x[[0, 1, 1, 3]]).tolist()
        [0, 1, 1, 2]
    """
    v = finite_array("image", image, 2)
    t = finite_array("text", text, (2, 3))
    t = t.mean(axis=1) if t.ndim == 3 else t
    if len(v) != len(t):
        raise InputError(f"image and text must have one row each per item, got {len(v)}, {len(t)}")
    limit = non_negative("tolerance", tolerance)
    sides = [_standard(x) for x in (v, t)]
    exact = _exact_groups(sides)
    first = np.unique(exact, return_index=True)[1]
    own = [side[first] for side in sides]
    if limit == 0 or len(first) < 3:
        return exact
    links = _near(own, limit, np.random.default_rng(seed))
    graph = coo_array((np.ones(len(links)), links.T), shape=(len(first), len(first)))
    return numbered(connected_components(graph, directed=False)[1][exact])


def _standard(rows: Array) -> Single:
    """Return centred rows with a mean squared length of one half: random ones are 1 apart."""
    centred = rows - rows.mean(axis=0)
    power = 2 * float((centred**2).sum(axis=1).mean())
    return np.asarray(centred / np.sqrt(power if power > 0 else 1.0), dtype=np.float32)


def _exact_groups(sides: list[Single]) -> Integers:
    known: dict[bytes, int] = {}
    # Adding 0 makes -0 and 0 one.
    rows = np.hstack(sides) + np.float32(0)
    return np.array([known.setdefault(row.tobytes(), len(known)) for row in rows])


def _near(sides: list[Single], tolerance: float, rng: np.random.Generator) -> Integers:
    """Return pairs of rows that are near on both sides, shape (links, 2)."""
    projected = np.hstack([_projected(side, rng) for side in sides])
    limit = min(tolerance, _without_accidents(projected, rng))
    lengths = np.einsum("nd,nd->n", projected, projected)[:, None]
    # |p - q|^2 is about the sum over both sides.
    reach = np.float32(2 * limit * _SLACK)
    # [-2p, |p|^2, 1] . [q, 1, |q|^2] is |p - q|^2: one product instead of four passes.
    own = np.hstack([-2 * projected, lengths, np.ones_like(lengths)])
    other = np.hstack([projected, np.ones_like(lengths), lengths])
    blocks = range(0, len(own), _BLOCK)
    near = []
    for start, first in ((a, b) for a in blocks for b in blocks if b >= a):
        distance = own[start : start + _BLOCK] @ other[first : first + _BLOCK].T
        # Few are near, and those of one long row are found several times faster.
        found = np.flatnonzero(distance <= reach + 1e-6)
        row, column = np.divmod(found, distance.shape[1]) + np.array([[start], [first]])
        later = column > row
        row, column = row[later], column[later]
        close = np.ones(len(row), dtype=bool)
        for side in sides:
            close[close] = _distances(side, row[close], column[close]) <= limit
        near.append(np.stack([row[close], column[close]], axis=1))
    return np.concatenate(near)


def _projected(side: Single, rng: np.random.Generator) -> Single:
    dimensions = side.shape[1]
    if dimensions <= _DIRECTIONS:
        return side
    directions = rng.standard_normal((dimensions, _DIRECTIONS), dtype=np.float32)
    return np.asarray(side @ (directions / np.float32(np.sqrt(_DIRECTIONS))))


def _distances(side: Single, first: Integers, second: Integers) -> Single:
    distances = np.empty(len(first), dtype=np.float32)
    for start in range(0, len(first), _BLOCK * 8):
        part = slice(start, start + _BLOCK * 8)
        distances[part] = np.square(side[first[part]] - side[second[part]]).sum(axis=1)
    return distances


def _without_accidents(projected: Single, rng: np.random.Generator) -> float:
    """Return the squared distance within which a row has few neighbours by accident."""
    first, second = rng.integers(0, len(projected), (2, 20_000))
    apart = first != second
    squares = _distances(projected, first[apart], second[apart]) / 2
    low, high = np.quantile(squares, _QUANTILES)
    if not 0 < low < high:
        return 0.0
    power = np.log(_QUANTILES[1] / _QUANTILES[0]) / np.log(high / low)
    wanted = _ACCIDENTS / len(projected)
    return float(low * (wanted / _QUANTILES[0]) ** (1 / power))
