"""Sharp test error of ridge regression on v (x) t, v and t Gaussian with canonical correlations.

Coordinate i of v and coordinate i of t have correlation rho_i, as in the basis of canonical
correlation analysis; everything else is independent. The products phi_ij = v_i t_j then have second
moments in small blocks, and so has every matrix of the leave-one-out argument of
``product_ridge_risk``: the same equations hold with the law of the leverage taken over draws of
(v, t) instead of by quadrature. Derivation: docs/product_features.md.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator, gmres
from scipy.special import ndtri
from scipy.stats import qmc

from fusiontheory.checks import (
    InputError,
    ValidityWarning,
    finite_array,
    non_negative,
    non_negative_array,
    positive_integer,
    sample_sizes,
    set_checked,
)
from fusiontheory.constraints import checked
from fusiontheory.risk.product_blocks import ProductBlocks, at_least, identity_like, stepped
from fusiontheory.risk.ridge import effective_ridge
from fusiontheory.typing import Array

__all__ = ["CorrelatedProducts"]


# Without ridge the equations are solved at this ridge, relative to the largest eigenvalue.
_LEAST_RIDGE = 1e-10
# Relative change of the resolvent at which Newton's method has converged.
_CONVERGED = 1e-9
_ROUNDS = 100


@checked
@dataclass(frozen=True, eq=False)
class CorrelatedProducts:
    """The features v (x) t of Gaussian pairs with canonical correlations, and their ridge risk.

    Attributes:
        eigenvalues_v: variances of v, shape (d_v,), at least 0, not all 0.
        eigenvalues_t: variances of t, shape (d_t,), likewise.
        correlation: rho_i in [0, 1] between v_i and t_i, shape (min(d_v, d_t),), or one number
            for all.
        intercept: whether the fit has an intercept that is not penalised.
        samples: draws of (v, t) over which the law of the leverage is taken, a power of 2.
        seed: of the draws (scrambled Sobol points).

    Raises:
        InputError: for negative, NaN, empty or all-zero eigenvalues, a correlation outside
            [0, 1] or of another shape, samples that are not a power of 2.

    Source: derived in docs/product_features.md. With all rho_i = 0 it is ``product_ridge_risk``,
    up to the noise of the draws.

    Example:
        >>> import numpy as np
        >>> products = CorrelatedProducts(np.ones(3), np.ones(3), 0.5)
        >>> products.eigenvalues.round(2)  # 3 of 1 - rho^2, 5 of 1 + rho^2, one with the mean
        array([0.75, 0.75, 0.75, 1.25, 1.25, 1.25, 1.25, 1.25, 2.  ])
    """

    eigenvalues_v: Array
    eigenvalues_t: Array
    correlation: Array
    intercept: bool = False
    samples: int = 2**15
    seed: int = 0
    _solved: dict[tuple[float, float], tuple[ProductBlocks, Array]] = field(
        init=False, repr=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        """Check every field; arrays become float64."""
        for name in ("eigenvalues_v", "eigenvalues_t"):
            values = non_negative_array(name, getattr(self, name), 1)
            if not values.any():
                raise InputError(f"{name} must have at least one above 0, got {values.size} zeros")
            set_checked(self, name, values)
        shared = min(self.shape)
        rho = non_negative_array("correlation", self.correlation, (0, 1))
        if rho.ndim and rho.size != shared:
            raise InputError(
                f"correlation must have min(d_v, d_t) = {shared} values or be one number,"
                f" got {rho.size}"
            )
        if rho.max() > 1:
            raise InputError(f"correlation must be at most 1, got {rho.max():g}")
        set_checked(self, "correlation", np.broadcast_to(rho, (shared,)).copy())
        samples = positive_integer("samples", self.samples, minimum=2)
        if samples & (samples - 1):
            raise InputError(f"samples must be a power of 2, got {samples}")
        positive_integer("seed", self.seed, minimum=0)

    @property
    def shape(self) -> tuple[int, int]:
        """The dimensions d_v and d_t."""
        return self.eigenvalues_v.size, self.eigenvalues_t.size

    @cached_property
    def eigenvalues(self) -> Array:
        """Eigenvalues of E[phi phi^T], increasing, shape (d_v d_t,).

        Of the covariance of phi, less its mean, if there is an intercept. Products (i, j) and
        (j, i) with i < j form a block of two; the d products (i, i) a block that has the mean.
        """
        moments = self._moments
        above = np.triu_indices(max(self.shape), 1)
        centre = (moments.own[above] + moments.own.T[above]) / 2
        reach = np.hypot((moments.own[above] - moments.own.T[above]) / 2, moments.swap[above])
        equal = moments.equal
        if self.intercept:
            equal = equal[:-1, :-1] - np.outer(equal[-1, :-1], equal[-1, :-1])
        values = np.concatenate([centre - reach, centre + reach, np.linalg.eigvalsh(equal)])
        # Those added to make both modalities equally wide are exact zeros; rounding is not.
        d_v, d_t = self.shape
        largest: Array = np.clip(np.sort(values)[-d_v * d_t :], 0.0, None) * self._scale
        return largest

    def risk(
        self,
        coefficients: ArrayLike,
        n: ArrayLike,
        ridge: float,
        noise: float,
        additive: ArrayLike | None = None,
    ) -> Array:
        """Return the test mean squared error for the target z^T B w + a . [z; w] + noise.

        z and w are v and t scaled to unit variance.

        Args:
            coefficients: B, with signs, shape (d_v, d_t); 0 where an eigenvalue is 0.
            n: sample sizes, at least 1, shape (k,) or one.
            ridge: delta >= 0 of K + delta I, in the units of products of eigenvalues.
            noise: s^2 >= 0, variance of label noise.
            additive: a, shape (d_v + d_t,), a part that no product represents; 0 if not given.

        Returns:
            Squared label units, noise included, shape (k,). Infinite, with a ``ValidityWarning``,
            where ridge is 0 and n the number of non-zero eigenvalues.

        Raises:
            InputError: for shapes that do not fit, a coefficient at a zero eigenvalue, a negative
                ridge or noise, n below 1, or at 1 with an intercept.
        """
        target = self._of_shape("coefficients", coefficients)
        d_v, d_t = self.shape
        linear = np.zeros(d_v + d_t) if additive is None else finite_array("additive", additive, 1)
        if linear.size != d_v + d_t:
            raise InputError(f"additive must have {d_v + d_t} values, got {linear.size}")
        raw = self._raw_coefficients(target)

        def bias(response: ProductBlocks) -> float:
            off = raw * (response.own * raw + response.swap * raw.T)
            diagonal = np.diag(raw)
            d = diagonal.size
            return float(off.sum() + diagonal @ response.equal[:d, :d] @ diagonal)

        z, w = self._draws
        missing = (z[:, :d_v] @ linear[:d_v] + w[:, :d_t] @ linear[d_v:]) ** 2
        return self._risk(bias, missing, n, ridge, noise)

    def mean_risk(
        self,
        target_power: ArrayLike,
        n: ArrayLike,
        ridge: float,
        noise: float,
        additive_power: ArrayLike | None = None,
    ) -> Array:
        """Return ``risk`` averaged over independent random signs of all coefficients.

        Args:
            target_power: B_ij^2, shape (d_v, d_t).
            n: as for ``risk``.
            ridge: as for ``risk``.
            noise: as for ``risk``.
            additive_power: a_i^2, shape (d_v + d_t,).

        Raises:
            InputError: as ``risk``, and for a negative power.
        """
        power = non_negative_array("target_power", target_power, 2)
        raw = self._raw_coefficients(self._of_shape("target_power", np.sqrt(power))) ** 2
        d_v, d_t = self.shape
        linear = (
            np.zeros(d_v + d_t)
            if additive_power is None
            else non_negative_array("additive_power", additive_power, 1)
        )
        if linear.size != d_v + d_t:
            raise InputError(f"additive_power must have {d_v + d_t} values, got {linear.size}")

        def bias(response: ProductBlocks) -> float:
            d = len(raw)
            return float((raw * response.own).sum() + np.diag(raw) @ np.diag(response.equal)[:d])

        z, w = self._draws
        missing = z[:, :d_v] ** 2 @ linear[:d_v] + w[:, :d_t] ** 2 @ linear[d_v:]
        return self._risk(bias, missing, n, ridge, noise)

    def _risk(
        self,
        bias: Callable[[ProductBlocks], float],
        missing: Array,
        n: ArrayLike,
        ridge: float,
        noise: float,
    ) -> Array:
        sizes = sample_sizes("n", n)
        delta = non_negative("ridge", ridge) / self._scale
        variance = non_negative("noise", noise)
        if self.intercept and sizes.min() <= 1:
            raise InputError(
                f"n must be above 1 with an intercept, which takes one sample, got {sizes.min():g}"
            )
        rank = int(np.count_nonzero(self.eigenvalues > self.eigenvalues[-1] * 1e-12))
        rank += self.intercept
        result = np.empty(sizes.size)
        for position, size in enumerate(sizes):
            if delta == 0 and size == rank:
                result[position] = np.inf
                warnings.warn(
                    f"the risk is infinite at n = {size:g}, the number of non-zero eigenvalues,"
                    " without ridge; use a ridge above 0 there",
                    ValidityWarning,
                    stacklevel=3,
                )
                continue
            used = max(delta, _LEAST_RIDGE)
            if (size, used) not in self._solved:
                self._solved[size, used] = self._response(float(size), used)
            response, weight = self._solved[size, used]
            result[position] = used**2 * bias(response)
            result[position] += float(np.mean((variance + missing) * (1 + size * weight)))
        return result

    @cached_property
    def _scale(self) -> float:
        """The largest product of eigenvalues; in its units nothing overflows."""
        return float(self.eigenvalues_v.max() * self.eigenvalues_t.max())

    @cached_property
    def _standard(self) -> tuple[Array, Array, Array]:
        """Variances in units of the largest, and correlations, padded to one length d."""
        d = max(self.shape)
        v, t, rho = np.zeros(d), np.zeros(d), np.zeros(d)
        v[: self.shape[0]] = self.eigenvalues_v / self.eigenvalues_v.max()
        t[: self.shape[1]] = self.eigenvalues_t / self.eigenvalues_t.max()
        rho[: self.correlation.size] = self.correlation
        return v, t, rho

    @cached_property
    def _draws(self) -> tuple[Array, Array]:
        """Draws of z and w, (samples, d) each; with (z, w) also (w, z), so that swaps are exact."""
        _, _, rho = self._standard
        points = qmc.Sobol(2 * rho.size, seed=self.seed).random(self.samples // 2)
        normal = ndtri(np.clip(points, 1e-12, 1 - 1e-12))
        z = normal[:, : rho.size]
        w = rho * z + np.sqrt(1 - rho**2) * normal[:, rho.size :]
        return np.concatenate([z, w]), np.concatenate([w, z])

    @cached_property
    def _squares(self) -> tuple[Array, Array, Array]:
        """v_i^2, t_i^2 and v_i t_i of every draw, the last with a column of 1 for an intercept."""
        v, t, _ = self._standard
        z, w = self._draws
        equal = z * w * np.sqrt(v * t)
        if self.intercept:
            equal = np.hstack([equal, np.ones((len(equal), 1))])
        return z**2 * v, w**2 * t, equal

    @cached_property
    def _moments(self) -> ProductBlocks:
        """E[phi phi^T], exact."""
        v, t, rho = self._standard
        mean = rho * np.sqrt(v * t)
        equal = np.outer(mean, mean)
        swap = equal.copy()
        np.fill_diagonal(swap, 0.0)
        own = np.outer(v, t)
        equal[np.diag_indices_from(equal)] += np.diag(own) + mean**2
        np.fill_diagonal(own, 0.0)
        if self.intercept:
            equal = np.block([[equal, mean[:, None]], [mean[None, :], np.ones((1, 1))]])
        return ProductBlocks(own, swap, equal)

    @cached_property
    def _carrier(self) -> ProductBlocks:
        """T of the draws' features T phi, whose second moment is the exact one."""
        return self._raw_weighted(np.ones(self.samples)).carried_to(self._moments)

    def _weighted(self, weights: Array) -> ProductBlocks:
        """Return the mean of weights x phi phi^T over the draws, phi carried to exact moments."""
        return self._carrier.around(self._raw_weighted(weights))

    def _raw_weighted(self, weights: Array) -> ProductBlocks:
        first, second, equal = self._squares
        own = (first * weights[:, None]).T @ second / weights.size
        joint = (equal * weights[:, None]).T @ equal / weights.size
        d = len(own)
        swap = joint[:d, :d].copy()
        np.fill_diagonal(own, 0.0)
        np.fill_diagonal(swap, 0.0)
        return ProductBlocks(own, swap, joint)

    def _form(self, matrix: ProductBlocks) -> Array:
        """Return phi^T X phi of every draw, phi carried to exact moments."""
        first, second, equal = self._squares
        matrix = self._carrier.around(matrix)
        d = len(matrix.own)
        joint = matrix.equal.copy()
        joint[:d, :d] += matrix.swap
        own = np.einsum("si,si->s", first @ matrix.own, second)
        return np.asarray(own + np.einsum("si,si->s", equal @ joint, equal))

    def _response(self, n: float, ridge: float) -> tuple[ProductBlocks, Array]:
        """Return E[G M G] and what noise at each draw adds to the risk, over n.

        G = (n S + ridge)^{-1}, S = F(S) = E[phi phi^T / (1 + phi^T G phi)], by Newton's method. F
        grows with S and is concave, so that from any S >= F(S) the steps fall to the solution.
        """
        penalty = identity_like(self._moments, ridge, free=self.intercept)
        # For an intercept, one sample.
        kappa = effective_ridge(self.eigenvalues / self._scale, max(n - self.intercept, 1.0), ridge)
        current = self._above(n, penalty, min(ridge / (n * kappa), 1.0))
        for _ in range(_ROUNDS):
            resolvent = (current.times(n) + penalty).inverse()
            damping = 1 / (1 + self._form(resolvent))
            gap = (self._weighted(damping) + current.times(-1.0)).packed()
            size = float(np.linalg.norm(current.packed()))
            if float(np.linalg.norm(gap)) <= _CONVERGED * size:
                break
            change = self._solve(gap, resolvent, damping, n, 1e-5)
            current = stepped(current, current.unpacked(change))
        else:
            raise ArithmeticError(f"the equations were not solved at n = {n:g}, ridge = {ridge:g}")
        plain = self._weighted(damping**2 * self._form(resolvent.around(self._moments)))
        gained = current.unpacked(self._solve(plain.packed(), resolvent, damping, n, 1e-8))
        response = resolvent.around(self._moments + gained.times(n))
        return response, damping**2 * self._form(response)

    def _above(self, n: float, penalty: ProductBlocks, share: float) -> ProductBlocks:
        """Return a multiple of the second moment, ``share`` or more, that is S >= F(S)."""
        while share < 1:
            current = self._moments.times(share)
            damping = 1 / (1 + self._form((current.times(n) + penalty).inverse()))
            if at_least(current, self._weighted(damping)):
                return current
            share *= 2
        return self._moments

    def _solve(
        self, right: Array, resolvent: ProductBlocks, damping: Array, n: float, tolerance: float
    ) -> Array:
        """Solve U - n E[phi phi^T (phi^T G U G phi) / (1 + h)^2] = right for U."""

        def times(values: Array) -> Array:
            inner = resolvent.around(self._moments.unpacked(values))
            return values - n * self._weighted(damping**2 * self._form(inner)).packed()

        operator = LinearOperator((right.size, right.size), matvec=times, dtype=np.float64)
        solution, failed = gmres(operator, right, rtol=tolerance, restart=60, maxiter=20)
        if failed:
            raise ArithmeticError(f"the linear equations were not solved at n = {n:g}")
        return np.asarray(solution, dtype=np.float64)

    def _of_shape(self, name: str, given: ArrayLike) -> Array:
        array = finite_array(name, given, 2)
        if array.shape != self.shape:
            raise InputError(f"{name} must have shape {self.shape}, got {array.shape}")
        dead = np.outer(self.eigenvalues_v, self.eigenvalues_t) == 0
        if array[dead].any():
            raise InputError(f"{name} must be 0 where an eigenvalue is 0; count it as noise")
        return array

    def _raw_coefficients(self, target: Array) -> Array:
        """Return the coefficients of v_i t_j, in units of the largest eigenvalues, padded."""
        v, t, _ = self._standard
        d_v, d_t = self.shape
        raw = np.zeros((v.size, t.size))
        root = np.sqrt(np.outer(v[:d_v], t[:d_t]))
        raw[:d_v, :d_t] = np.divide(target, root, out=np.zeros_like(target), where=root > 0)
        return raw
