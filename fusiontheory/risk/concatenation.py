"""Concatenation of modalities that correlate: one spectrum from M_v, M_t and the cross moment C.

x = [v; t] has the second moment M = [[M_v, C], [C^T, M_t]], and the additive head is linear in x.
Its spectrum is not the union of those of M_v and M_t: what the modalities share is learned from
either, along fewer and stronger directions. A target that is linear in x plus a misspecified part
then falls under ``ridge_risk``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError, finite_array
from fusiontheory.constraints import checked
from fusiontheory.typing import Array

__all__ = [
    "JointBlocks",
    "block_spectrum",
    "checked_moment",
    "correlated_pairs",
    "coupled_products",
]

_Index: TypeAlias = NDArray[np.intp]

# A given matrix may be this far from symmetric and semidefinite, relative to its largest value:
# what second moments in single precision have from rounding alone.
_TOLERANCE = 1e-7
_EPSILON = np.finfo(np.float64).eps


@checked
@dataclass(frozen=True, eq=False)
class JointBlocks:
    """The eigenbasis of concatenated features [v; t] whose modalities correlate.

    M = [[M_v, C], [C^T, M_t]] = U diag(lambda) U^T; the eigenfunctions are U_k . [v; t] /
    sqrt(lambda_k). For Gaussian [v; t] ``ridge_risk`` of ``eigenvalues`` and ``target_power`` is
    the sharp risk of the additive head.

    Attributes:
        eigenvalues: lambda_k, descending, shape (d_v + d_t,), in squared feature units.
        eigenvectors: U, one column each, shape (d_v + d_t, d_v + d_t).

    Example:
        >>> import numpy as np
        >>> joint = JointBlocks.from_moments(np.eye(1), np.eye(1), np.array([[0.5]]))
        >>> joint.eigenvalues  # 1 + rho and 1 - rho
        array([1.5, 0.5])
        >>> joint.target_power([1.0, 1.0])  # v + t has variance 3, all along the shared direction
        array([3., 0.])
    """

    eigenvalues: Array
    eigenvectors: Array

    @classmethod
    def from_moments(
        cls, second_moment_v: ArrayLike, second_moment_t: ArrayLike, cross_moment: ArrayLike
    ) -> JointBlocks:
        """Diagonalise the joint second moment.

        Args:
            second_moment_v: M_v = E[v v^T], symmetric and positive semidefinite, (d_v, d_v).
            second_moment_t: M_t = E[t t^T], likewise, (d_t, d_t).
            cross_moment: C = E[v t^T], shape (d_v, d_t).

        Raises:
            InputError: for matrices that are not square, symmetric and positive semidefinite,
                a cross moment of another shape, one that makes the joint matrix indefinite, and
                moments that are all 0.
        """
        m_v = checked_moment("second_moment_v", second_moment_v)
        m_t = checked_moment("second_moment_t", second_moment_t)
        cross = finite_array("cross_moment", cross_moment, 2)
        shape = (m_v.shape[0], m_t.shape[0])
        if cross.shape != shape:
            raise InputError(
                f"cross_moment must have shape {shape} for these moments, got {cross.shape}"
            )
        values, vectors = np.linalg.eigh(np.block([[m_v, cross], [cross.T, m_t]]))
        if values[0] < -_TOLERANCE * values[-1]:
            raise InputError(
                "cross_moment must leave the joint matrix of v and t positive semidefinite,"
                f" got one with the eigenvalue {values[0]:.3g}"
            )
        if values[-1] == 0:
            raise InputError("second_moment_v and second_moment_t must not both be 0 everywhere")
        # Rounding must not turn an absent direction into one that can be learned.
        kept = np.where(values > values.size * _EPSILON * values[-1], values, 0.0)
        return cls(eigenvalues=kept[::-1], eigenvectors=vectors[:, ::-1])

    def target_power(self, coefficients: ArrayLike) -> Array:
        """Return b_k^2 = lambda_k (U_k . a)^2 of the target a . [v; t], shape (d_v + d_t,).

        Their sum is E[(a . [v; t])^2].

        Args:
            coefficients: a, of the raw features, shape (d_v + d_t,).

        Raises:
            InputError: if they are not finite or of another shape.
        """
        a = finite_array("coefficients", coefficients, 1)
        if a.size != self.eigenvalues.size:
            raise InputError(
                f"coefficients must have one value per feature of v and t,"
                f" {self.eigenvalues.size}, got {a.size}"
            )
        power: Array = self.eigenvalues * (a @ self.eigenvectors) ** 2
        return power


@checked
def block_spectrum(moment: Array, scale: Array, target: Array) -> tuple[Array, Array]:
    """Return eigenvalues of scaled features and the target's power along each, block by block.

    The features are x = diag(scale) z with E[z z^T] = moment, the target is a . z with
    E[a a^T] = target; the eigenvector U_k of E[x x^T] has the power w^T E[a a^T] w with
    w = moment diag(scale) U_k / sqrt(lambda_k). Power that the features do not span, as where a
    scale is 0, is put at the first zero eigenvalue of its block, where it is never learned.

    Args:
        moment: of unit-variance coordinates, shape (blocks, k, k).
        scale: at least 0, shape (blocks, k).
        target: second moment of the coefficients, shape (blocks, k, k).

    Returns:
        Eigenvalues and powers, descending in each block, shape (blocks, k) each.

    Example:
        >>> import numpy as np
        >>> moment, even = np.array([[[1.0, 0.5], [0.5, 1.0]]]), np.eye(2)[None]
        >>> block_spectrum(moment, np.ones((1, 2)), even)
        (array([[1.5, 0.5]]), array([[1.5, 0.5]]))
        >>> block_spectrum(moment, np.array([[1.0, 0.0]]), even)  # t is absent
        (array([[1., 0.]]), array([[1.25, 0.75]]))
    """
    values, vectors = np.linalg.eigh(scale[:, :, None] * moment * scale[:, None, :])
    values, vectors = values[:, ::-1], vectors[:, :, ::-1]
    present = values > 4 * scale.shape[1] * _EPSILON * np.maximum(values[:, :1], 0.0)
    kept = np.where(present, values, 0.0)
    directions = moment @ (scale[:, :, None] * vectors)
    power = np.einsum("bik,bij,bjk->bk", directions, target, directions)
    power = np.where(present, power / np.where(present, kept, 1.0), 0.0)
    unseen = np.einsum("bij,bij->b", moment, target) - power.sum(axis=1)
    first = np.argmin(present, axis=1)  # the first that is not present
    rows = np.flatnonzero(~present.all(axis=1))
    power[rows, first[rows]] = np.maximum(unseen[rows], 0.0)
    return kept, power


@checked
def correlated_pairs(rho: Array, d_v: int) -> tuple[_Index, Array]:
    """Return which coordinates of [z_v; z_t] correlate, and their second moments.

    Args:
        rho: canonical correlations of coordinate i of z_v with coordinate i of z_t, shape (m,).
        d_v: number of coordinates of z_v, at least m.

    Returns:
        Indices into [z_v; z_t], shape (m, 2), and [[1, rho_i], [rho_i, 1]], shape (m, 2, 2).

    Example:
        >>> import numpy as np
        >>> index, moment = correlated_pairs(np.array([0.5]), d_v=3)
        >>> index.tolist(), moment.tolist()
        ([[0, 3]], [[[1.0, 0.5], [0.5, 1.0]]])
    """
    pairs = np.arange(rho.size)
    return np.stack([pairs, d_v + pairs], axis=1), _pair_moment(rho)


@checked
def coupled_products(
    rho: Array, d_t: int, centred: bool
) -> tuple[tuple[_Index, Array], tuple[_Index, Array]]:
    """Return which products z_v,i z_t,j of Gaussian coordinates correlate, and their moments.

    z_v,i z_t,j and z_v,j z_t,i have the covariance rho_i rho_j; z_v,i z_t,i has the variance
    1 + rho_i^2 and the mean rho_i. All other products are uncorrelated, with variance 1.

    Args:
        rho: canonical correlations of coordinate i of z_v with coordinate i of z_t, shape (m,).
        d_t: number of coordinates of z_t, at least m.
        centred: whether the moments are covariances, or second moments with the means in them.

    Returns:
        Indices into vec(z_v z_t^T), row by row, and moments: of the m (m - 1) / 2 pairs with
        i < j, shapes (., 2) and (., 2, 2), and of the m products with i = j, shapes (1, m) and
        (1, m, m).

    Source: Isserlis' theorem for the fourth moments of a Gaussian.

    Example:
        >>> import numpy as np
        >>> swapped, same = coupled_products(np.array([0.5, 0.8]), d_t=2, centred=True)
        >>> swapped[0].tolist(), same[0].tolist()
        ([[1, 2]], [[0, 3]])
        >>> swapped[1]  # rho_1 rho_2 off the diagonal
        array([[[1. , 0.4],
                [0.4, 1. ]]])
    """
    i, j = np.triu_indices(rho.size, k=1)
    swapped = np.stack([i * d_t + j, j * d_t + i], axis=1)
    diagonal = np.arange(rho.size)[None] * (d_t + 1)
    moment = np.eye(rho.size) + np.diag(rho**2)
    if not centred:
        moment += np.outer(rho, rho)
    return (swapped, _pair_moment(rho[i] * rho[j])), (diagonal, moment[None])


def _pair_moment(correlation: Array) -> Array:
    """Return [[1, c], [c, 1]] for each correlation c, shape (m, 2, 2)."""
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    moment: Array = np.eye(2) + correlation[:, None, None] * swap
    return moment


@checked
def checked_moment(name: str, given: ArrayLike) -> Array:
    """Return a second moment as a symmetric float64 matrix; it may be 0 everywhere.

    Raises:
        InputError: if it is not square, symmetric and positive semidefinite, up to 1e-7 of its
            largest value.

    Example:
        >>> checked_moment("moment", [[1.0, 0.0], [0.0, 2.0]])
        array([[1., 0.],
               [0., 2.]])
    """
    matrix = finite_array(name, given, 2)
    if matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"{name} must be square, got shape {matrix.shape}")
    gap = float(np.abs(matrix - matrix.T).max())
    if gap > _TOLERANCE * float(np.abs(matrix).max()):
        raise InputError(f"{name} must be symmetric, got a matrix off by {gap:.3g}")
    lowest, highest = np.linalg.eigvalsh(matrix)[[0, -1]]
    if lowest < -_TOLERANCE * max(highest, 0.0):
        raise InputError(
            f"{name} must be positive semidefinite, got one with the eigenvalue {lowest:.3g}"
        )
    return (matrix + matrix.T) / 2
