"""Measured twin of the closed-form ridge risk: fits on Gaussian pairs of modalities.

The image features v and the text features t are Gaussians with diagonal covariance. z_v and z_t
denote the same features scaled to unit variance; coordinate i of z_v has the canonical correlation
rho_i with coordinate i of z_t, and all other pairs of coordinates are independent. The law of
z_v^T D z_t + d . [z_v; z_t] has known moments, so the error of a fitted head follows from its
coefficients; no test set adds noise to the measurement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.constraints import checked
from fusiontheory.monte_carlo.training_sets import random_numbers
from fusiontheory.risk import FusionSetting, additive_overlap, bilinear_mean, bilinear_overlap
from fusiontheory.solvers import fit_bilinear_ridge, fit_linear_ridge
from fusiontheory.typing import Array

__all__ = [
    "SimulatedRisk",
    "simulate_ridge_risk",
]


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

    test: Array
    training: Array

    @property
    def mean(self) -> float:
        """Mean test error over the draws."""
        return float(self.test.mean())

    @property
    def standard_error(self) -> float:
        """Standard error of ``mean``, from the spread between draws."""
        return float(self.test.std(ddof=1) / np.sqrt(self.test.size))


@checked
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
        n: training samples, 1 to 1,000,000.
        draws: training sets, 2 to 100,000.
        seed: of the random numbers; the same seed gives the same errors.

    Returns:
        ``SimulatedRisk``, in squared label units. The bilinear head costs
        O(min(n, d_v d_t)^3 + n min(n, d_v d_t)^2) per draw.

    Raises:
        InputError: for n or draws out of range, a negative seed, or non-integers.

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
    features = setting.eigenvalues_v.size + setting.eigenvalues_t.size
    generators = random_numbers(n, draws, seed, features)
    errors = np.array([_one_draw(setting, n, generator) for generator in generators])
    return SimulatedRisk(test=errors[:, 0], training=errors[:, 1])


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
        + additive_overlap(missed_a, rho, v.shape[1])
        + bilinear_overlap(missed_b, rho)
        + (bilinear_mean(missed_b, rho) + constant) ** 2
    )
    return error + setting.noise, float(np.mean((residual - constant) ** 2))


def _signed_root(power: Array, signs: Array | None, generator: np.random.Generator) -> Array:
    # Drawn even where they are given, so that the features do not depend on who chose the signs.
    drawn = generator.choice([-1.0, 1.0], size=power.shape)
    root: Array = np.sqrt(power) * (drawn if signs is None else signs)
    return root
