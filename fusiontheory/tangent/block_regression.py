"""Regression of a kernel matrix on blocks, off what an intercept or a linear part absorbs."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from fusiontheory.typing import AnyArray, Array

__all__ = ["GROUPS", "linear_axes", "significant_weights", "without_axes", "without_row_effects"]


# Groups of pairs that are left out in turn.
GROUPS = 8
# Share of the pairs' dimensions that the linear axes may take.
_MOST_AXES = 0.25


def without_row_effects(matrix: Array) -> tuple[float, Array]:
    """Return c and M_ij - c - h_i - h_j, the least-squares fit of c + h_i + h_j over i != j."""
    n = len(matrix)
    sums = matrix.sum(axis=1) - np.diag(matrix)
    mean = float(sums.sum()) / (n * (n - 1))
    effect = (sums - (n - 1) * mean) / (n - 2)
    return mean, matrix - mean - effect[:, None] - effect[None, :]


def linear_axes(image: Array, text: Array) -> Array:
    """Return an orthonormal basis (n, k) of the constant and of [v; t] over n pairs.

    Of so many features that k would pass a quarter of n, the strongest directions.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> linear_axes(rng.standard_normal((40, 3)), rng.standard_normal((40, 2))).shape
        (40, 6)
    """
    n = len(image)
    both = np.hstack([image, text])
    both = both - both.mean(axis=0)
    left, values, _ = np.linalg.svd(both, full_matrices=False)
    kept = min(int(np.count_nonzero(values > 1e-10 * values[0])), int(_MOST_AXES * n) - 1)
    return np.hstack([np.full((n, 1), n**-0.5), left[:, :kept]])


def without_axes(matrix: Array, axes: Array) -> Array:
    """Return (I - P) M (I - P), P the projection on ``axes``, (n, k) and orthonormal.

    It takes every kernel v^T A v' + v^T B t' + t^T B^T v' + t^T D t' + h(x) + h(x') to 0, with any
    matrices: a network has its own, and not multiples of the identity.

    Example:
        >>> without_axes(np.full((3, 3), 2.0), np.full((3, 1), 3**-0.5)).round(9) + 0.0
        array([[0., 0., 0.],
               [0., 0., 0.],
               [0., 0., 0.]])
    """
    left = matrix - axes @ (axes.T @ matrix)
    result: Array = left - (left @ axes) @ axes.T
    return result


def significant_weights(
    entries: Array, diagonals: Array, row_group: AnyArray, column_group: AnyArray
) -> tuple[Array, Array]:
    """Return non-negative weights of the blocks and their standard errors.

    Args:
        entries: off-diagonal entries of the blocks and, last, of the kernel, shape (m, b + 1).
        diagonals: mean diagonals of the same, shape (b + 1,).
        row_group, column_group: group 0 .. 7 of each entry's pairs, shape (m,).

    The errors are the jackknife over groups of pairs. A weight below two of its errors is set to
    0 and the others are fitted again: a kernel of the text alone has no cross block, but chance
    gives it a small one, and a small one is signal.
    """
    size = entries.shape[1]
    # Entries between each two groups, each with its own normal equations.
    cell = row_group * GROUPS + column_group
    normal = np.zeros((GROUPS, GROUPS, size + 1, size + 1))
    counted = np.hstack([entries, np.ones((len(entries), 1))])
    for index in range(GROUPS**2):
        part = counted[cell == index]
        normal[index // GROUPS, index % GROUPS] = part.T @ part
    columns = np.ones(size - 1, dtype=bool)
    total: Array = normal.sum(axis=(0, 1))
    left_out = []
    for group in range(GROUPS):
        kept = np.arange(GROUPS) != group
        left_out.append(_weights(normal[kept][:, kept].sum(axis=(0, 1)), columns, diagonals))
    weights = _weights(total, columns, diagonals)
    errors: Array = np.sqrt((GROUPS - 1) * np.var(left_out, axis=0))
    return _weights(total, weights > 2 * errors, diagonals), errors


def _weights(normal: Array, columns: AnyArray, diagonals: Array) -> Array:
    """Return non-negative least squares of the kernel on the chosen blocks, 0 for the others.

    ``normal`` has the sums of products of the blocks, the kernel, and a column of ones.
    """
    scale = np.sqrt(np.diag(normal)[:-1] / normal[-1, -1])
    # A block, or a kernel, without structure off its diagonal has rounding there, and no more.
    varies = scale > 1e-10 * diagonals
    used = np.flatnonzero(columns & varies[:-1])
    weights: Array = np.zeros(columns.size)
    if used.size and varies[-1]:
        wanted = np.append(used, columns.size)
        moments = normal[np.ix_(wanted, wanted)] / np.outer(scale[wanted], scale[wanted])
        # A square root of the normal equations is a least-squares problem of a few rows.
        values, axes = np.linalg.eigh(moments)
        root = np.sqrt(np.clip(values, 0.0, None))[:, None] * axes.T
        weights[used] = nnls(root[:, :-1], root[:, -1])[0] * scale[-1] / scale[used]
    return weights
