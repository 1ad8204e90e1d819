"""One eigendecomposition of a centred kernel matrix, and what every ridge has in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError, finite_array
from fusiontheory.constraints import checked
from fusiontheory.typing import Array

__all__ = ["PilotSpectrum"]


# Eigenvalues below this share of the largest are rounding of zero.
_ROUNDING = 1e-13
# Ridges of the grid, from far above every eigenvalue to far below those that matter.
RIDGES = 72
_ABOVE, _BELOW = 1e2, 1e-9
# Items from which a risk is estimated, counted in effective numbers (Golub, Heath & Wahba).
_LEAST_COUNT = 8.0


@checked
@dataclass(frozen=True, eq=False)
class PilotSpectrum:
    r"""Eigenvalues l_i and vectors U of a kernel matrix centred over n0 items.

    The constant vector, which the free intercept has, is left out: m = n0 - 1 directions. For a
    ridge delta, s_i = delta / (l_i + delta) and

    .. math::
        \kappa = \delta / \sum s, \quad df_1 = m - \sum s, \quad
        df_2 = m - (\sum s)^2 / \sum s^2.

    Attributes:
        values: (m,) l_i >= 0, falling.
        vectors: (n0, m).

    Source: Jacot et al., arXiv:2006.09796; Wei, Hu & Steinhardt, arXiv:2203.06176.

    Example:
        >>> x = np.arange(6.0)[:, None]
        >>> PilotSpectrum.from_kernel(x @ x.T).values.round(6)
        array([17.5,  0. ,  0. ,  0. ,  0. ])
    """

    values: Array
    vectors: Array

    @classmethod
    def from_kernel(cls, kernel: ArrayLike) -> PilotSpectrum:
        """Centre and decompose a symmetric kernel matrix (n0, n0).

        Raises:
            InputError: if it is not square, symmetric, finite, or has large negative eigenvalues.
        """
        matrix = checked_kernel(kernel)
        rows = matrix.mean(0)
        centred = matrix - rows - rows[:, None] + rows.mean()
        # The constant vector would mix with other null vectors; lifted above all, it is the last.
        lift = 2 * float(np.linalg.norm(centred))
        if lift <= 1e-12 * float(np.abs(matrix).max(initial=1e-300)) * len(matrix):
            raise InputError("kernel is constant over the items: nothing can be learned from it")
        centred += lift / len(matrix)
        # NumPy's lets other threads go on (`fusiontheory.advise` measures heads side by side);
        # SciPy's takes as long and does not.
        values, vectors = np.linalg.eigh(centred)
        values, vectors = values[-2::-1], vectors[:, -2::-1]
        if values[-1] < -1e-6 * values[0]:
            raise InputError(
                "kernel must have no negative eigenvalues, got"
                f" {values[-1]:.3g} beside {values[0]:.3g}"
            )
        values = np.where(values < _ROUNDING * values[0] * len(values), 0.0, values)
        return cls(values, vectors)

    @property
    def items(self) -> int:
        """Number of items n0."""
        return len(self.vectors)

    @cached_property
    def ridges(self) -> Array:
        """Falling grid of ridges, in the units of the kernel matrix."""
        top = float(self.values[0])
        return np.geomspace(_ABOVE * top, _BELOW * top, RIDGES)

    def shrinkage(self, ridges: Array) -> Array:
        """Return s_i = delta / (l_i + delta), shape (ridges, m)."""
        shrinkage: Array = ridges[:, None] / (self.values + ridges[:, None])
        return shrinkage

    def freedom(self, ridges: Array) -> tuple[Array, Array, Array, Array]:
        """Return kappa, df1, df2 and the effective count of items, each of the ridges' shape."""
        s = self.shrinkage(ridges)
        total, squared = s.sum(1), (s**2).sum(1)
        # sum l/(l + delta), not m - sum s, which cancels for large ridges.
        df1 = (self.values / (self.values + ridges[:, None])).sum(1)
        df2 = len(self.values) - total**2 / squared
        return ridges / total, df1, np.maximum(df2, 0.0), squared**2 / (s**4).sum(1)

    def believable(self, ridges: Array) -> NDArray[np.bool_]:
        """Return which ridges leave at least 8 effective items to estimate a risk from."""
        enough: NDArray[np.bool_] = self.freedom(ridges)[3] >= _LEAST_COUNT
        return enough


def checked_kernel(kernel: ArrayLike) -> Array:
    """Return a square symmetric kernel matrix.

    Raises:
        InputError: if it is not one.
    """
    matrix = finite_array("kernel", kernel, 2)
    if matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"kernel must be square, got shape {matrix.shape}")
    difference = float(np.abs(matrix - matrix.T).max())
    if difference > 1e-6 * float(np.abs(matrix).max()):
        raise InputError(f"kernel must be symmetric, got entries that differ by {difference:.3g}")
    return matrix
