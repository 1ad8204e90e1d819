"""Matrices over the products v_i t_j of two correlated modalities, by their small blocks.

With v_i and t_i correlated and everything else independent, E[phi phi^T] and every matrix of the
leave-one-out argument join (i, j) with (j, i) for i != j, and the equal products (i, i) with each
other. Derivation: docs/product_features.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fusiontheory.typing import Array

__all__ = ["ProductBlocks", "at_least", "identity_like", "stepped"]


class ProductBlocks(NamedTuple):
    """A symmetric matrix over products that joins (i, j) with (j, i), and (i, i) with (k, k).

    Example:
        >>> one = identity_like(ProductBlocks(np.eye(2), np.eye(2), np.eye(2)), 2.0, free=False)
        >>> one.inverse().equal
        array([[0.5, 0. ],
               [0. , 0.5]])

    Attributes:
        own: entry of (i, j) with itself, i != j, shape (d, d), 0 on the diagonal.
        swap: entry of (i, j) with (j, i), i != j, symmetric, 0 on the diagonal.
        equal: entries of (i, i) with (k, k), symmetric, shape (d, d); one row more, for a constant
            feature, where there is an intercept.
    """

    own: Array
    swap: Array
    equal: Array

    def __add__(self, other: ProductBlocks) -> ProductBlocks:  # type: ignore[override]
        """Return the sum of two matrices (not the longer tuple)."""
        return ProductBlocks(self.own + other.own, self.swap + other.swap, self.equal + other.equal)

    def times(self, factor: float) -> ProductBlocks:
        """Return the matrix times a number."""
        return ProductBlocks(factor * self.own, factor * self.swap, factor * self.equal)

    def around(self, inner: ProductBlocks) -> ProductBlocks:
        """Return G X G for self G and inner X."""
        # The block of (i, j) and (j, i) is [[own_ij, swap_ij], [swap_ij, own_ji]].
        first = self.own * inner.own + self.swap * inner.swap
        second = self.own * inner.swap + self.swap * inner.own.T
        return ProductBlocks(
            own=first * self.own + second * self.swap,
            swap=first * self.swap + second * self.own.T,
            equal=self.equal @ inner.equal @ self.equal,
        )

    def inverse(self) -> ProductBlocks:
        """Return the inverse matrix, block by block."""
        determinant = self.own * self.own.T - self.swap**2
        np.fill_diagonal(determinant, 1.0)
        return ProductBlocks(
            own=self.own.T / determinant,
            swap=-self.swap / determinant,
            equal=np.asarray(np.linalg.inv(self.equal), dtype=np.float64),
        )

    def carried_to(self, other: ProductBlocks) -> ProductBlocks:
        """Return the symmetric T with T self T = other, both positive definite.

        T = A^{-1/2} (A^{1/2} B A^{1/2})^{1/2} A^{-1/2}, the geometric mean of 1/self and other.
        """
        pairs = _carried(_pairs(self), _pairs(other))
        own, swap = pairs[..., 0, 0].copy(), pairs[..., 0, 1].copy()
        np.fill_diagonal(own, 0.0)
        np.fill_diagonal(swap, 0.0)
        return ProductBlocks(own, swap, _carried(self.equal, other.equal))

    def packed(self) -> Array:
        """Return all entries in one vector."""
        return np.concatenate([block.ravel() for block in self])

    def unpacked(self, values: Array) -> ProductBlocks:
        """Return blocks of the shapes of these from what ``packed`` gave."""
        size = self.own.size
        return ProductBlocks(
            own=values[:size].reshape(self.own.shape),
            swap=values[size : 2 * size].reshape(self.own.shape),
            equal=values[2 * size :].reshape(self.equal.shape),
        )


def identity_like(like: ProductBlocks, value: float, free: bool) -> ProductBlocks:
    """Return value x identity of the shapes of ``like``; 0 for an intercept's constant if free."""
    d = len(like.own)
    own = np.full((d, d), value)
    np.fill_diagonal(own, 0.0)
    equal = value * np.eye(len(like.equal))
    if free:
        equal[-1, -1] = 0.0
    return ProductBlocks(own, np.zeros((d, d)), equal)


def stepped(current: ProductBlocks, change: ProductBlocks) -> ProductBlocks:
    """Return current + change, the change halved until at least a tenth of current is left."""
    for _ in range(40):
        if _positive(current.times(0.9) + change, current):
            return current + change
        change = change.times(0.5)
    raise ArithmeticError("no step keeps the second moment positive")


def _pairs(blocks: ProductBlocks) -> Array:
    """Return the 2 x 2 blocks of (i, j) and (j, i), shape (d, d, 2, 2); the identity at i = j."""
    own = blocks.own + np.eye(len(blocks.own))
    rows = np.stack([own, blocks.swap]), np.stack([blocks.swap, own.T])
    return np.asarray(np.moveaxis(np.stack(rows), (0, 1), (-2, -1)))


def _carried(start: Array, end: Array) -> Array:
    root, inverse = _powers(start)
    middle, _ = _powers(root @ end @ root)
    return np.asarray(inverse @ middle @ inverse)


def _powers(matrix: Array) -> tuple[Array, Array]:
    """Return the roots of positive matrices and their inverses, 0 where an eigenvalue is."""
    values, vectors = np.linalg.eigh(matrix)
    least = 1e-14 * values[..., -1:]
    roots = np.sqrt(np.maximum(values, 0.0))
    inverse = np.divide(1.0, roots, out=np.zeros_like(roots), where=values > least)

    def back(powers: Array) -> Array:
        return np.asarray((vectors * powers[..., None, :]) @ np.swapaxes(vectors, -1, -2))

    return back(roots), back(inverse)


def at_least(matrix: ProductBlocks, other: ProductBlocks) -> bool:
    """Whether no eigenvalue of matrix - other is below 0, but for rounding.

    Example:
        >>> one = identity_like(ProductBlocks(np.eye(2), np.eye(2), np.eye(2)), 1.0, free=False)
        >>> at_least(one.times(2.0), one), at_least(one, one.times(2.0))
        (True, False)
    """
    return _positive(matrix + other.times(-1.0), matrix)


def _positive(matrix: ProductBlocks, scale: ProductBlocks) -> bool:
    """Whether a matrix has no negative eigenvalue, but for rounding at the size of ``scale``."""
    rounding = 1e-9
    determinant = matrix.own * matrix.own.T - matrix.swap**2
    allowed = rounding * (scale.own * scale.own.T + scale.swap**2)
    return bool(
        np.all(matrix.own >= 0)
        and np.all(determinant >= -allowed)
        and np.linalg.eigvalsh(matrix.equal)[0] >= -rounding * np.abs(scale.equal).max()
    )
