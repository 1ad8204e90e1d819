r"""The power law that learning curves are extrapolated by: three forms, by least squares.

    accuracy   accuracy = a - b n^-c          1/2 <= a <= 1
    logit      log(accuracy / error) = a - b n^-c
    error      error = b n^-c                 two numbers: no floor

Source: Cortes et al., "Learning curves: asymptotic values and rate of convergence" (1994); Hestness
et al. (arXiv:1712.00409) for the form without a floor.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import product

import numpy as np
from scipy.optimize import OptimizeWarning, curve_fit
from scipy.special import expit, logit

from fusiontheory.constraints import checked
from fusiontheory.typing import Array

__all__ = ["FORMS", "extrapolate", "extrapolate_with_error"]


# Of the logit, lest a subset with every pair right or half of them be infinite or nothing.
_EDGE = 1e-4
# Of a, b in units of the first size, and c.
_ACCURACY_BOUNDS = ([0.5, 0.0, 0.0], [1.0, 2.0, 3.0])


@checked
def extrapolate(form: str, sizes: Array, accuracy: Array, error: Array, at: Array) -> Array:
    """Fit ``form`` to a measured curve and return its accuracy at other sizes.

    The best of several starts is taken. Points count by their standard errors.

    Args:
        form: one of ``FORMS``.
        sizes: n of the measured points, shape (k,).
        accuracy: measured means there.
        error: their standard errors, above 0.
        at: sizes to extrapolate to.

    Example:
        >>> n = np.array([16.0, 32.0, 64.0, 128.0])
        >>> foretold = extrapolate("accuracy", n, 0.9 - n**-0.5, np.full(4, 0.01), 4 * n)
        >>> bool(np.allclose(foretold, 0.9 - (4 * n) ** -0.5, atol=1e-3))
        True
    """
    return FORMS[form](sizes, accuracy, error, at)


@checked
def extrapolate_with_error(
    sizes: Array, accuracy: Array, error: Array, at: float
) -> tuple[float, float]:
    """Fit the form "accuracy" and return its value at another size, with a standard error.

    The error is the fit's covariance carried to ``at`` by the form's gradient there: g^T C g, with
    C = (J^T S^-1 J)^+ and S the squared standard errors as they are given, not rescaled by the
    residual. It knows no bounds, and nothing of whether the curve is a power law.

    Args:
        sizes, accuracy, error: as for `extrapolate`, at least three points.
        at: size to extrapolate to.

    Example:
        >>> n = np.array([16.0, 32.0, 64.0, 128.0])
        >>> value, se = extrapolate_with_error(n, 0.9 - n**-0.5, np.full(4, 0.001), 512.0)
        >>> bool(abs(value - (0.9 - 512**-0.5)) < 1e-3), 0.0 < se < 0.01
        (True, True)
    """
    unit = float(sizes[0])
    fitted = _fit(sizes / unit, accuracy, error, *_ACCURACY_BOUNDS)
    if fitted is None:
        return float("nan"), float("nan")
    x = at / unit
    # Of a - b x^-c in a, b and c.
    _, b, c = fitted
    jacobian = np.stack([_gradient(size / unit, b, c) for size in sizes]) / error[:, None]
    covariance = np.linalg.pinv(jacobian.T @ jacobian, hermitian=True)
    gradient = _gradient(x, b, c)
    variance = float(gradient @ covariance @ gradient)
    return float(_falling(np.array([x]), *fitted)[0]), max(variance, 0.0) ** 0.5


def _gradient(x: float, b: float, c: float) -> Array:
    power = x**-c
    return np.array([1.0, -power, b * power * np.log(x)])


def _falling(n: Array, a: float, b: float, c: float) -> Array:
    # In units of the first size, so that b and c are not one number.
    return a - b * n**-c


def _fit(x: Array, y: Array, sigma: Array, lower: list[float], upper: list[float]) -> Array | None:
    """Return a, b and c of the best of several starts; None if none converges."""
    best, least = None, np.inf
    for share, rate in product((0.1, 0.5, 0.9), (0.1, 0.5, 1.0)):
        top = min(max(float(y.max()) + share * float(np.ptp(y)), lower[0]), upper[0])
        start = [top, max(top - float(y[0]), 1e-3), rate]
        try:
            with warnings.catch_warnings():
                # Of its covariance, which is not used.
                warnings.simplefilter("ignore", OptimizeWarning)
                fitted, _ = curve_fit(
                    _falling, x, y, p0=start, sigma=sigma, bounds=(lower, upper), maxfev=5000
                )
        except RuntimeError:  # this start does not converge; others do
            continue
        loss = float((((_falling(x, *fitted) - y) / sigma) ** 2).sum())
        if loss < least:
            best, least = np.asarray(fitted, dtype=np.float64), loss
    return best


def _best(
    x: Array, y: Array, sigma: Array, lower: list[float], upper: list[float], at: Array
) -> Array:
    fitted = _fit(x, y, sigma, lower, upper)
    return np.full(at.size, np.nan) if fitted is None else _falling(at, *fitted)


def _accuracy(sizes: Array, accuracy: Array, error: Array, at: Array) -> Array:
    unit = sizes[0]
    return _best(sizes / unit, accuracy, error, *_ACCURACY_BOUNDS, at / unit)


def _logit(sizes: Array, accuracy: Array, error: Array, at: Array) -> Array:
    unit = sizes[0]
    inside = np.clip(accuracy, _EDGE, 1 - _EDGE)
    sigma = error / (inside * (1 - inside))
    return np.asarray(
        expit(
            _best(sizes / unit, logit(inside), sigma, [0.0, 0.0, 0.0], [10.0, 20.0, 3.0], at / unit)
        )
    )


def _error(sizes: Array, accuracy: Array, error: Array, at: Array) -> Array:
    wrong = np.maximum(1 - accuracy, _EDGE)
    slope, level = np.polyfit(np.log(sizes), np.log(wrong), 1, w=wrong / error)
    return np.asarray(1 - np.exp(level + slope * np.log(at)))


FORMS: dict[str, Callable[[Array, Array, Array, Array], Array]] = {
    "accuracy": _accuracy,
    "logit": _logit,
    "error": _error,
}
