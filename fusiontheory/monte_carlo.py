"""Measured twin of the closed-form ridge risk: fits on Gaussian pairs of modalities.

The image features v and the text features t are Gaussians with diagonal covariance. z_v and z_t
denote the same features scaled to unit variance; coordinate i of z_v has the canonical correlation
rho_i with coordinate i of z_t, and all other pairs of coordinates are independent. The law of
z_v^T D z_t + d . [z_v; z_t] has known moments, so the error of a fitted head follows from its
coefficients; no test set adds noise to the measurement.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import (
    InputError,
    finite_array,
    non_negative,
    non_negative_array,
    positive_integer,
)
from fusiontheory.joint_blocks import block_spectrum, correlated_pairs, correlated_products

__all__ = [
    "FusionSetting",
    "SimulatedRisk",
    "fit_bilinear_ridge",
    "fit_linear_ridge",
    "simulate_ridge_risk",
]

_Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FusionSetting:
    """A head, the features of two modalities, a target, and the ridge and noise.

    The target is a . [z_v; z_t] + z_v^T B z_t with a_i^2 and B_ij^2 given. The additive head is
    linear in [v; t] and cannot represent the second part; the bilinear head is linear in
    v (x) t and cannot represent the first. ``eigenvalues``, ``target_power`` and
    ``effective_noise`` are what ``ridge_risk`` needs to predict the head's error.

    "Power" in the fields means squared coefficients. It is the variance of the target only
    without correlation: else E[(z_v^T B z_t)^2] = sum_ij B_ij^2 + sum_ij rho_i rho_j B_ij B_ji
    + (sum_i rho_i B_ii)^2, and E[(a . [z_v; z_t])^2] has 2 sum_i rho_i a_i a_{d_v + i} on top.
    The properties account for it, averaged over the signs where those are random.

    Attributes:
        head: "additive" or "bilinear".
        eigenvalues_v: variances of v, shape (d_v,).
        eigenvalues_t: variances of t, shape (d_t,).
        additive_power: a_i^2, shape (d_v + d_t,), in squared label units.
        bilinear_power: B_ij^2, shape (d_v, d_t), in squared label units.
        ridge: delta >= 0 of (K + delta I)^{-1}, in the units of the head's eigenvalues.
        noise: variance s^2 of the label noise.
        correlation: rho_i in [0, 1], shape (min(d_v, d_t),) or a single value for all; 0 if not
            given.
        additive_signs: signs of a, shape (d_v + d_t,); drawn anew for each training set, +1 or
            -1 alike, if not given. 0 is allowed where the power is 0, so that ``numpy.sign`` of
            the coefficients will do.
        bilinear_signs: signs of B, shape (d_v, d_t), likewise.
        intercept: whether the head has a constant that the ridge does not penalise.

    Raises:
        InputError: for another head, negative or non-finite values, shapes that do not match,
            correlations above 1, signs other than +1 and -1.

    Example:
        >>> import numpy as np
        >>> setting = FusionSetting("bilinear", np.ones(2), np.array([1.0, 0.5]),
        ...     additive_power=np.full(4, 0.25), bilinear_power=np.eye(2), ridge=0.1, noise=0.5)
        >>> setting.eigenvalues
        array([1. , 0.5, 1. , 0.5])
        >>> setting.effective_noise  # 0.5 + the additive part's power
        1.5
    """

    head: Literal["additive", "bilinear"]
    eigenvalues_v: _Array
    eigenvalues_t: _Array
    additive_power: _Array
    bilinear_power: _Array
    ridge: float
    noise: float
    correlation: _Array = field(default_factory=lambda: np.zeros(()))
    additive_signs: _Array | None = None
    bilinear_signs: _Array | None = None
    intercept: bool = False

    def __post_init__(self) -> None:
        """Check every field; arrays become float64 and the correlation one value per pair."""
        if self.head not in ("additive", "bilinear"):
            raise InputError(f"head must be 'additive' or 'bilinear', got {self.head!r}")
        dimensions = {"eigenvalues_v": 1, "eigenvalues_t": 1, "additive_power": 1}
        for name, ndim in (dimensions | {"bilinear_power": 2}).items():
            object.__setattr__(self, name, non_negative_array(name, getattr(self, name), ndim))
        for name in ("ridge", "noise"):
            object.__setattr__(self, name, non_negative(name, getattr(self, name)))
        d_v, d_t = self.eigenvalues_v.size, self.eigenvalues_t.size
        for name, shape in (("additive_power", (d_v + d_t,)), ("bilinear_power", (d_v, d_t))):
            got = getattr(self, name).shape
            if got != shape:
                raise InputError(f"{name} must have shape {shape} for these eigenvalues, got {got}")
        object.__setattr__(
            self, "correlation", _checked_correlation(self.correlation, min(d_v, d_t))
        )
        for name in ("additive", "bilinear"):
            signs, power = getattr(self, f"{name}_signs"), getattr(self, f"{name}_power")
            if signs is not None:
                object.__setattr__(
                    self, f"{name}_signs", _checked_signs(f"{name}_signs", signs, power)
                )

    @property
    def eigenvalues(self) -> _Array:
        """Eigenvalues of the head's features, shape (d_v + d_t,) or (d_v d_t,).

        Of their second moment; of their covariance if there is an intercept, which is not the
        same for the bilinear head, as products of correlated coordinates have a mean.
        """
        return self._spectrum()[0]

    @property
    def target_power(self) -> _Array:
        """Power of the target along the head's eigenfunctions, in the order of eigenvalues."""
        return self._spectrum()[1]

    @property
    def effective_noise(self) -> float:
        """Noise plus the power of the part of the target that the head cannot represent."""
        rho = self.correlation
        if self.head == "bilinear":
            missing = float(self.additive_power.sum())
            if self.additive_signs is not None:
                a = self.additive_signs * np.sqrt(self.additive_power)
                missing += _additive_overlap(a, rho, self.eigenvalues_v.size)
        else:
            missing = float(self.bilinear_power.sum())
            if self.bilinear_signs is not None:
                b = self.bilinear_signs * np.sqrt(self.bilinear_power)
                overlap, mean_square = _bilinear_overlap(b, rho), _bilinear_mean(b, rho) ** 2
            else:
                # Random signs leave the diagonal of B, alike in both, on average.
                overlap = float(rho**2 @ np.diagonal(self.bilinear_power)[: rho.size])
                mean_square = overlap
            missing += overlap + (0.0 if self.intercept else mean_square)
        return self.noise + missing

    def _spectrum(self) -> tuple[_Array, _Array]:
        """Return eigenvalues and target power, block by block where coordinates correlate."""
        d_v, d_t = self.eigenvalues_v.size, self.eigenvalues_t.size
        if self.head == "additive":
            values = np.concatenate([self.eigenvalues_v, self.eigenvalues_t])
            power, signs = self.additive_power, self.additive_signs
        else:
            values = np.outer(self.eigenvalues_v, self.eigenvalues_t).ravel()
            power, signs = self.bilinear_power.ravel(), self.bilinear_signs
        if not self.correlation.any():
            return values, power
        root = np.sqrt(power)
        signed = root if signs is None else root * signs.ravel()
        values, power = values.copy(), power.copy()
        if self.head == "additive":
            blocks = [correlated_pairs(self.correlation, d_v)]
        else:
            blocks = [*correlated_products(self.correlation, d_t, centred=self.intercept)]
        for index, moment in blocks:
            target = signed[index][:, :, None] * signed[index][:, None, :]
            if signs is None:  # products of different signs are 0 on average
                target = target * np.eye(index.shape[1])
            values[index], power[index] = block_spectrum(moment, np.sqrt(values[index]), target)
        return values, power


