"""Low-rank bilinear fusion v^T W t with rank W <= r: projections fixed in advance, and learned.

With fixed projections A, B it is a bilinear head on A v and B t (``ProjectedBilinear``): the sharp
risk applies to r_v r_t products, and target outside their span acts as noise. With learned
projections it is least squares over the matrices of rank at most r, and far above its
r (d_v + d_t - r) parameters its risk is known to first order in 1/n (``low_rank_risk``).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import (
    InputError,
    ValidityWarning,
    finite_array,
    non_negative,
    non_negative_array,
    positive_integer,
    rank_of,
    sample_sizes,
    set_checked,
)
from fusiontheory.constraints import checked
from fusiontheory.risk.concatenation import checked_moment
from fusiontheory.risk.products import product_ridge_risk
from fusiontheory.typing import Array, Sizes

__all__ = [
    "LowRankTarget",
    "ProjectedBilinear",
    "low_rank_dimension",
    "low_rank_risk",
]


# From so many samples per parameter on the excess is within 1.2 times its first order.
_ENOUGH = 8


@checked
def low_rank_dimension(d_v: int, d_t: int, rank: int) -> int:
    """Return r (d_v + d_t - r), the dimension of the d_v x d_t matrices of rank r.

    Raises:
        InputError: for sizes below 1 or a rank outside 1 .. min(d_v, d_t).

    Example:
        >>> low_rank_dimension(512, 512, 8)
        8128
    """
    d_v, d_t = positive_integer("d_v", d_v), positive_integer("d_t", d_t)
    r = rank_of(rank, d_v, d_t)
    return r * (d_v + d_t - r)


@checked
@dataclass(frozen=True, eq=False)
class ProjectedBilinear:
    """The bilinear head on fixed projections A v and B t, as ``product_ridge_risk`` needs it.

    For Gaussian v and t, independent of each other, v = E[v | A v] + a part independent of A v.
    The target v^T W t therefore has the learnable part (A v)^T Gamma (B t) with
    Gamma = P_v W P_t^T, P_v = (A M_v A^T)^{-1} A M_v, P_t = (B M_t B^T)^{-1} B M_t, and the rest,
    uncorrelated with all products of projections, acts as noise.

    Attributes:
        eigenvalues_v: of A M_v A^T, descending, shape (r_v,).
        eigenvalues_t: of B M_t B^T, descending, shape (r_t,).
        target_power: of the learnable part along the products, shape (r_v, r_t).
        missing_power: variance of the rest.

    Example:
        >>> import numpy as np
        >>> keep = np.eye(3)[:2]  # two of three coordinates
        >>> head = ProjectedBilinear.from_moments(np.eye(3), np.eye(3), np.eye(3), keep, keep)
        >>> head.target_power.round(9).tolist(), head.missing_power
        ([[1.0, 0.0], [0.0, 1.0]], 1.0)
    """

    eigenvalues_v: Array
    eigenvalues_t: Array
    target_power: Array
    missing_power: float

    @classmethod
    def from_moments(
        cls,
        second_moment_v: ArrayLike,
        second_moment_t: ArrayLike,
        coefficients: ArrayLike,
        projection_v: ArrayLike,
        projection_t: ArrayLike,
    ) -> ProjectedBilinear:
        """Project features and target.

        Args:
            second_moment_v: M_v, symmetric and positive semidefinite, (d_v, d_v).
            second_moment_t: M_t, likewise, (d_t, d_t).
            coefficients: W of the target v^T W t, in raw features, (d_v, d_t).
            projection_v: A, shape (r_v, d_v).
            projection_t: B, shape (r_t, d_t).

        Raises:
            InputError: for shapes that do not fit, values that are not finite, moments that are
                not symmetric and positive semidefinite, or a projection that leaves nothing.
        """
        values_v, from_v, root_v = _project("v", second_moment_v, projection_v)
        values_t, from_t, root_t = _project("t", second_moment_t, projection_t)
        w = finite_array("coefficients", coefficients, 2)
        shape = (from_v.shape[1], from_t.shape[1])
        if w.shape != shape:
            raise InputError(
                f"coefficients must have shape {shape} for these moments, got {w.shape}"
            )
        power = (from_v @ w @ from_t.T) ** 2
        total = float(np.sum((root_v @ w @ root_t) ** 2))
        missing = max(total - float(power.sum()), 0.0)
        return cls(values_v, values_t, power, missing)

    def risk(self, n: Sizes, ridge: float, noise: float) -> Array:
        """Return ``product_ridge_risk`` with the missing part as noise, at sizes n, shape (k,).

        The ridge is in the units of the products of eigenvalues. Raises and warnings are those
        of ``product_ridge_risk``.
        """
        return product_ridge_risk(
            self.eigenvalues_v,
            self.eigenvalues_t,
            self.target_power,
            np.atleast_1d(np.asarray(n, dtype=np.float64)),
            ridge,
            non_negative("noise", noise) + self.missing_power,
        )


@checked
@dataclass(frozen=True, eq=False)
class LowRankTarget:
    """A bilinear target on isotropic features, and the rank of the head that is to learn it.

    v and t are independent standard Gaussians; the target is v^T W t. Only W's singular values
    matter, as neither features nor head change under rotations.

    Attributes:
        d_v: dimension of v.
        d_t: dimension of t.
        rank: r of the head, 1 .. min(d_v, d_t).
        singular_values: of W, at least 0, at most min(d_v, d_t) of them, in label units; those
            not given are 0.
        noise: s^2 >= 0, variance of the label noise.

    Raises:
        InputError: for sizes below 1, a rank above min(d_v, d_t), too many singular values,
            negative or non-finite values.

    Example:
        >>> target = LowRankTarget(8, 6, rank=1, singular_values=[2.0, 0.5], noise=1.0)
        >>> target.approximation  # what rank 1 leaves out
        0.25
    """

    d_v: int
    d_t: int
    rank: int
    singular_values: Array
    noise: float

    def __post_init__(self) -> None:
        """Check every field; singular values become float64, descending, min(d_v, d_t) of them."""
        low_rank_dimension(self.d_v, self.d_t, self.rank)
        given = non_negative_array("singular_values", self.singular_values, 1)
        most = min(self.d_v, self.d_t)
        if given.size > most:
            raise InputError(
                f"singular_values must be at most min(d_v, d_t) = {most} values, got {given.size}"
            )
        values = np.zeros(most)
        values[: given.size] = np.sort(given)[::-1]
        set_checked(self, "singular_values", values)
        set_checked(self, "noise", non_negative("noise", self.noise))

    @property
    def approximation(self) -> float:
        """Power of the target that no matrix of rank r has, the sum of sigma_l^2 beyond r."""
        return float(np.sum(self.singular_values[self.rank :] ** 2))

    @property
    def gap(self) -> float:
        """sigma_r - sigma_{r+1}, by how much the directions to learn stand out; or infinity.

        Infinite where r = min(d_v, d_t), as there is nothing to tell them apart from.
        """
        if self.rank == self.singular_values.size:
            return float("inf")
        return float(self.singular_values[self.rank - 1] - self.singular_values[self.rank])


@overload
def low_rank_risk(target: LowRankTarget, n: float) -> float: ...
@overload
def low_rank_risk(target: LowRankTarget, n: Sizes) -> Array: ...
@checked
def low_rank_risk(target: LowRankTarget, n: float | Sizes) -> float | Array:
    """Return the test mean squared error of least squares over matrices of rank at most r.

    With A = sum_{l > r} sigma_l^2 what the rank leaves out and m = min(d_v, d_t),

        risk = s^2 + A + [ (s^2 + A) r (r + |d_v - d_t|)
            + sum_{i <= r < l <= m} 2 (s^2 + A + 2 sigma_l^2) / (1 - sigma_l^2 / sigma_i^2) ]
            / (n - k - 1),   k = r (d_v + d_t - r).

    For a target of rank r the excess is s^2 k / (n - k - 1), as in least squares on k Gaussian
    features, ``least_squares_risk``. Only its order 1/n is derived; n - k - 1 in place of n came
    closer to simulation in every case tried. Otherwise what is left out is noise that grows with
    the size of v and t (the 2 sigma_l^2), and along the 2 r (m - r) directions that turn learned
    into left-out ones the error surface is flatter (the denominator).

    Derivation: at the best matrix W_r of rank r let X_T be the tangential part of v t^T and
    xi = y - v^T W_r t. Least squares moves by H^{-1} (1/n) sum xi X_T, hence the excess
    tr(H^{-1} Cov(xi X_T))/n. With singular vectors u, v of W the pair (u_i v_l^T, u_l v_i^T) has
    H = [[1, -c], [-c, 1]], c = sigma_l / sigma_i, as the set of rank-r matrices is curved, and
    Cov(xi X_T) = s^2 + A + 2 sigma_l^2 by Wick's theorem; elsewhere they are 1 and s^2 + A.

    Args:
        target: dimensions, rank, singular values and noise.
        n: sample size or sizes, at least 1.

    Returns:
        Squared label units, noise included; a float for a scalar n, else the shape of n. At
        n = 64 k the excess was measured to be 1.0 to 1.1 times this, at 16 k up to 1.1, at 8 k up
        to 1.2, at 4 k up to 1.7, at 2 k 2 to 5. With a ``ValidityWarning`` where it is no guide:
        n below 8 k, or a ``gap`` below the largest singular value of the noise,
        sqrt((s^2 + A)/n) (sqrt(d_v) + sqrt(d_t)), so that the directions to learn are not found.
        Infinite where the gap is 0 and sigma_r is not, and up to n = k + 1.

    Raises:
        InputError: for n < 1.

    Source: derived here; the method is that for misspecified maximum likelihood, White, "Maximum
    likelihood estimation of misspecified models" (1982).

    Example:
        >>> target = LowRankTarget(10, 10, rank=2, singular_values=[3.0, 2.0], noise=1.0)
        >>> low_rank_risk(target, [397, 3637])  # k = 36
        array([1.1 , 1.01])
    """
    sizes = sample_sizes("n", n)
    level = target.noise + target.approximation
    parameters = low_rank_dimension(target.d_v, target.d_t, target.rank)
    excess, room = _excess(target), sizes - parameters - 1
    risk = np.full_like(sizes, np.inf if excess > 0 else level)
    np.divide(excess, room, out=risk, where=room > 0)
    risk = np.where(room > 0, level + risk, risk)
    noise_size = np.sqrt(level / sizes) * (np.sqrt(target.d_v) + np.sqrt(target.d_t))
    few, hidden = sizes < _ENOUGH * parameters, target.gap <= noise_size
    if few.any():
        warnings.warn(
            f"the first order in 1/n is no guide at n = {sizes[few][0]:g}, below {_ENOUGH} times"
            f" the {parameters} parameters of rank {target.rank}",
            ValidityWarning,
            stacklevel=2,
        )
    elif hidden.any():
        warnings.warn(
            f"the first order in 1/n is no guide at n = {sizes[hidden][0]:g}: the gap"
            f" sigma_r - sigma_(r+1) = {target.gap:.3g} is below the noise's largest singular"
            f" value, {noise_size[hidden][0]:.3g}",
            ValidityWarning,
            stacklevel=2,
        )
    return float(risk[0]) if np.ndim(n) == 0 else risk


def _excess(target: LowRankTarget) -> float:
    """Return what multiplies 1/n in ``low_rank_risk``."""
    r, level = target.rank, target.noise + target.approximation
    inner = level * r * (r + abs(target.d_v - target.d_t))
    left_out = target.singular_values[r:] ** 2
    if level == 0 or left_out.size == 0:
        return inner
    kept = target.singular_values[:r, None] ** 2
    # Where nothing is learned nor left out the surface is flat only to second order.
    flatness = np.ones((r, left_out.size))
    np.divide(kept - left_out, kept, out=flatness, where=kept > 0)
    price = np.broadcast_to(2 * (level + 2 * left_out), flatness.shape)
    total = np.full(flatness.shape, np.inf)
    np.divide(price, flatness, out=total, where=flatness > 0)
    return inner + float(total.sum())


def _project(
    name: str, second_moment: ArrayLike, projection: ArrayLike
) -> tuple[Array, Array, Array]:
    """Return eigenvalues of A M A^T, E[z_k x] of its unit eigenfunctions (r, d), and M^(1/2)."""
    moment = checked_moment(f"second_moment_{name}", second_moment)
    a = finite_array(f"projection_{name}", projection, 2)
    if a.shape[1] != moment.shape[0]:
        raise InputError(
            f"projection_{name} must have {moment.shape[0]} columns, one per feature,"
            f" got shape {a.shape}"
        )
    values, vectors = np.linalg.eigh(a @ moment @ a.T)
    values, vectors = values[::-1], vectors[:, ::-1]
    present = values > values.size * np.finfo(np.float64).eps * values[0]
    if not present.any():
        raise InputError(f"projection_{name} must leave some variance of {name}, got none")
    kept = np.where(present, values, 0.0)
    inverse_root = np.where(present, 1 / np.sqrt(np.where(present, values, 1.0)), 0.0)
    correlation = (inverse_root[:, None] * vectors.T) @ a @ moment
    spread, basis = np.linalg.eigh(moment)
    root = (basis * np.sqrt(np.maximum(spread, 0.0))) @ basis.T
    return kept, correlation, root
