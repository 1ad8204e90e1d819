"""Sharp test error of ridge regression on products phi = v (x) t of two Gaussian modalities.

``ridge_risk`` holds for features whose quadratic forms phi^T G phi hardly vary between samples.
Products break that: the leverage h = phi^T G phi of a sample grows with the size of v and of t,
and varies by 1 / d_v + 1 / d_t however large n is. See docs/product_features.md for the law of h.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import (
    InputError,
    ValidityWarning,
    non_negative,
    non_negative_array,
    sample_sizes,
)
from fusiontheory.constraints import checked
from fusiontheory.risk.ridge import effective_ridge
from fusiontheory.typing import Array, Sizes

__all__ = ["product_ridge_risk"]


# Nodes reach to where the density of a quadratic form has fallen by about exp(-20), a step of
# 0.4 in log scale apart or closer.
_DEPTH, _STEP = 20.0, 0.4
_NODES = 20
# Points on the inversion contour and its end: an error below 1e-6 up to 1500 features.
_CONTOUR = 40
_END = 3.6
_STRIDE = 0.7  # the longest Newton step in the logarithm of the shares
_ROUNDS = 200


@overload
def product_ridge_risk(
    eigenvalues_v: ArrayLike,
    eigenvalues_t: ArrayLike,
    target_power: ArrayLike,
    n: float,
    ridge: float,
    noise: float,
    additive_power: ArrayLike | None = None,
) -> float: ...
@overload
def product_ridge_risk(
    eigenvalues_v: ArrayLike,
    eigenvalues_t: ArrayLike,
    target_power: ArrayLike,
    n: Sizes,
    ridge: float,
    noise: float,
    additive_power: ArrayLike | None = None,
) -> Array: ...
@checked
def product_ridge_risk(
    eigenvalues_v: ArrayLike,
    eigenvalues_t: ArrayLike,
    target_power: ArrayLike,
    n: float | Sizes,
    ridge: float,
    noise: float,
    additive_power: ArrayLike | None = None,
) -> float | Array:
    """Return the test mean squared error of ridge regression on v (x) t, v and t Gaussian.

    With z_i, w_j the features scaled to unit variance and lambda_ij = lambda_v,i lambda_t,j, the
    mean resolvent G is diagonal in the product eigenbasis and solves

        a_ij = lambda_ij / (n lambda_ij S_ij + delta),   S_ij = E[z_i^2 w_j^2 / (1 + h)],
        h = (sum_i r_i z_i^2) (sum_j c_j w_j^2) / sum_ij a_ij,   r_i = sum_j a_ij, c_j = sum_i a_ij.

    The risk carries the law of the leverage h through x, the response of a to a change of G:

        risk = sum_ij (1 - L_ij)^2 b_ij^2 (1 + n T_ij) + s^2 (1 + n E[Y / (1 + h)^2]),
        1 - L_ij = delta / (n lambda_ij S_ij + delta),   T_ij = E[z_i^2 w_j^2 Y / (1 + h)^2],
        x_ij = a_ij^2 (1 + n T_ij),   Y = (dh / da) x.

    Where h does not vary this is ``ridge_risk``. The expectations are integrals over the laws of
    the two factors of h, found by inverting their Laplace transforms; there is no free constant
    and no random number. Left out are terms of relative size 1/d_v^2, 1/d_t^2 and 1/n; they
    show just below interpolation with few features and next to no ridge.

    Args:
        eigenvalues_v: variances of v, shape (d_v,), at least 0, not all 0.
        eigenvalues_t: variances of t, shape (d_t,), likewise.
        target_power: b_ij^2, the variance of the target along z_i w_j, shape (d_v, d_t);
            lambda_ij beta_ij^2 for a target v^T beta t. What has eigenvalue 0 is not learned.
        n: sample size or sizes, at least 1.
        ridge: delta >= 0, absolute, in the units of the products lambda_v,i lambda_t,j.
        noise: s^2 >= 0, variance of label noise that is independent of v and t.
        additive_power: variance of a target part linear in [z; w], shape (d_v + d_t,), which no
            product can represent; 0 if not given. Unlike noise it is larger where h is larger.

    Returns:
        Squared label units, noise and additive power included; a float for a scalar n, else the
        shape of n. Infinite, with a ``ValidityWarning``, where ridge is 0 and n the number of
        non-zero products of eigenvalues. Time O(d_v d_t (d_v + d_t)), memory O(d_v^2 + d_t^2).

    Raises:
        InputError: for negative, NaN, empty or all-zero eigenvalues, powers of the wrong shape
            or negative, a negative ridge or noise, n < 1; and for ridge 0 with n below the number
            of products where a modality has fewer than 3 non-zero eigenvalues: samples with a
            v or t near 0 then make the error infinite.
        ArithmeticError: if the equations were not solved, which is not known to happen.

    Source: derived in docs/product_features.md. The method is leave-one-out; El Karoui, "On the
    impact of predictor geometry on the performance on high-dimensional ridge-regularized
    generalized robust regression estimators", has it for features with one random length.

    Example:
        >>> import numpy as np
        >>> from fusiontheory.risk import ridge_risk
        >>> flat, power = np.ones(20), np.full((20, 20), 1 / 400)
        >>> print(f"{product_ridge_risk(flat, flat, power, 200, ridge=10.0, noise=0.25):.3f}")
        0.996
        >>> print(f"{ridge_risk(np.outer(flat, flat), power, 200, ridge=10.0, noise=0.25):.3f}")
        0.961
    """
    values_v = _eigenvalues("eigenvalues_v", eigenvalues_v)
    values_t = _eigenvalues("eigenvalues_t", eigenvalues_t)
    power = _of_shape("target_power", target_power, (values_v.size, values_t.size))
    width = values_v.size + values_t.size
    additive = (
        np.zeros(width)
        if additive_power is None
        else _of_shape("additive_power", additive_power, (width,))
    )
    sizes = sample_sizes("n", n)
    delta = non_negative("ridge", ridge)
    variance = non_negative("noise", noise)
    rank_v, rank_t = int(np.count_nonzero(values_v)), int(np.count_nonzero(values_t))
    if delta == 0 and min(rank_v, rank_t) < 3 and sizes.min() < rank_v * rank_t:
        raise InputError(
            f"ridge must be above 0 at n = {sizes.min():g}, below {rank_v * rank_t} features, with"
            f" fewer than 3 non-zero eigenvalues in a modality, got {rank_v} and {rank_t}"
        )
    # In units of the largest eigenvalues nothing overflows, and the units drop out exactly.
    scale_v, scale_t = values_v.max(), values_t.max()
    setting = (values_v / scale_v, values_t / scale_t, delta / scale_v / scale_t)
    risk = np.empty_like(sizes)
    for position, size in enumerate(sizes):
        if setting[2] == 0 and size == rank_v * rank_t:
            risk[position] = np.inf
            continue
        factors = _solve(*setting, float(size))
        risk[position] = (
            np.sum(power * factors.unlearned**2 * factors.products)
            + additive @ factors.singles
            + variance * factors.constant
        )
    if np.isinf(risk).any():
        warnings.warn(
            f"the risk is infinite at n = {sizes[np.isinf(risk)][0]:g}, the number of non-zero"
            " eigenvalues, without ridge; use a ridge above 0 there",
            ValidityWarning,
            stacklevel=2,
        )
    return float(risk[0]) if np.ndim(n) == 0 else risk


@dataclass(frozen=True, eq=False)
class _Factors:
    """By how much power along each function counts in the risk.

    Attributes:
        unlearned: 1 - L_ij, shape (d_v, d_t).
        products: 1 + n T_ij, for errors along z_i w_j, shape (d_v, d_t).
        singles: 1 + n E[z_i^2 Y / (1 + h)^2], then the same with w_j, shape (d_v + d_t,).
        constant: 1 + n E[Y / (1 + h)^2].
    """

    unlearned: Array
    products: Array
    singles: Array
    constant: float


@checked
@dataclass(frozen=True, eq=False)
class ProductLaw:
    """Quadrature for P = sum_i r_i z_i^2 with independent standard normal z_i.

    Attributes:
        nodes: values of P, shape (k,).
        plain: weights of E[F(P)], shape (k,).
        single: weights of E[z_i^2 F(P)], shape (d, k).
        double: weights of E[z_i^2 z_k^2 F(P)], shape (d, d, k).
    """

    nodes: Array
    plain: Array
    single: Array
    double: Array

    @classmethod
    def of(cls, r: Array) -> ProductLaw:
        """Invert the Laplace transform phi(zeta) = prod_i (1 + 2 r_i zeta)^{-1/2}.

        z_i^2 under the expectation multiplies phi by 1 / (1 + 2 r_i zeta). Nodes are indexed by
        their saddle point zeta, at which P has the tilted mean sum_i r_i / (1 + 2 r_i zeta); the
        contour through it is a hyperbola that bends left by at most 45 degrees, along which
        |exp(P zeta) phi(zeta)| can only fall.
        """
        top = r.max()
        log_scale = np.sinh(np.linspace(-3, 5, 129))
        zeta, mean, _, log_phi = _tilt(r, log_scale)
        # Signed root of the drop of the log density: nearly linear, so that it interpolates.
        drop = np.sign(log_scale) * np.sqrt(np.maximum(-2 * (zeta * mean + log_phi), 0))
        low, high = np.interp([-np.sqrt(2 * _DEPTH), np.sqrt(2 * _DEPTH)], drop, log_scale)
        log_scale = np.linspace(low, high, max(_NODES, int(np.ceil((high - low) / _STEP))))
        zeta, nodes, spread, _ = _tilt(r, log_scale)
        measure = spread * np.exp(log_scale) / (2 * top) * (log_scale[1] - log_scale[0])

        turn = (np.arange(_CONTOUR) + 0.5) * (_END / _CONTOUR)
        size = (1.5 / np.sqrt(spread))[:, None]
        path = zeta[:, None] + size * (1 - np.cosh(turn) + 1j * np.sinh(turn))
        along = size * (_END / _CONTOUR) * (1j * np.cosh(turn) - np.sinh(turn))
        factors = 1 + 2 * path[..., None] * r  # (nodes, contour, d)
        phi = np.exp(nodes[:, None] * path - np.log(factors).sum(axis=-1) / 2)
        weights = phi * along / np.pi * measure[:, None]
        inverse = 1 / factors
        weighted = inverse * weights[..., None]
        left = np.concatenate([weighted.real, weighted.imag], axis=1)
        right = np.concatenate([inverse.imag, inverse.real], axis=1)
        double = np.swapaxes(left, 1, 2) @ right
        same = np.arange(r.size)
        double[:, same, same] *= 3  # E[z^4] = 3
        return cls(
            nodes=nodes,
            plain=weights.imag.sum(axis=1),
            single=weighted.imag.sum(axis=1).T,
            double=np.moveaxis(double, 0, -1),
        )


def _tilt(r: Array, log_scale: Array) -> tuple[Array, Array, Array, Array]:
    """Return zeta, mean and variance of P tilted by exp(-zeta P), and log phi(zeta).

    ``log_scale`` is log(1 + 2 max(r) zeta); zeta is real, and so is everything else.
    """
    top = r.max()
    factor = 1 + r / top * np.expm1(log_scale)[:, None]
    tilted = r / factor
    return (
        np.expm1(log_scale) / (2 * top),
        tilted.sum(axis=1),
        2 * (tilted**2).sum(axis=1),
        -np.log(factor).sum(axis=1) / 2,
    )


def _solve(values_v: Array, values_t: Array, ridge: float, n: float) -> _Factors:
    """Solve for r and c by Newton's method in their logarithms; its matrix then gives x.

    The sums A(r, c) of (1) grow with r and c, by less than any factor that all of them grow by:
    with s > 1, A(s r, s c) < s A(r, c). So d log A/d log (r, c) has row sums below 1, the matrix of
    Newton's method is never singular, and there is one solution. (In r and c themselves it is
    singular where one modality has one direction and n is near interpolation.)

    G is written in units of 1 / unit_g and h in units of unit_h, one of which is the ridge and
    the other 1, so that both have a limit without ridge on either side of interpolation.
    """
    products = np.outer(values_v, values_t)
    d_v = values_v.size
    rank = np.count_nonzero(products)
    unit_h, unit_g = (1.0, ridge) if n > rank else (ridge, 1.0)
    kappa = effective_ridge(products, n, ridge)
    if n > rank:
        per_kappa = ridge / kappa if kappa > 0 else n - rank
        a = products / np.where(products > 0, ridge + per_kappa * products, 1.0)
    else:
        a = products / (1 + products / kappa)
    shares = np.concatenate([a.sum(axis=1), a.sum(axis=0)])
    present = shares > 0
    for _ in range(_ROUNDS):
        equations = _Equations(products, shares[:d_v], shares[d_v:], n, unit_h, unit_g)
        relative = np.zeros_like(shares)
        relative[present] = equations.relative_step(shares, present)
        if np.abs(relative).max() <= 1e-8:
            return equations.factors()
        shares = shares * np.exp(np.clip(relative, -_STRIDE, _STRIDE))
    raise ArithmeticError(f"the equations of the product risk were not solved at n = {n:g}")


class _Equations:
    """The equations for (r, c) at one point, linearised there."""

    def __init__(
        self, products: Array, r: Array, c: Array, n: float, unit_h: float, unit_g: float
    ) -> None:
        self.n = n
        self.total = total = float(r.sum())
        self.law_v, self.law_t = law_v, law_t = ProductLaw.of(r), ProductLaw.of(c)
        damping = 1 / (unit_h + np.outer(law_v.nodes, law_t.nodes) / total)
        explained = n * products * (law_v.single @ damping @ law_t.single.T)
        # Where both are 0, at zero eigenvalues without ridge, nothing is learned.
        total_g = np.where(products > 0, explained + unit_g, 1.0)
        a = products / total_g
        self.unlearned = np.where(products > 0, unit_g / total_g, 1.0)
        self.squares = a**2
        self.residual = np.concatenate([a.sum(axis=1) - r, a.sum(axis=0) - c])

        # Y = (P' Q + P Q') / total - P Q total' / total^2, for changes r', c' of r and c.
        self.weight = damping**2 / total
        self.scaled_v = law_v.single * law_v.nodes
        self.scaled_t = law_t.single * law_t.nodes
        self.from_v = self.scaled_t @ self.weight.T  # what multiplies P', (d_t, nodes of v)
        self.from_t = self.scaled_v @ self.weight  # what multiplies Q', (d_v, nodes of t)
        self.both = self.from_t @ self.scaled_t.T / total
        gain = n * self.squares
        loss = gain * self.both
        rows = np.hstack(
            [
                _contract(law_v.double, gain @ self.from_v) - loss.sum(axis=1)[:, None],
                _mix(gain, self.from_t, law_t.double),
            ]
        )
        columns = np.hstack(
            [
                _mix(gain.T, self.from_v, law_v.double) - loss.sum(axis=0)[:, None],
                _contract(law_t.double, gain.T @ self.from_t),
            ]
        )
        self.matrix = np.eye(r.size + c.size) - np.vstack([rows, columns])

    def relative_step(self, shares: Array, present: NDArray[np.bool_]) -> Array:
        """Return the step of log r and log c, where they are above 0."""
        sums = shares + self.residual
        slopes = (np.eye(shares.size) - self.matrix) * (
            shares / np.where(present, sums, 1.0)[:, None]
        )
        matrix = np.eye(int(present.sum())) - slopes[np.ix_(present, present)]
        return np.asarray(np.linalg.solve(matrix, np.log(sums[present] / shares[present])))

    def factors(self) -> _Factors:
        """Solve for the row and column sums of x and return what the risk needs."""
        right = np.concatenate([self.squares.sum(axis=1), self.squares.sum(axis=0)])
        response = np.linalg.solve(self.matrix, right)
        d_v = self.squares.shape[0]
        r, c = response[:d_v], response[d_v:]
        change = float(r.sum()) / self.total
        law_v, law_t = self.law_v, self.law_t
        plain_v, plain_t = law_v.plain * law_v.nodes, law_t.plain * law_t.nodes
        # Each with z_i^2, each without; the same for t.
        tilted_v = np.vstack([np.einsum("ikp,k->ip", law_v.double, r), r @ law_v.single])
        tilted_t = np.vstack([np.einsum("jkq,k->jq", law_t.double, c), c @ law_t.single])
        scaled_v, scaled_t = (
            np.vstack([self.scaled_v, plain_v]),
            np.vstack([self.scaled_t, plain_t]),
        )
        leverage = (
            tilted_v @ self.weight @ scaled_t.T
            + scaled_v @ self.weight @ tilted_t.T
            - change * (scaled_v @ self.weight @ scaled_t.T)
        )
        counted = 1 + self.n * leverage
        return _Factors(
            unlearned=self.unlearned,
            products=counted[:-1, :-1],
            singles=np.concatenate([counted[:-1, -1], counted[-1, :-1]]),
            constant=float(counted[-1, -1]),
        )


def _contract(double: Array, weights: Array) -> Array:
    """Return sum_p double[i, k, p] weights[i, p]."""
    result: Array = (double @ weights[:, :, None])[:, :, 0]
    return result


def _mix(gain: Array, weights: Array, double: Array) -> Array:
    """Return sum_jq gain[i, j] weights[i, q] double[j, k, q]."""
    joint = (gain[:, :, None] * weights[:, None, :]).reshape(gain.shape[0], -1)
    d, _, nodes = double.shape
    result: Array = joint @ np.swapaxes(double, 1, 2).reshape(d * nodes, d)
    return result


def _eigenvalues(name: str, given: ArrayLike) -> Array:
    values = non_negative_array(name, given, 1)
    if not values.any():
        raise InputError(f"{name} must have at least one above 0, got {values.size} zeros")
    return values


def _of_shape(name: str, given: ArrayLike, shape: tuple[int, ...]) -> Array:
    array = non_negative_array(name, given, len(shape))
    if array.shape != shape:
        raise InputError(f"{name} must have shape {shape} for these eigenvalues, got {array.shape}")
    return array