@dataclass(frozen=True, eq=False)
class SimulatedRisk:
    """Errors measured in independent draws of the training set.

    Attributes:
        test: test mean squared error of each draw, shape (draws,), noise included.
        training: training mean squared error of each draw, shape (draws,).

    Example:
        >>> import numpy as np
        >>> measured = SimulatedRisk(test=np.array([1.0, 3.0]), training=np.zeros(2))
        >>> measured.mean, measured.standard_error
        (2.0, 1.0)
    """

    test: _Array
    training: _Array

    @property
    def mean(self) -> float:
        """Mean test error over the draws."""
        return float(self.test.mean())

    @property
    def standard_error(self) -> float:
        """Standard error of ``mean``, from the spread between draws."""
        return float(self.test.std(ddof=1) / np.sqrt(self.test.size))


def simulate_ridge_risk(setting: FusionSetting, n: int, draws: int, seed: int) -> SimulatedRisk:
    """Fit the head on ``draws`` independent training sets and return its exact test errors.

    With D and d what the fitted coefficients of z_v (x) z_t and of [z_v; z_t] miss, and c the
    fitted constant, the test error is the label noise plus

        |d|^2 + 2 sum_i rho_i d_i d_{d_v + i}
        + |D|^2 + sum_ij rho_i rho_j D_ij D_ji + (sum_i rho_i D_ii + c)^2

    by Wick's theorem; products of one and of two Gaussians are uncorrelated. Signs of the
    target's coefficients that are not given are drawn anew each time.

    Args:
        setting: head, features, target, ridge and noise.
        n: training samples, at least 1.
        draws: training sets, at least 2.
        seed: of the random numbers; the same seed gives the same errors.

    Returns:
        ``SimulatedRisk``, in squared label units. The bilinear head costs
        O(min(n, d_v d_t)^3 + n min(n, d_v d_t)^2) per draw.

    Raises:
        InputError: for n < 1, draws < 2, a negative seed, or non-integers.

    Source: the measured twin of ``ridge_risk`` and ``training_risk``; Isserlis, "On a formula
    for the product-moment coefficient of any order of a normal frequency distribution" (1918).

    Example:
        >>> import numpy as np
        >>> setting = FusionSetting("additive", np.ones(5), np.ones(5), np.full(10, 0.1),
        ...     np.zeros((5, 5)), ridge=0.0, noise=1.0)
        >>> measured = simulate_ridge_risk(setting, n=111, draws=400, seed=0)
        >>> abs(measured.mean - 1.1) < 4 * measured.standard_error  # 1 + 10 / (111 - 10 - 1)
        True
    """
    n = positive_integer("n", n)
    draws = positive_integer("draws", draws, minimum=2)
    seed = positive_integer("seed", seed, minimum=0)
    generators = np.random.default_rng(seed).spawn(draws)
    errors = np.array([_one_draw(setting, n, generator) for generator in generators])
    return SimulatedRisk(test=errors[:, 0], training=errors[:, 1])


