"""Ridge regression on explicit features; without ridge, the solution of least norm."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from fusiontheory.constraints import checked
from fusiontheory.typing import Array

__all__ = [
    "fit_bilinear_ridge",
    "fit_linear_ridge",
]


@checked
def fit_bilinear_ridge(
    v: Array, t: Array, y: Array, ridge: float, intercept: bool = False
) -> Array:
    """Return the coefficients W of ridge regression of y on v (x) t: f(v, t) = v^T W t.

    Up to n = d_v d_t samples it solves in samples with the product kernel (v.v')(t.t'), as
    W = V^T diag(alpha) T, and never forms the d_v d_t features; beyond, it solves in features.
    Both give the same W. Without ridge it is the interpolator, or fit, of least norm.

    Args:
        v: image features, shape (n, d_v).
        t: text features of the same samples, shape (n, d_t).
        y: labels, shape (n,).
        ridge: delta >= 0, added to the kernel matrix (not divided by n).
        intercept: whether f has a constant as well, not penalised; it is the mean of
            y - v^T W t.

    Returns:
        W, shape (d_v, d_t).

    Example:
        >>> import numpy as np
        >>> fit_bilinear_ridge(np.eye(2), np.eye(2), np.array([1.0, 2.0]), ridge=1.0)
        array([[0.5, 0. ],
               [0. , 1. ]])
    """
    n, d_v = v.shape
    d_t = t.shape[1]
    if n <= d_v * d_t:
        gram = (v @ v.T) * (t @ t.T)
        if intercept:
            gram -= gram.mean(axis=0)
            gram -= gram.mean(axis=1, keepdims=True)
            y = y - y.mean()
        alpha = _solve_ridge(gram, y, ridge)
        return np.asarray(v.T @ (alpha[:, None] * t), dtype=np.float64)
    features = (v[:, :, None] * t[:, None, :]).reshape(n, d_v * d_t)
    return fit_linear_ridge(features, y, ridge, intercept).reshape(d_v, d_t)


@checked
def fit_linear_ridge(x: Array, y: Array, ridge: float, intercept: bool = False) -> Array:
    """Return the coefficients w of ridge regression of y on x: f(x) = x . w.

    Solved in samples or features, whichever are fewer. Without ridge it is the interpolator, or
    fit, of least norm.

    Args:
        x: features, shape (n, p).
        y: labels, shape (n,).
        ridge: delta >= 0, added to the kernel matrix (not divided by n).
        intercept: whether f has a constant as well, not penalised; it is the mean of y - x . w.

    Returns:
        w, shape (p,).

    Example:
        >>> import numpy as np
        >>> fit_linear_ridge(np.eye(2), np.array([1.0, 2.0]), ridge=1.0)
        array([0.5, 1. ])
    """
    if intercept:
        x, y = x - x.mean(axis=0), y - y.mean()
    if x.shape[0] < x.shape[1]:
        return np.asarray(x.T @ _solve_ridge(x @ x.T, y, ridge), dtype=np.float64)
    return _solve_ridge(x.T @ x, x.T @ y, ridge)


def _solve_ridge(gram: Array, right: Array, ridge: float) -> Array:
    """Solve (gram + ridge I) x = right in place of gram; least norm without ridge."""
    if ridge == 0:
        return np.asarray(np.linalg.lstsq(gram, right, rcond=None)[0], dtype=np.float64)
    gram[np.diag_indices_from(gram)] += ridge
    factor = scipy.linalg.cho_factor(gram, overwrite_a=True, check_finite=False)
    return np.asarray(scipy.linalg.cho_solve(factor, right), dtype=np.float64)
