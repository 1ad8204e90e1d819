"""Least squares over matrices of low rank, by alternating over the factors."""

from __future__ import annotations

import numpy as np

from fusiontheory.checks import positive_integer, rank_of
from fusiontheory.constraints import between, checked
from fusiontheory.solvers.least_norm import fit_bilinear_ridge
from fusiontheory.typing import Array

__all__ = [
    "fit_low_rank",
]


# Alternating steps stop when the training error falls by less than this share of itself.
_CONVERGED = 1e-9

_STEPS = 500


@checked(restarts=between(0, 10_000))
def fit_low_rank(
    v: Array, t: Array, y: Array, rank: int, generator: np.random.Generator, restarts: int = 2
) -> Array:
    """Return W of rank at most r with f(v, t) = v^T W t, by alternating least squares.

    The first start is spectral: the leading right singular vectors of least squares at full rank
    or, with too few samples for that, of the mean of y v t^T; the others are random. The fit with
    the lowest training error is returned. The problem is not convex: a better one may exist.

    Args:
        v: image features, shape (n, d_v).
        t: text features of the same samples, shape (n, d_t).
        y: labels, shape (n,).
        rank: r, 1 .. min(d_v, d_t).
        generator: of the random starts.
        restarts: number of starts, at least 1.

    Returns:
        W, shape (d_v, d_t).

    Raises:
        InputError: for a rank or a number of starts out of range.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> v, t = rng.standard_normal((50, 3)), rng.standard_normal((50, 2))
        >>> fit_low_rank(v, t, v[:, 0] * t[:, 1], rank=1, generator=rng).round(6) + 0.0
        array([[0., 1.],
               [0., 0.],
               [0., 0.]])
    """
    d_v, d_t = v.shape[1], t.shape[1]
    rank_of(rank, d_v, d_t)
    restarts = positive_integer("restarts", restarts)
    enough = y.size >= 2 * d_v * d_t
    first = fit_bilinear_ridge(v, t, y, 0.0) if enough else v.T @ (y[:, None] * t)
    starts = [np.linalg.svd(first)[2][:rank].T]
    starts += [generator.standard_normal((d_t, rank)) for _ in range(restarts - 1)]
    fits = [_alternate(v, t, y, np.linalg.qr(start)[0]) for start in starts]
    return min(fits, key=lambda fit: fit[0])[1]


def _alternate(v: Array, t: Array, y: Array, right: Array) -> tuple[float, Array]:
    """Return training error and W of alternating least squares from right vectors (d_t, r)."""
    power = float(y @ y)
    before = np.inf
    for _ in range(_STEPS):
        left = np.linalg.qr(fit_bilinear_ridge(v, t @ right, y, 0.0))[0]
        core = fit_bilinear_ridge(v @ left, t, y, 0.0)
        w = left @ core
        error = float(np.sum((y - ((v @ w) * t).sum(axis=1)) ** 2))
        if before - error <= _CONVERGED * error + np.finfo(np.float64).eps * power:
            break
        before = error
        right = np.linalg.qr(core.T)[0]
    return error, w
