"""Simulated ridge classifiers of sign labels, the measured twin of `fusiontheory.sign_accuracy`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import non_negative
from fusiontheory.constraints import checked
from fusiontheory.monte_carlo.training_sets import random_numbers
from fusiontheory.risk import SignLabel, SignLabels, checked_target
from fusiontheory.solvers import fit_linear_ridge
from fusiontheory.typing import Array

__all__ = [
    "SimulatedClassifier",
    "simulate_coefficients",
    "simulate_sign_accuracy",
]


@dataclass(frozen=True, eq=False)
class SimulatedClassifier:
    """What fits on independent draws of the training set do.

    Attributes:
        accuracy: probability that the sign is right on a fresh label, for each draw, (draws,).
        test: test mean squared error of the score against the label, (draws,).
    """

    accuracy: Array
    test: Array

    @property
    def standard_error(self) -> float:
        """Standard error of the mean accuracy, from the spread between draws."""
        return float(self.accuracy.std(ddof=1) / np.sqrt(self.accuracy.size))


@checked
def simulate_sign_accuracy(
    labels: SignLabels, n: int, draws: int, seed: int
) -> SimulatedClassifier:
    """Fit ridge regression on ``draws`` training sets and return their exact accuracies.

    Given the coefficients w of unit-variance features, score and latent are jointly normal: the
    accuracy follows from their correlation and the test error is 1 - 2 w . b + |w|^2. No test
    set adds noise.

    Args:
        labels: features, latent, flips and ridge.
        n: training samples, 1 to 1,000,000.
        draws: training sets, 2 to 100,000.
        seed: of the random numbers.

    Raises:
        InputError: for n or draws out of range, a negative seed, or non-integers.

    Source: the measured twin of ``sign_accuracy``.

    Example:
        >>> from fusiontheory.risk import sign_accuracy
        >>> labels = SignLabels(np.ones(30), np.ones(30), ridge=1.0, flip=0.1)
        >>> measured = simulate_sign_accuracy(labels, n=100, draws=200, seed=0)
        >>> gap = measured.accuracy.mean() - sign_accuracy(labels, 100)
        >>> bool(abs(gap) < 4 * measured.standard_error)
        True
    """
    a = np.sqrt(labels.share)
    hidden = np.sqrt(max(1 - float(labels.share.sum()), 0.0))

    def label(z: Array, generator: np.random.Generator) -> Array:
        latent = z @ a + hidden * generator.standard_normal(z.shape[0])
        turned = generator.random(z.shape[0]) < labels.flip
        return np.where(turned, -1.0, 1.0) * np.where(latent >= 0, 1.0, -1.0)

    fitted = _fits(labels.eigenvalues, label, labels.ridge, n, draws, seed)
    length = np.linalg.norm(fitted, axis=1)
    overlap = fitted @ a
    correlation = np.divide(overlap, length, out=np.zeros_like(length), where=length > 0)
    agree = np.arcsin(np.clip(correlation, -1, 1)) / np.pi
    return SimulatedClassifier(
        accuracy=0.5 + (1 - 2 * labels.flip) * agree,
        test=1 - 2 * labels.slope * overlap + length**2,
    )


@checked
def simulate_coefficients(
    eigenvalues: ArrayLike,
    coefficients: ArrayLike,
    n: int,
    ridge: float,
    noise: float,
    *,
    draws: int,
    seed: int,
) -> Array:
    """Return the coefficients of fits on independent training sets, in unit-norm eigenfunctions.

    Their mean is the twin of ``mean_coefficients``, the sum of their variances that of
    ``prediction_variance``.

    Args:
        eigenvalues: lambda_i >= 0, not all zero, shape (p,).
        coefficients: b_i of the target sum_i b_i phi_i, signed, shape (p,).
        n: training samples, 1 to 1,000,000.
        ridge: delta >= 0, absolute, in the units of the eigenvalues.
        noise: s^2 >= 0, variance of the label noise.
        draws: training sets, 2 to 100,000.
        seed: of the random numbers.

    Returns:
        Shape (draws, p), in label units.

    Raises:
        InputError: for negative or non-finite numbers, shapes that differ, n or draws out of range.

    Example:
        >>> import numpy as np
        >>> simulate_coefficients(np.ones(2), [1.0, -1.0], 5, 0.0, 0.0, draws=2, seed=0).round(9)
        array([[ 1., -1.],
               [ 1., -1.]])
    """
    values, b = checked_target(eigenvalues, coefficients)
    delta, spread = non_negative("ridge", ridge), np.sqrt(non_negative("noise", noise))

    def label(z: Array, generator: np.random.Generator) -> Array:
        result: Array = z @ b + spread * generator.standard_normal(z.shape[0])
        return result

    return _fits(values, label, delta, n, draws, seed)


def _fits(
    eigenvalues: Array, label: SignLabel, ridge: float, n: int, draws: int, seed: int
) -> Array:
    """Return coefficients (draws, p) of fits to labels that ``label`` draws from z (n, p)."""
    generators = random_numbers(n, draws, seed, eigenvalues.size)
    scale = np.sqrt(eigenvalues)
    fitted = np.empty((draws, eigenvalues.size))
    for row, generator in zip(fitted, generators, strict=True):
        z = generator.standard_normal((n, eigenvalues.size))
        row[:] = scale * fit_linear_ridge(z * scale, label(z, generator), ridge)
    return fitted
