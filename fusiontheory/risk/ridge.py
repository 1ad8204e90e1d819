"""Sharp asymptotics of kernel ridge regression: its test error from the spectrum alone.

The predictor is f(x) = k(x)^T (K + delta I)^{-1} y on n samples; the ridge delta is absolute, not
divided by n. The kernel has eigenvalues lambda_i (of the population covariance of the features),
and the target has power b_i^2 along the unit-norm eigenfunctions phi_i: f* = sum_i b_i phi_i, so
that sum_i b_i^2 = E[f*^2]. If the target is sum_i beta_i x_i in raw features x_i of variance
lambda_i, then b_i^2 = lambda_i beta_i^2. Labels are f* plus noise of variance s^2; target power
that no feature can represent belongs to the noise.

The formulas take n and the number of eigenvalues to be large; they are not exact at finite n.
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
    non_negative,
    non_negative_array,
    sample_sizes,
)
from fusiontheory.constraints import checked
from fusiontheory.risk.spectrum import Spectrum, unlearned
from fusiontheory.typing import Array, Sizes

__all__ = [
    "RidgeSolution",
    "effective_ridge",
    "overfitting",
    "ridge_risk",
    "ridge_solution",
    "spectrum_risk",
    "training_risk",
]


@overload
def effective_ridge(eigenvalues: ArrayLike | Spectrum, n: float, ridge: float) -> float: ...
@overload
def effective_ridge(eigenvalues: ArrayLike | Spectrum, n: Sizes, ridge: float) -> Array: ...
@checked
def effective_ridge(
    eigenvalues: ArrayLike | Spectrum, n: float | Sizes, ridge: float
) -> float | Array:
    """Return kappa >= 0 that solves sum_i lambda_i / (lambda_i + kappa) + delta / kappa = n.

    An eigenfunction is learned when its eigenvalue exceeds kappa. Without ridge, kappa is 0
    from n = number of non-zero eigenvalues on.

    Args:
        eigenvalues: lambda_i >= 0, not all zero, one- or two-dimensional, or a ``Spectrum``.
        n: sample size or sizes, at least 1.
        ridge: delta >= 0, absolute, in the units of the eigenvalues.

    Returns:
        kappa in the units of the eigenvalues, a float for a scalar n, else the shape of n.
        The relative error against the full sum is below 1e-6.

    Raises:
        InputError: for negative, NaN, empty or all-zero eigenvalues, a negative ridge, n < 1.

    Source: Canatar, Bordelon & Pehlevan, arXiv:2006.13198; Jacot, Gabriel & Hongler,
    arXiv:1806.07572; Simon et al., arXiv:2110.03922.

    Example:
        >>> import numpy as np
        >>> round(effective_ridge(np.ones(100), 50, ridge=0.0), 9)  # 100 / (1 + kappa) = 50
        1.0
        >>> effective_ridge(np.ones(100), [100, 200], ridge=0.0)
        array([0., 0.])
    """
    sizes = sample_sizes("n", n)
    delta = non_negative("ridge", ridge)
    spectrum = _as_spectrum(eigenvalues)
    kappa = np.zeros_like(sizes)
    regularised = (sizes < spectrum.size) | (delta > 0)
    if regularised.any():
        kappa[regularised] = _solve(spectrum, sizes[regularised], delta)
    return float(kappa[0]) if np.ndim(n) == 0 else kappa


@overload
def overfitting(
    eigenvalues: ArrayLike | Spectrum, kappa: float, n: float, ridge: float
) -> float: ...
@overload
def overfitting(
    eigenvalues: ArrayLike | Spectrum, kappa: Sizes, n: Sizes, ridge: float
) -> Array: ...
@checked
def overfitting(
    eigenvalues: ArrayLike | Spectrum, kappa: float | Sizes, n: float | Sizes, ridge: float
) -> float | Array:
    """Return 1 / (1 - gamma), gamma = (1/n) sum_i L_i^2: by how much fitting noise adds error.

    Evaluated as n / (sum_i L_i (1 - L_i) + delta / kappa), which is the same at the solution
    kappa and does not cancel where gamma is near 1, at the interpolation peak.

    Args:
        eigenvalues: lambda_i >= 0, or a ``Spectrum``.
        kappa: ``effective_ridge`` of the same eigenvalues, n and ridge.
        n: sample size or sizes, at least 1, of the shape of kappa.
        ridge: delta >= 0, absolute, in the units of the eigenvalues.

    Returns:
        A number of at least 1, infinite where ridge is 0 and n the number of non-zero
        eigenvalues; gamma is 1 minus its inverse.

    Raises:
        InputError: for arguments that ``effective_ridge`` refuses, a negative kappa, and kappa
            and n of different shapes.

    Source: Simon et al., arXiv:2110.03922 (the overfitting coefficient E_0).

    Example:
        >>> import numpy as np
        >>> round(overfitting(np.ones(100), 1.0, 50, ridge=0.0), 9)  # 1 / (1 - 100 / 4 / 50)
        2.0
    """
    sizes = sample_sizes("n", n)
    delta = non_negative("ridge", ridge)
    threshold = np.atleast_1d(non_negative_array("kappa", kappa, (0, 1)))
    if threshold.shape != sizes.shape:
        raise InputError(f"kappa must have the shape of n, {sizes.shape}, got {threshold.shape}")
    spectrum = _as_spectrum(eigenvalues)
    free = _ridge_over_kappa(spectrum, threshold, sizes, delta)
    denominator = spectrum.degrees_at_stake(threshold) + free
    result = np.full_like(sizes, np.inf)
    np.divide(sizes, denominator, out=result, where=denominator > 0)
    return float(result[0]) if np.ndim(n) == 0 else result


@checked
@dataclass(frozen=True, eq=False)
class RidgeSolution:
    """What ridge regression learns of a spectrum from n samples; arrays of the shape of n.

    Attributes:
        kappa: effective ridge, in the units of the eigenvalues.
        degrees: sum_i L_i.
        gamma: sum_i L_i^2 / n.
        overfitting: 1 / (1 - gamma).
    """

    kappa: Array
    degrees: Array
    gamma: Array
    overfitting: Array


@checked
def ridge_solution(spectrum: Spectrum, n: Array, ridge: float) -> RidgeSolution:
    """Return all that Level 2 says of a spectrum at each n, for what builds on it.

    Args:
        spectrum: of the eigenvalues.
        n: sample sizes, at least 1, shape (k,).
        ridge: delta >= 0, absolute, in the units of the eigenvalues.

    Raises:
        InputError: for arguments that ``effective_ridge`` refuses.

    Example:
        >>> import numpy as np
        >>> flat = Spectrum.from_eigenvalues(np.ones(100))
        >>> found = ridge_solution(flat, np.array([50.0]), ridge=0.0)
        >>> np.round([found.kappa[0], found.degrees[0], found.gamma[0], found.overfitting[0]], 6)
        array([ 1. , 50. ,  0.5,  2. ])
    """
    kappa = effective_ridge(spectrum, n, ridge)
    return RidgeSolution(
        kappa=kappa,
        degrees=spectrum.degrees(kappa),
        gamma=spectrum.squared_degrees(kappa) / n,
        overfitting=overfitting(spectrum, kappa, n, ridge),
    )


@overload
def ridge_risk(
    eigenvalues: ArrayLike, target_power: ArrayLike, n: float, ridge: float, noise: float
) -> float: ...
@overload
def ridge_risk(
    eigenvalues: ArrayLike, target_power: ArrayLike, n: Sizes, ridge: float, noise: float
) -> Array: ...
@checked
def ridge_risk(
    eigenvalues: ArrayLike, target_power: ArrayLike, n: float | Sizes, ridge: float, noise: float
) -> float | Array:
    """Return the test mean squared error (sum_i (1 - L_i)^2 b_i^2 + s^2) / (1 - gamma).

    L_i = lambda_i / (lambda_i + kappa) with kappa from ``effective_ridge`` and 1 - gamma from
    ``overfitting``. The noise is part of it: it is the error on a fresh noisy label.

    Args:
        eigenvalues: lambda_i >= 0, not all zero, one- or two-dimensional.
        target_power: b_i^2 >= 0, the variance of the target along unit-norm eigenfunction i,
            of the shape of the eigenvalues; lambda_i beta_i^2 for a target sum_i beta_i x_i in
            raw features. Power at a zero eigenvalue is never learned.
        n: sample size or sizes, at least 1.
        ridge: delta >= 0, absolute, in the units of the eigenvalues.
        noise: s^2 >= 0, a variance in squared label units, unrepresentable target included.

    Returns:
        Squared label units, a float for a scalar n, else the shape of n. Infinite, with a
        ``ValidityWarning``, where ridge is 0 and n the number of non-zero eigenvalues.

    Raises:
        InputError: for arguments that ``effective_ridge`` refuses, a negative or NaN target
            power, one of another shape than the eigenvalues, a negative noise.

    Source: Canatar, Bordelon & Pehlevan, arXiv:2006.13198; Simon et al., arXiv:2110.03922;
    Hastie et al., arXiv:1903.08560, for linear features.

    Example:
        >>> import numpy as np
        >>> ridge_risk(np.ones(100), np.full(100, 0.01), 200, ridge=0.0, noise=1.0)
        2.0
    """
    sizes = sample_sizes("n", n)
    risk = spectrum_risk(_target_spectrum(eigenvalues, target_power), sizes, ridge, noise)
    if np.isinf(risk).any():
        warnings.warn(
            f"the risk is infinite at n = {sizes[np.isinf(risk)][0]:g}, the number of non-zero"
            " eigenvalues, without ridge; use a ridge above 0 there",
            ValidityWarning,
            stacklevel=2,
        )
    return float(risk[0]) if np.ndim(n) == 0 else risk


@overload
def training_risk(
    eigenvalues: ArrayLike, target_power: ArrayLike, n: float, ridge: float, noise: float
) -> float: ...
@overload
def training_risk(
    eigenvalues: ArrayLike, target_power: ArrayLike, n: Sizes, ridge: float, noise: float
) -> Array: ...
@checked
def training_risk(
    eigenvalues: ArrayLike, target_power: ArrayLike, n: float | Sizes, ridge: float, noise: float
) -> float | Array:
    """Return the training mean squared error (delta / (n kappa))^2 times ``ridge_risk``.

    Arguments, units, Raises and sources are those of ``ridge_risk``; finite everywhere. Without
    ridge it is 0 up to interpolation and s^2 (n - p) / n beyond, for a target within the span.

    Example:
        >>> import numpy as np
        >>> training_risk(np.ones(100), np.full(100, 0.01), [50, 200], ridge=0.0, noise=1.0)
        array([0. , 0.5])
    """
    sizes = sample_sizes("n", n)
    spectrum = _target_spectrum(eigenvalues, target_power)
    risk = spectrum_risk(spectrum, sizes, ridge, noise)
    kappa = effective_ridge(spectrum, sizes, ridge)
    free = _ridge_over_kappa(spectrum, kappa, sizes, float(ridge))
    training = np.zeros_like(risk)
    np.multiply((free / sizes) ** 2, risk, out=training, where=free > 0)
    return float(training[0]) if np.ndim(n) == 0 else training


@checked
def spectrum_risk(spectrum: Spectrum, n: Sizes, ridge: float, noise: float) -> Array:
    """Return ``ridge_risk`` of a spectrum that is compressed once and used for many ridges.

    Args:
        spectrum: of the eigenvalues, with the target's power as its weights "target_power".
        n: sample sizes, at least 1, shape (k,).
        ridge: delta >= 0, absolute, in the units of the eigenvalues.
        noise: s^2 >= 0, a variance in squared label units.

    Returns:
        Squared label units, shape (k,). Infinite, without a warning, where ridge is 0 and n the
        number of non-zero eigenvalues.

    Raises:
        InputError: for a spectrum without "target_power", n < 1, a negative ridge or noise.

    Example:
        >>> import numpy as np
        >>> power = {"target_power": np.full(100, 0.01)}
        >>> spectrum_risk(Spectrum.from_eigenvalues(np.ones(100), power), [100, 200], 0.0, 1.0)
        array([inf,  2.])
    """
    sizes = sample_sizes("n", n)
    variance = non_negative("noise", noise)
    if "target_power" not in spectrum.weights:
        raise InputError(
            f"spectrum must have the weights 'target_power', got {sorted(spectrum.weights)}"
        )
    kappa = effective_ridge(spectrum, sizes, ridge)
    unexplained = (
        spectrum.weighted_sum("target_power", lambda lam, kap: unlearned(lam, kap) ** 2, kappa)
        + spectrum.zero_weights["target_power"]
        + variance
    )
    # A target learned to the last digit stays learned where overfitting is infinite.
    risk = np.zeros_like(sizes)
    factor = overfitting(spectrum, kappa, sizes, ridge)
    np.multiply(unexplained, factor, out=risk, where=unexplained > 0)
    return risk


def _target_spectrum(eigenvalues: ArrayLike, target_power: ArrayLike) -> Spectrum:
    values = non_negative_array("eigenvalues", eigenvalues, (1, 2))
    power = non_negative_array("target_power", target_power, (1, 2))
    return Spectrum.from_eigenvalues(values, {"target_power": power})


def _as_spectrum(eigenvalues: ArrayLike | Spectrum) -> Spectrum:
    if isinstance(eigenvalues, Spectrum):
        return eigenvalues
    return Spectrum.from_eigenvalues(eigenvalues)


def _ridge_over_kappa(spectrum: Spectrum, kappa: Array, n: Array, ridge: float) -> Array:
    """Return delta / kappa; where both are 0 its limit, the excess of n over the eigenvalues."""
    ratio = np.maximum(n - spectrum.size, 0.0)
    np.divide(ridge, kappa, out=ratio, where=kappa > 0)
    return ratio


def _solve(spectrum: Spectrum, n: Array, ridge: float) -> Array:
    """Solve for kappa > 0 by Newton steps in log kappa, bisecting whenever they do poorly."""
    room = np.maximum(spectrum.size - n, 0.0) / spectrum.size
    # Bounds from L <= lambda / kappa and 1 - L <= kappa / min lambda; factor 2 for safety.
    low = np.log(np.maximum(ridge / n, spectrum.nodes.min() * room) / 2)
    high = np.log(2 * (spectrum.trace + ridge) / n)
    point = (low + high) / 2
    last_step = high - low
    done = np.zeros(n.shape, dtype=bool)
    for _ in range(200):
        value, slope = _imbalance(spectrum, np.exp(point), n, ridge)
        low = np.where(value < 0, point, low)
        high = np.where(value < 0, high, point)
        newton = point - value / np.maximum(slope, np.finfo(np.float64).tiny)
        poor = (newton < low) | (newton > high) | (2 * np.abs(value) > last_step * slope)
        following = np.where(poor, (low + high) / 2, newton)
        # A solution already found must not move: rounding would start a bisection there.
        last_step = np.where(done, last_step, np.abs(following - point))
        point = np.where(done, point, following)
        done |= last_step <= 1e-10
        if done.all():
            break
    kappa: Array = np.exp(point)
    return kappa


def _imbalance(spectrum: Spectrum, kappa: Array, n: Array, ridge: float) -> tuple[Array, Array]:
    """Return the log ratio of the equation's two sides, increasing, and its slope in log kappa.

    Few samples: log n - log(sum L + delta / kappa). Many: the same equation subtracted from the
    number of eigenvalues p, sum (1 - L) + (n - p)_+ = (p - n)_+ + delta / kappa, so that
    neither form is a small difference of large sums.
    """
    excess = n - spectrum.size
    per_kappa = ridge / kappa
    at_stake = spectrum.degrees_at_stake(kappa)
    few = spectrum.degrees(kappa) + per_kappa
    many_left = spectrum.unlearned_degrees(kappa) + np.maximum(excess, 0)
    # Its value is not used where n is small; there, too, it is above 0.
    many_right = np.maximum(-excess, 0) + per_kappa
    is_few = 2 * n < spectrum.size
    value = np.where(is_few, np.log(n / few), np.log(many_left / many_right))
    slope = np.where(
        is_few, (at_stake + per_kappa) / few, at_stake / many_left + per_kappa / many_right
    )
    return value, slope
