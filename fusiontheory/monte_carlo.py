"""Measured twin of the closed-form ridge risk: fits on Gaussian pairs of modalities.

The image features v and the text features t are independent Gaussians with diagonal covariance.
z_v and z_t denote the same features scaled to unit variance. The products 1, z_v, z_t and
z_v (x) z_t are orthonormal under their law, so the error of a fitted head follows from its
coefficients; no test set adds noise to the measurement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from fusiontheory.checks import InputError, non_negative, non_negative_array, positive_integer

__all__ = ["FusionSetting", "SimulatedRisk", "fit_bilinear_ridge", "simulate_ridge_risk"]

_Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FusionSetting:
    """A head, the features of two modalities, a target, and the ridge and noise.

    The target is a . [z_v; z_t] + z_v^T B z_t with a_i^2 and B_ij^2 given. The additive head is
    linear in [v; t] and cannot represent the second part; the bilinear head is linear in
    v (x) t and cannot represent the first. ``eigenvalues``, ``target_power`` and
    ``effective_noise`` are what ``ridge_risk`` needs to predict the head's error.

    Attributes:
        head: "additive" or "bilinear".
        eigenvalues_v: variances of v, shape (d_v,).
        eigenvalues_t: variances of t, shape (d_t,).
        additive_power: a_i^2, shape (d_v + d_t,), in squared label units.
        bilinear_power: B_ij^2, shape (d_v, d_t), in squared label units.
        ridge: delta >= 0 of (K + delta I)^{-1}, in the units of the head's eigenvalues.
        noise: variance s^2 of the label noise.

    Raises:
        InputError: for another head, negative or non-finite values, shapes that do not match.

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

    def __post_init__(self) -> None:
        """Check every field; arrays become float64."""
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

    @property
    def eigenvalues(self) -> _Array:
        """Eigenvalues of the head's features, shape (d_v + d_t,) or (d_v d_t,)."""
        if self.head == "additive":
            return np.concatenate([self.eigenvalues_v, self.eigenvalues_t])
        return np.outer(self.eigenvalues_v, self.eigenvalues_t).ravel()

    @property
    def target_power(self) -> _Array:
        """Power of the target along the head's eigenfunctions, in the order of eigenvalues."""
        return self.additive_power if self.head == "additive" else self.bilinear_power.ravel()

    @property
    def effective_noise(self) -> float:
        """Noise plus the power of the part of the target that the head cannot represent."""
        missing = self.bilinear_power if self.head == "additive" else self.additive_power
        return self.noise + float(missing.sum())


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

    With W the fitted coefficients of the unit-variance features and b those of the target, the
    test error is sum_i (W_i - b_i)^2 + effective_noise, since those features are orthonormal.
    The signs of the target's coefficients are drawn anew each time; the prediction does not
    depend on them.

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

    Source: the measured twin of ``ridge_risk`` and ``training_risk``.

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


def fit_bilinear_ridge(v: _Array, t: _Array, y: _Array, ridge: float) -> _Array:
    """Return the coefficients W of ridge regression of y on v (x) t: f(v, t) = v^T W t.

    Up to n = d_v d_t samples it solves in samples with the product kernel (v.v')(t.t'), as
    W = V^T diag(alpha) T, and never forms the d_v d_t features; beyond, it solves in features.
    Both give the same W. Without ridge it is the interpolator, or fit, of least norm.

    Args:
        v: image features, shape (n, d_v).
        t: text features of the same samples, shape (n, d_t).
        y: labels, shape (n,).
        ridge: delta >= 0, added to the kernel matrix (not divided by n).

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
        alpha = _solve_ridge((v @ v.T) * (t @ t.T), y, ridge)
        return np.asarray(v.T @ (alpha[:, None] * t), dtype=np.float64)
    features = (v[:, :, None] * t[:, None, :]).reshape(n, d_v * d_t)
    return _fit_linear(features, y, ridge).reshape(d_v, d_t)


def _one_draw(
    setting: FusionSetting, n: int, generator: np.random.Generator
) -> tuple[float, float]:
    """Return test and training error of one training set."""
    a = _signed_root(setting.additive_power, generator)
    b = _signed_root(setting.bilinear_power, generator)
    z_v = generator.standard_normal((n, setting.eigenvalues_v.size))
    z_t = generator.standard_normal((n, setting.eigenvalues_t.size))
    noise = np.sqrt(setting.noise) * generator.standard_normal(n)
    y = np.hstack([z_v, z_t]) @ a + ((z_v @ b) * z_t).sum(axis=1) + noise
    v = z_v * np.sqrt(setting.eigenvalues_v)
    t = z_t * np.sqrt(setting.eigenvalues_t)
    if setting.head == "additive":
        x = np.hstack([v, t])
        coefficients = _fit_linear(x, y, setting.ridge)
        residual = y - x @ coefficients
        target = a
    else:
        matrix = fit_bilinear_ridge(v, t, y, setting.ridge)
        residual = y - ((v @ matrix) * t).sum(axis=1)
        coefficients, target = matrix.ravel(), b.ravel()
    missed = coefficients * np.sqrt(setting.eigenvalues) - target
    return float(missed @ missed) + setting.effective_noise, float(np.mean(residual**2))


def _signed_root(power: _Array, generator: np.random.Generator) -> _Array:
    root: _Array = np.sqrt(power) * generator.choice([-1.0, 1.0], size=power.shape)
    return root


def _fit_linear(x: _Array, y: _Array, ridge: float) -> _Array:
    """Return ridge coefficients (p,), solved in samples or features, whichever are fewer."""
    if x.shape[0] < x.shape[1]:
        return np.asarray(x.T @ _solve_ridge(x @ x.T, y, ridge), dtype=np.float64)
    return _solve_ridge(x.T @ x, x.T @ y, ridge)


def _solve_ridge(gram: _Array, right: _Array, ridge: float) -> _Array:
    """Solve (gram + ridge I) x = right in place of gram; least norm without ridge."""
    if ridge == 0:
        return np.asarray(np.linalg.lstsq(gram, right, rcond=None)[0], dtype=np.float64)
    gram[np.diag_indices_from(gram)] += ridge
    factor = scipy.linalg.cho_factor(gram, overwrite_a=True, check_finite=False)
    return np.asarray(scipy.linalg.cho_solve(factor, right), dtype=np.float64)
