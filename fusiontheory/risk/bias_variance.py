"""Mean and variance over training sets of a ridge predictor, coefficient by coefficient."""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, finite_array, non_negative_array, sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.risk.ridge import effective_ridge, ridge_risk
from fusiontheory.risk.spectrum import Spectrum
from fusiontheory.typing import Array, Sizes

__all__ = [
    "mean_coefficients",
    "prediction_variance",
]


@checked
def mean_coefficients(
    eigenvalues: ArrayLike, coefficients: ArrayLike, n: float | Sizes, ridge: float
) -> Array:
    """Return L_i b_i, the coefficients of the predictor averaged over training sets.

    Args:
        eigenvalues: lambda_i >= 0, not all zero, shape (p,).
        coefficients: b_i, signed, of the target sum_i b_i phi_i in unit-norm eigenfunctions;
            sqrt(lambda_i) beta_i for a target sum_i beta_i x_i. Shape (p,).
        n: sample size or sizes, at least 1.
        ridge: delta >= 0, absolute, in the units of the eigenvalues.

    Returns:
        In label units, shape (p,) for a scalar n, else (sizes, p).

    Raises:
        InputError: for arguments that ``effective_ridge`` refuses, coefficients that are not
            finite or of another shape than the eigenvalues.

    Source: Canatar, Bordelon & Pehlevan, arXiv:2006.13198; Simon et al., arXiv:2110.03922.

    Example:
        >>> import numpy as np
        >>> mean_coefficients(np.ones(4), [2.0, 0.0, -2.0, 0.0], 2, ridge=0.0)
        array([ 1.,  0., -1.,  0.])
    """
    values, b = checked_target(eigenvalues, coefficients)
    kappa = np.atleast_1d(effective_ridge(values, sample_sizes("n", n), ridge))[:, None]
    # Without ridge kappa may be 0; a zero eigenvalue learns nothing there either.
    total = values + kappa
    mean: Array = b * np.divide(values, total, out=np.zeros_like(total), where=total > 0)
    return mean[0] if np.ndim(n) == 0 else mean


@overload
def prediction_variance(
    eigenvalues: ArrayLike, target_power: ArrayLike, n: float, ridge: float, noise: float
) -> float: ...


@overload
def prediction_variance(
    eigenvalues: ArrayLike, target_power: ArrayLike, n: Sizes, ridge: float, noise: float
) -> Array: ...


@checked
def prediction_variance(
    eigenvalues: ArrayLike, target_power: ArrayLike, n: float | Sizes, ridge: float, noise: float
) -> float | Array:
    """Return gamma times ``ridge_risk``: the variance of f(x) over training sets at a typical x.

    It is the part of the test risk that is neither bias, sum_i (1 - L_i)^2 b_i^2, nor noise.
    Arguments, units, Raises and warnings are those of ``ridge_risk``.

    Source: Canatar, Bordelon & Pehlevan, arXiv:2006.13198; Simon et al., arXiv:2110.03922.

    Example:
        >>> import numpy as np
        >>> prediction_variance(np.ones(100), np.full(100, 0.01), 200, ridge=0.0, noise=1.0)
        1.0
    """
    sizes = sample_sizes("n", n)
    risk = ridge_risk(eigenvalues, target_power, sizes, ridge, noise)
    spectrum = Spectrum.from_eigenvalues(eigenvalues)
    gamma = spectrum.squared_degrees(effective_ridge(spectrum, sizes, ridge)) / sizes
    variance = gamma * risk
    return float(variance[0]) if np.ndim(n) == 0 else variance


@checked
def checked_target(eigenvalues: ArrayLike, coefficients: ArrayLike) -> tuple[Array, Array]:
    values = non_negative_array("eigenvalues", eigenvalues, 1)
    b = finite_array("coefficients", coefficients, 1)
    if b.shape != values.shape:
        raise InputError(
            f"coefficients must have one value per eigenvalue, {values.size}, got {b.size}"
        )
    return values, b