def fit_bilinear_ridge(
    v: _Array, t: _Array, y: _Array, ridge: float, intercept: bool = False
) -> _Array:
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


def fit_linear_ridge(x: _Array, y: _Array, ridge: float, intercept: bool = False) -> _Array:
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


def _one_draw(
    setting: FusionSetting, n: int, generator: np.random.Generator
) -> tuple[float, float]:
    """Return test and training error of one training set."""
    rho = setting.correlation
    a = _signed_root(setting.additive_power, setting.additive_signs, generator)
    b = _signed_root(setting.bilinear_power, setting.bilinear_signs, generator)
    z_v = generator.standard_normal((n, setting.eigenvalues_v.size))
    z_t = generator.standard_normal((n, setting.eigenvalues_t.size))
    pairs = slice(0, rho.size)
    z_t[:, pairs] = rho * z_v[:, pairs] + np.sqrt(1 - rho**2) * z_t[:, pairs]
    noise = np.sqrt(setting.noise) * generator.standard_normal(n)
    y = np.hstack([z_v, z_t]) @ a + ((z_v @ b) * z_t).sum(axis=1) + noise
    scale_v, scale_t = np.sqrt(setting.eigenvalues_v), np.sqrt(setting.eigenvalues_t)
    v, t = z_v * scale_v, z_t * scale_t
    if setting.head == "additive":
        x = np.hstack([v, t])
        coefficients = fit_linear_ridge(x, y, setting.ridge, setting.intercept)
        residual = y - x @ coefficients
        missed_a, missed_b = coefficients * np.concatenate([scale_v, scale_t]) - a, -b
    else:
        matrix = fit_bilinear_ridge(v, t, y, setting.ridge, setting.intercept)
        residual = y - ((v @ matrix) * t).sum(axis=1)
        missed_a, missed_b = -a, scale_v[:, None] * matrix * scale_t - b
    constant = float(residual.mean()) if setting.intercept else 0.0
    error = (
        float(np.sum(missed_a**2) + np.sum(missed_b**2))
        + _additive_overlap(missed_a, rho, v.shape[1])
        + _bilinear_overlap(missed_b, rho)
        + (_bilinear_mean(missed_b, rho) + constant) ** 2
    )
    return error + setting.noise, float(np.mean((residual - constant) ** 2))


