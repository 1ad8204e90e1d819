"""A long list of eigenvalues, compressed so that smooth sums over it are cheap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError, finite_array, non_negative_array
from fusiontheory.constraints import checked
from fusiontheory.typing import Array

__all__ = ["Spectrum", "learned", "self_product_eigenvalues", "unlearned"]


# Eight Chebyshev points on bins half a unit wide in log lambda: functions such as
# lambda / (lambda + kappa) have their nearest pole a distance pi off the real axis, so the
# interpolation error is below 1e-9 of the value itself, at any kappa.
_POINTS = 8
_WIDTH = 0.5
# Up to here compression would save nothing that matters.
_FEW = 1024
# Largest temporary matrix (points x parameters); 2 MiB of doubles stay in cache.
_BLOCK = 2**18
# Eigenvalues binned at a time; the temporary arrays stay in cache.
_CHUNK = 2**14


@checked
@dataclass(frozen=True, eq=False)
class Spectrum:
    """Quadrature of the sums sum_i g(lambda_i) and sum_i w_i g(lambda_i) over eigenvalues.

    Both sums run over the non-zero eigenvalues and are exact up to rounding for few
    eigenvalues. For many, log lambda is cut into bins, and each bin is replaced by eight
    Chebyshev points whose weights keep the bin's moments of order 0 to 7, of the counts and of
    every ``w`` (signs allowed) alike. The points are shared, so that one evaluation of ``g``
    serves all sums. The relative error is below 1e-8 (of sum_i |w_i g(lambda_i)|) for products
    of powers, up to two, of lambda / (lambda + kappa), kappa / (lambda + kappa) and
    1 / (lambda + kappa), at every kappa.

    Attributes:
        nodes: points lambda > 0, shape (m,).
        counts: quadrature weight of each point, shape (m,); single ones may be negative.
        weights: quadrature weights by name, shape (m,) each.
        size: number of non-zero eigenvalues, the sum of ``counts``.
        zeros: number of zero eigenvalues; they are in no sum.
        zero_weights: sum of each ``w`` over the zero eigenvalues, by name.

    Example:
        >>> import numpy as np
        >>> eigenvalues = 1 / np.arange(1, 100_001)
        >>> spectrum = Spectrum.from_eigenvalues(eigenvalues, {"power": eigenvalues**2})
        >>> spectrum.nodes.size
        184
        >>> print(f"{spectrum.weighted_sum('power', lambda lam, _: lam, 0.0):.8f}")
        1.20205690
    """

    nodes: Array
    counts: Array
    size: int
    zeros: int = 0
    weights: Mapping[str, Array] = field(default_factory=dict)
    zero_weights: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_eigenvalues(
        cls, eigenvalues: ArrayLike, weights: Mapping[str, ArrayLike] | None = None
    ) -> Spectrum:
        """Compress ``eigenvalues`` and the weight vectors that go with them.

        Args:
            eigenvalues: at least 0, not all zero, one- or two-dimensional (an outer product).
            weights: by name, one weight per eigenvalue, of the same shape, any sign.

        Raises:
            InputError: for empty, negative, NaN or all-zero eigenvalues, and for weights that
                are not finite or of another shape.
        """
        values = non_negative_array("eigenvalues", eigenvalues, (1, 2))
        named: dict[str, Array] = {}
        for name, given in (weights or {}).items():
            array = finite_array(name, given, values.ndim)
            if array.shape != values.shape:
                raise InputError(
                    f"{name} must have one value per eigenvalue, shape {values.shape},"
                    f" got shape {array.shape}"
                )
            named[name] = array
        positive = values > 0
        size = int(np.count_nonzero(positive))
        if not size:
            raise InputError(f"eigenvalues must have at least one above 0, got {values.size} zeros")
        nodes, rules = _compress(values[positive], [array[positive] for array in named.values()])
        return cls(
            nodes=nodes,
            counts=rules[0],
            size=size,
            zeros=values.size - size,
            weights=dict(zip(named, rules[1:], strict=True)),
            zero_weights={name: float(w[~positive].sum()) for name, w in named.items()},
        )

    def sum(self, g: Callable[[Array, Array], Array], at: ArrayLike) -> Array:
        """Return sum_i g(lambda_i, kappa) over the non-zero eigenvalues, for each kappa.

        Args:
            g: elementwise function of eigenvalues (m,) and parameters (k, 1) that broadcasts.
            at: parameters kappa, any shape; the result has the same.
        """
        return self._integrate(self.counts, g, at)

    def weighted_sum(self, name: str, g: Callable[[Array, Array], Array], at: ArrayLike) -> Array:
        """Return sum_i w_i g(lambda_i, kappa) for the weight vector ``name``; see ``sum``."""
        return self._integrate(self.weights[name], g, at)

    def degrees(self, kappa: ArrayLike, weight: str | None = None) -> Array:
        """Return sum_i L_i, L = lambda / (lambda + kappa): the degrees of freedom at each kappa.

        Args:
            kappa: effective ridges, any shape.
            weight: name of the weight vector that the sum has; None for none.

        Example:
            >>> Spectrum.from_eigenvalues([3.0, 1.0]).degrees(1.0)
            array(1.25)
        """
        return self._integrate(self._rule(weight), learned, kappa)

    def squared_degrees(self, kappa: ArrayLike) -> Array:
        """Return sum_i L_i^2 at each kappa; over n it is gamma, the share of noise that is fitted.

        Example:
            >>> Spectrum.from_eigenvalues([3.0, 1.0]).squared_degrees(1.0)
            array(0.8125)
        """
        return self._integrate(self.counts, lambda lam, kap: learned(lam, kap) ** 2, kappa)

    def degrees_at_stake(self, kappa: ArrayLike) -> Array:
        """Return sum_i L_i (1 - L_i) at each kappa.

        Example:
            >>> Spectrum.from_eigenvalues([3.0, 1.0]).degrees_at_stake(1.0)
            array(0.4375)
        """
        return self.sum(lambda lam, kap: learned(lam, kap) * unlearned(lam, kap), kappa)

    def unlearned_degrees(self, kappa: ArrayLike) -> Array:
        """Return sum_i (1 - L_i) at each kappa, without cancellation.

        Example:
            >>> Spectrum.from_eigenvalues([3.0, 1.0]).unlearned_degrees(1.0)
            array(0.75)
        """
        return self.sum(unlearned, kappa)

    @property
    def trace(self) -> float:
        """The sum of the eigenvalues."""
        return float(self.nodes @ self.counts)

    def _rule(self, weight: str | None) -> Array:
        return self.counts if weight is None else self.weights[weight]

    def _integrate(self, rule: Array, g: Callable[[Array, Array], Array], at: ArrayLike) -> Array:
        parameters = np.asarray(at, dtype=np.float64)
        column = parameters.reshape(-1, 1)
        total = np.empty(column.shape[0])
        step = max(1, _BLOCK // self.nodes.size)
        for start in range(0, column.shape[0], step):
            block = slice(start, start + step)
            total[block] = g(self.nodes, column[block]) @ rule
        return total.reshape(parameters.shape)


@checked
def learned(eigenvalue: Array, kappa: Array) -> Array:
    """Return L = lambda / (lambda + kappa), the part of each eigenfunction that is learned.

    Both arguments broadcast; lambda + kappa must not be 0. Simon et al., arXiv:2110.03922.

    Example:
        >>> import numpy as np
        >>> learned(np.array([3.0, 1.0]), np.array(1.0))
        array([0.75, 0.5 ])
    """
    result: Array = eigenvalue / (eigenvalue + kappa)
    return result


@checked
def unlearned(eigenvalue: Array, kappa: Array) -> Array:
    """Return 1 - L = kappa / (lambda + kappa), without cancellation; see ``learned``.

    Example:
        >>> import numpy as np
        >>> unlearned(np.array([3.0, 1.0]), np.array(1.0))
        array([0.25, 0.5 ])
    """
    result: Array = kappa / (eigenvalue + kappa)
    return result


def _compress(values: Array, weights: list[Array]) -> tuple[Array, list[Array]]:
    """Return the points and, for the counts and each weight vector, their quadrature weights."""
    lowest = np.log(values.min())
    number, moments = _chebyshev_moments(values, weights, lowest)
    occupied = np.flatnonzero(number)
    if values.size <= max(_FEW, _POINTS * occupied.size):
        return values, [np.ones_like(values), *weights]

    orders = np.arange(_POINTS)
    angles = np.pi * (orders + 0.5) / _POINTS
    # Discrete orthogonality of T_0 .. T_7 on the Chebyshev points turns moments into weights.
    to_points = np.cos(np.outer(angles, orders)) * np.where(orders == 0, 1.0, 2.0) / _POINTS
    rules = np.einsum("jk,rkb->rbj", to_points, moments[:, :, occupied])
    log_nodes = lowest + _WIDTH * (occupied[:, None] + (np.cos(angles) + 1) / 2)
    return np.exp(log_nodes).ravel(), [rule.ravel() for rule in rules]


def _chebyshev_moments(
    values: Array, weights: list[Array], lowest: float
) -> tuple[NDArray[np.intp], Array]:
    """Return each bin's count and its sums of w T_k(u), shape (1 + len(weights), 8, bins)."""
    bins = int((np.log(values.max()) - lowest) / _WIDTH) + 1
    number = np.zeros(bins, dtype=np.intp)
    moments = np.zeros((1 + len(weights), _POINTS, bins))
    for start in range(0, values.size, _CHUNK):
        chunk = slice(start, start + _CHUNK)
        # Clipped, because log(min) and the log of the whole array may differ in the last digit.
        offset = np.clip((np.log(values[chunk]) - lowest) / _WIDTH, 0, None)
        index = np.minimum(offset.astype(np.intp), bins - 1)
        u = 2 * (offset - index) - 1
        number += np.bincount(index, minlength=bins)
        previous, current = u, np.ones_like(u)  # T_{-1} = T_1 and T_0
        for order in range(_POINTS):
            moments[0, order] += np.bincount(index, weights=current, minlength=bins)
            for row, weight in enumerate(weights, start=1):
                moments[row, order] += np.bincount(
                    index, weights=current * weight[chunk], minlength=bins
                )
            previous, current = current, 2 * u * current - previous
    return number, moments


@checked
def self_product_eigenvalues(eigenvalues: Array) -> Array:
    """Return the covariance eigenvalues of v (x) v for Gaussian v: 2 lambda_i lambda_j, i <= j.

    Args:
        eigenvalues: of the covariance of v, shape (d,).

    Example:
        >>> self_product_eigenvalues(np.array([2.0, 1.0]))
        array([8., 4., 2.])
    """
    row, column = np.triu_indices(eigenvalues.size)
    return np.asarray(2 * eigenvalues[row] * eigenvalues[column])
