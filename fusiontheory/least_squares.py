"""Least squares on Gaussian features: exact risk at finite sample size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import non_negative, positive_integer, sample_sizes

__all__ = ["least_squares_risk"]


@overload
def least_squares_risk(p: int, n: float, noise: float, signal: float = 0.0) -> float: ...
@overload
def least_squares_risk(
    p: int, n: Sequence[float] | NDArray[Any], noise: float, signal: float = 0.0
) -> NDArray[np.float64]: ...
def least_squares_risk(
    p: int, n: float | Sequence[float] | NDArray[Any], noise: float, signal: float = 0.0
) -> float | NDArray[np.float64]:
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
        Squared label units, a float for a scalar n, else the shape of n.

    Raises:
        InputError: for p that is no integer of at least 1, n < 1, negative noise or signal.

    Source: Hastie, Montanari, Rosset & Tibshirani, arXiv:1903.08560; the finite-n forms follow
    from the mean of the inverse Wishart matrix.

    Example:
        >>> least_squares_risk(10, [5, 10, 21], noise=1.0, signal=4.0)
        array([3.25,  inf, 1.  ])
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
    return float(risk[0]) if np.ndim(n) == 0 else risk