def _additive_overlap(d: _Array, rho: _Array, d_v: int) -> float:
    """Return E[(d . [z_v; z_t])^2] - |d|^2."""
    return 2 * float(rho @ (d[: rho.size] * d[d_v : d_v + rho.size]))


def _bilinear_overlap(matrix: _Array, rho: _Array) -> float:
    """Return Var(z_v^T D z_t) - |D|^2."""
    block = matrix[: rho.size, : rho.size]
    return float(rho @ (block * block.T) @ rho)


def _bilinear_mean(matrix: _Array, rho: _Array) -> float:
    """Return E[z_v^T D z_t]."""
    return float(rho @ np.diagonal(matrix)[: rho.size])


def _signed_root(power: _Array, signs: _Array | None, generator: np.random.Generator) -> _Array:
    # Drawn even where they are given, so that the features do not depend on who chose the signs.
    drawn = generator.choice([-1.0, 1.0], size=power.shape)
    root: _Array = np.sqrt(power) * (drawn if signs is None else signs)
    return root


def _checked_correlation(given: ArrayLike, size: int) -> _Array:
    rho = non_negative_array("correlation", given, (0, 1))
    if rho.max() > 1:
        raise InputError(f"correlation must be at most 1 everywhere, got {rho.max():g}")
    if rho.ndim and rho.size != size:
        raise InputError(
            f"correlation must have one value per pair of coordinates, {size}, got {rho.size}"
        )
    return np.array(np.broadcast_to(rho, size))


def _checked_signs(name: str, given: ArrayLike, power: _Array) -> _Array:
    signs = finite_array(name, given, power.ndim)
    if signs.shape != power.shape:
        raise InputError(f"{name} must have the power's shape {power.shape}, got {signs.shape}")
    wrong = signs[(np.abs(signs) != 1) & ((signs != 0) | (power > 0))]
    if wrong.size:
        raise InputError(f"{name} must be +1 or -1 (0 only where the power is), got {wrong[0]:g}")
    return signs


def _solve_ridge(gram: _Array, right: _Array, ridge: float) -> _Array:
    """Solve (gram + ridge I) x = right in place of gram; least norm without ridge."""
    if ridge == 0:
        return np.asarray(np.linalg.lstsq(gram, right, rcond=None)[0], dtype=np.float64)
    gram[np.diag_indices_from(gram)] += ridge
    factor = scipy.linalg.cho_factor(gram, overwrite_a=True, check_finite=False)
    return np.asarray(scipy.linalg.cho_solve(factor, right), dtype=np.float64)
