"""Least squares on Gaussian features: exact test and training error at finite sample size.

A part of the target that the features cannot represent, linear in other Gaussians that are
uncorrelated with them, is independent noise and adds its variance to s^2; nothing is approximate.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import overload

import numpy as np

from fusiontheory.checks import ValidityWarning, non_negative, positive_integer, sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.typing import AnyArray, Array

__all__ = ["least_squares_risk", "least_squares_training_risk"]


@overload
def least_squares_risk(p: int, n: float, noise: float, signal: float = 0.0) -> float: ...
@overload
def least_squares_risk(
    p: int, n: Sequence[float] | AnyArray, noise: float, signal: float = 0.0
) -> Array: ...
@checked
def least_squares_risk(
    p: int, n: float | Sequence[float] | AnyArray, noise: float, signal: float = 0.0
) -> float | Array:
    """Return the expected excess test error of least squares on p Gaussian features.

    - n > p + 1: s^2 p / (n - p - 1), ordinary least squares, any covariance of the features.
    - n < p - 1: (1 - n/p) |beta|^2 + s^2 n / (p - n - 1), the interpolator of least norm, for
      features of identity covariance.
    - between: infinite, unless the noise is 0.

    Excess means above the noise: the error on a fresh noisy label is s^2 more.

    Args:
        p: number of features.
        n: sample size or sizes, at least 1.
        noise: s^2 >= 0, the variance of the label noise, in squared label units; target power
            that the features cannot represent belongs to it.
        signal: |beta|^2 >= 0, the power of the target within the features.

    Returns:
        Squared label units, a float for a scalar n, else the shape of n. Infinite, with a
        ``ValidityWarning``, within 1 of n = p.

    Raises:
        InputError: for p that is no integer of at least 1, n < 1, negative noise or signal.

    Source: Hastie, Montanari, Rosset & Tibshirani, arXiv:1903.08560; the finite-n forms follow
    from the mean of the inverse Wishart matrix.

    Example:
        >>> least_squares_risk(10, [5, 21], noise=1.0, signal=4.0)
        array([3.25, 1.  ])
    """
    features = positive_integer("p", p)
    sizes = sample_sizes("n", n)
    variance = non_negative("noise", noise)
    power = non_negative("signal", signal)
    bias = power * np.maximum(1 - sizes / features, 0)
    # Distance to the interpolation threshold, less one; the mean is infinite up to it.
    gap = np.abs(sizes - features) - 1
    fitted = np.full_like(sizes, np.inf if variance > 0 else 0.0)
    np.divide(variance * np.minimum(sizes, features), gap, out=fitted, where=gap > 0)
    risk = bias + fitted
    if np.isinf(risk).any():
        warnings.warn(
            f"the mean risk is infinite at n = {sizes[np.isinf(risk)][0]:g}, within 1 of the"
            f" {features} features; regularise there",
            ValidityWarning,
            stacklevel=2,
        )
    return float(risk[0]) if np.ndim(n) == 0 else risk


@overload
def least_squares_training_risk(p: int, n: float, noise: float) -> float: ...
@overload
def least_squares_training_risk(p: int, n: Sequence[float] | AnyArray, noise: float) -> Array: ...
@checked
def least_squares_training_risk(
    p: int, n: float | Sequence[float] | AnyArray, noise: float
) -> float | Array:
    """Return the expected training mean squared error s^2 (1 - p/n), and 0 up to n = p.

    It does not depend on the signal: the residual is the noise outside the features' span.

    Args:
        p: number of features, of any covariance of full rank.
        n: sample size or sizes, at least 1.
        noise: s^2 >= 0, in squared label units, unrepresentable target included.

    Returns:
        Squared label units, a float for a scalar n, else the shape of n; the test error on a
        fresh noisy label is ``least_squares_risk`` + s^2.

    Raises:
        InputError: for p that is no integer of at least 1, n < 1, a negative noise.

    Source: the trace of the residual projection, Seber & Lee, "Linear regression analysis".

    Example:
        >>> least_squares_training_risk(10, [5, 20], noise=1.0)
        array([0. , 0.5])
    """
    features = positive_integer("p", p)
    sizes = sample_sizes("n", n)
    risk = non_negative("noise", noise) * np.maximum(1 - features / sizes, 0)
    return float(risk[0]) if np.ndim(n) == 0 else risk
