r"""Ridge regression of many labels at nested sample sizes, with every factorisation shared.

    minimise sum_i (y_i - b - phi_i . w)^2 + delta |w|^2        b = 0 without intercept

Up to n = p samples the solution is w = Phi^T alpha with (K + delta I) alpha = y - b 1; the Cholesky
factor of the first n rows is the leading block of the factor of all, so that one serves every n and
every label. Beyond, the p x p normal matrix grows from one n to the next and is factorised at each.
Without ridge, or with so many ridges that it is cheaper, an eigendecomposition takes its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, eigh

from fusiontheory.constraints import being, checked
from fusiontheory.typing import Array

__all__ = [
    "DualFit",
    "NormalEquations",
    "PrimalFit",
    "blockwise_gram",
    "dual_ridge",
    "primal_ridge",
]


# An eigendecomposition costs as much as so many Cholesky factors (measured at n = 2048).
_MANY_RIDGES = 10
# Eigenvalues below this share of the largest are rounding.
_ROUNDING = 1e-12
_BLOCK = 512


@dataclass(frozen=True, eq=False)
class DualFit:
    """The solution in samples at one n and ridge: f = sum_i alpha_i k(., x_i) + constant.

    Attributes:
        n: training samples.
        ridge: delta.
        alpha: shape (n, T), one column per label.
        constant: b, shape (T,).
        training: training mean squared errors, shape (T,).
    """

    n: int
    ridge: float
    alpha: Array
    constant: Array
    training: Array


@dataclass(frozen=True, eq=False)
class PrimalFit:
    """The solution in features: f = phi . weights + constant.

    Attributes:
        n: training samples.
        ridge: delta.
        weights: shape (p, T).
        constant: b, shape (T,).
        training: training mean squared errors, shape (T,).
    """

    n: int
    ridge: float
    weights: Array
    constant: Array
    training: Array


@checked
@dataclass(frozen=True, eq=False)
class NormalEquations:
    """Sums over the first n samples.

    Attributes:
        n: samples.
        normal: sum phi phi^T, shape (p, p).
        total: sum phi, shape (p,).
        shared: sum phi y, shape (p, T).
    """

    n: int
    normal: Array
    total: Array
    shared: Array


@checked
def blockwise_gram(n: int, block: Callable[[slice, slice], Array]) -> Array:
    """Return the lower triangle of a Gram matrix, in blocks of columns; the rest is not filled.

    Args:
        n: samples.
        block: (rows, columns) -> that part of the matrix.

    Example:
        >>> x = np.arange(2.0)[:, None] + 1
        >>> blockwise_gram(2, lambda rows, columns: x[rows] @ x[columns].T)
        array([[1., 2.],
               [2., 4.]])
    """
    gram = np.zeros((n, n), order="F")
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        gram[start:, start:stop] = block(slice(start, n), slice(start, stop))
    return gram


@checked
def dual_ridge(
    gram: Array, labels: Array, sizes: list[int], ridges: list[float], intercept: bool
) -> Iterator[DualFit]:
    """Yield the fit at every n and ridge.

    Args:
        gram: lower triangle of K, shape (N, N) in Fortran order; it is overwritten.
        labels: shape (N, T), or of more rows.
        sizes: each at most N.
        ridges: delta >= 0.
        intercept: whether there is a constant that the ridge does not penalise.

    Example:
        >>> fits = dual_ridge(np.eye(2, order="F"), np.array([[1.0], [2.0]]), [1, 2], [1.0], False)
        >>> [(fit.n, fit.alpha.ravel().round(9).tolist()) for fit in fits]
        [(1, [0.5]), (2, [0.5, 1.0])]
    """
    many = len(ridges) > _MANY_RIDGES
    factored = [] if many else [ridge for ridge in ridges if ridge > 0]
    for ridge in [ridge for ridge in ridges if ridge not in factored]:
        if many and ridge != ridges[0]:
            break
        chosen = ridges if many else [ridge]
        for n in sizes:
            yield from _dual_by_eigenvalues(gram[:n, :n], labels[:n], chosen, intercept)
    for position, ridge in enumerate(factored):
        last = position == len(factored) - 1
        matrix = gram if last else gram.copy(order="F")
        matrix[np.diag_indices_from(matrix)] += ridge
        factor = cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
        for n in sizes:
            yield _dual_by_factor(factor[:n, :n], labels[:n], ridge, intercept)


@checked(equations=being("those of at least one sample", lambda sums: sums.n >= 1))
def primal_ridge(
    equations: NormalEquations, labels: Array, ridges: list[float], intercept: bool
) -> Iterator[PrimalFit]:
    """Yield the fit of n samples at every ridge.

    Args:
        equations: of the first n samples.
        labels: their labels, shape (n, T).
        ridges: delta >= 0.
        intercept: whether there is a constant that the ridge does not penalise.

    Example:
        >>> x, y = np.eye(2), np.array([[1.0], [2.0]])
        >>> sums = NormalEquations(2, x.T @ x, x.sum(axis=0), x.T @ y)
        >>> fits = primal_ridge(sums, y, [1.0, 3.0], intercept=False)
        >>> [fit.weights.ravel().round(9).tolist() for fit in fits]
        [[0.5, 1.0], [0.25, 0.5]]
    """
    n, normal, right = equations.n, equations.normal, equations.shared
    mean = labels.mean(axis=0) if intercept else np.zeros(labels.shape[1])
    if intercept:
        normal = normal - np.outer(equations.total, equations.total) / n
        right = right - np.outer(equations.total, mean)
    square = np.sum((labels - mean) ** 2, axis=0)
    factored = len(ridges) <= _MANY_RIDGES and min(ridges) > 0
    values, vectors = (np.empty(0), normal) if factored else eigh(normal, check_finite=False)
    for ridge in ridges:
        if factored:
            matrix = np.array(normal.T, order="F")  # symmetric: a plain copy
            matrix[np.diag_indices_from(matrix)] += ridge
            factor = cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
            weights = np.asarray(cho_solve((factor, True), right, check_finite=False))
        else:
            weights = vectors @ (_inverse(values, ridge)[:, None] * (vectors.T @ right))
        # |y - X w|^2 = |y|^2 - w . X^T y - delta |w|^2 at the solution.
        left = square - np.sum(weights * right, axis=0) - ridge * np.sum(weights**2, axis=0)
        constant = mean - equations.total @ weights / n if intercept else mean
        yield PrimalFit(n, ridge, weights, constant, np.maximum(left, 0.0) / n)


def _dual_by_factor(factor: Array, labels: Array, ridge: float, intercept: bool) -> DualFit:
    n, count = labels.shape
    sides = np.hstack([labels, np.ones((n, 1))]) if intercept else labels
    solved = np.asarray(cho_solve((factor, True), sides, check_finite=False))
    alpha, constant = solved, np.zeros(count)
    if intercept:
        # Stationarity in b: 1^T (K + delta)^{-1} (y - b 1) = 0.
        alpha, unit = solved[:, :-1], solved[:, -1]
        constant = alpha.sum(axis=0) / unit.sum()
        alpha = alpha - np.outer(unit, constant)
    # The residual y - b - K alpha is delta alpha.
    return DualFit(n, ridge, alpha, constant, ridge**2 * np.mean(alpha**2, axis=0))


def _dual_by_eigenvalues(
    lower: Array, labels: Array, ridges: list[float], intercept: bool
) -> Iterator[DualFit]:
    n = len(labels)
    gram = np.tril(lower) + np.tril(lower, -1).T
    centred, sides = gram, labels
    if intercept:
        centred = gram - gram.mean(axis=0)
        centred -= centred.mean(axis=1, keepdims=True)
        sides = labels - labels.mean(axis=0)
    values, vectors = eigh(centred, check_finite=False)
    turned = vectors.T @ sides
    for ridge in ridges:
        alpha = vectors @ (_inverse(values, ridge)[:, None] * turned)
        if intercept:
            alpha -= alpha.mean(axis=0)
        residual = labels - gram @ alpha
        constant = residual.mean(axis=0) if intercept else np.zeros(labels.shape[1])
        training = np.mean((residual - constant) ** 2, axis=0)
        yield DualFit(n, ridge, alpha, constant, training)


def _inverse(values: Array, ridge: float) -> Array:
    """Return 1 / (lambda + delta); without ridge 0 for eigenvalues that are rounding."""
    shifted = np.maximum(values, 0.0) + ridge
    kept = shifted > (0.0 if ridge > 0 else _ROUNDING * values[-1])
    return np.where(kept, 1 / np.where(kept, shifted, 1.0), 0.0)
