"""The ridge that minimises the predicted test risk, and what is left of the risk there."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from fusiontheory.checks import (
    InputError,
    ValidityWarning,
    non_negative,
    non_negative_array,
    positive_integer,
    sample_sizes,
)
from fusiontheory.constraints import checked
from fusiontheory.risk.ridge import spectrum_risk
from fusiontheory.risk.spectrum import Spectrum
from fusiontheory.typing import Array, Sizes

__all__ = ["OptimalRidge", "isotropic_optimal_ridge", "minimise_over_ridge", "optimal_ridge"]


# The search spans from where the ridge is far below any kappa to where next to nothing is learned.
_SPAN = 1e12
# Points of the coarse grid per factor of 10; a minimum narrower than that could be missed, and the
# risk, a sum of functions of log kappa that vary on the scale of 1, has none.
_PER_DECADE = 4


@checked
@dataclass(frozen=True, eq=False)
class OptimalRidge:
    """The best ridge at each sample size, and the risk with it.

    Attributes:
        ridge: delta >= 0, absolute, in the units of the eigenvalues; a float for a scalar n,
            else of its shape. 0 where no ridge is best, infinite where learning nothing is.
        risk: test mean squared error there, noise included, of the same shape.
    """

    ridge: float | Array
    risk: float | Array


@checked
def optimal_ridge(
    eigenvalues: ArrayLike, target_power: ArrayLike, n: float | Sizes, noise: float
) -> OptimalRidge:
    """Minimise ``ridge_risk`` over ridges delta in [0, infinity].

    Below 0 is not searched, though with strong alignment of target and features a negative ridge
    can be better still.

    Args:
        eigenvalues: lambda_i >= 0, not all zero, one- or two-dimensional.
        target_power: b_i^2 >= 0, of the shape of the eigenvalues; see ``ridge_risk``.
        n: sample size or sizes, at least 1.
        noise: s^2 >= 0, a variance in squared label units, unrepresentable target included.

    Returns:
        ``OptimalRidge``. Costs about 120 evaluations of the risk per sample size. The risk is
        its minimum to about 1e-9; the ridge itself is flat there and known to about 1e-4.

    Raises:
        InputError: for arguments that ``ridge_risk`` refuses.

    Source: the minimiser of Simon et al., arXiv:2110.03922, by search; ``isotropic_optimal_ridge``
    is the case with a closed form.

    Example:
        >>> import numpy as np
        >>> best = optimal_ridge(np.ones(100), np.full(100, 0.01), [50, 200], noise=0.5)
        >>> best.ridge.round(2)  # s^2 p / b^2 at every n
        array([50., 50.])
        >>> best.risk.round(3)
        array([1.207, 0.781])
    """
    sizes = sample_sizes("n", n)
    variance = non_negative("noise", noise)
    values = non_negative_array("eigenvalues", eigenvalues, (1, 2))
    power = non_negative_array("target_power", target_power, (1, 2))
    spectrum = Spectrum.from_eigenvalues(values, {"target_power": power})
    low = float(spectrum.nodes.min()) / _SPAN
    nothing = float(power.sum()) + variance
    ridges, risks = np.empty_like(sizes), np.empty_like(sizes)
    for k, size in enumerate(sizes):

        def risk(ridge: float, at: Array = sizes[k : k + 1]) -> float:
            return float(spectrum_risk(spectrum, at, ridge, variance)[0])

        high = size * float(spectrum.nodes.max()) * _SPAN
        ridges[k], risks[k] = _search(risk, low, high)
        # At the last point of the search the risk is that of learning nothing, up to rounding.
        if risks[k] >= nothing * (1 - 1e-11):
            ridges[k], risks[k] = np.inf, nothing
    if np.ndim(n) == 0:
        return OptimalRidge(ridge=float(ridges[0]), risk=float(risks[0]))
    return OptimalRidge(ridge=ridges, risk=risks)


@checked
def minimise_over_ridge(
    risk: Callable[[float], float], low: float, high: float, points: int = 49
) -> OptimalRidge:
    """Minimise any prediction over ridges: 0 and those in [low, high].

    A grid even in log delta finds the lowest valley, a bounded search its bottom. For an accuracy
    pass its negative.

    Args:
        risk: of one ridge, absolute; infinite values are passed over.
        low: smallest ridge of the grid, above 0.
        high: largest ridge of the grid, above ``low``.
        points: of the grid, at least 3; valleys narrower than its step may be missed.

    Returns:
        ``OptimalRidge`` of floats, with a ``ValidityWarning`` if the best of the grid is its last
        point, so that a larger ridge may be better.

    Raises:
        InputError: for low or high that are no such numbers, fewer than 3 points, or a risk
            that is NaN somewhere or infinite everywhere.

    Example:
        >>> import numpy as np
        >>> from fusiontheory.risk import product_ridge_risk
        >>> flat, power = np.ones(10), np.full((10, 10), 0.01)
        >>> best = minimise_over_ridge(
        ...     lambda ridge: product_ridge_risk(flat, flat, power, 50, ridge, noise=0.5),
        ...     low=1.0, high=1e4, points=9)
        >>> print(f"{best.ridge:.1f} {best.risk:.3f}")  # the prior's s^2 p / b^2
        50.0 1.230
    """
    bottom, top = non_negative("low", low), non_negative("high", high)
    if bottom == 0:
        raise InputError(f"low must be above 0, got {low!r}")
    if top <= bottom:
        raise InputError(f"high must be above low, {bottom:g}, got {top:g}")
    count = positive_integer("points", points, minimum=3)
    ridge, value = _search(risk, bottom, top, count)
    if ridge == top:
        warnings.warn(
            f"the risk is lowest at the largest ridge searched, {top:g}; search further up",
            ValidityWarning,
            stacklevel=2,
        )
    return OptimalRidge(ridge=ridge, risk=value)


@checked
def isotropic_optimal_ridge(p: int, eigenvalue: float, signal: float, noise: float) -> float:
    """Return delta* = s^2 lambda p / b^2, the best ridge on p features of equal variance.

    It is the same at every n. With coefficients drawn at random, alike for all raw features, the
    same ridge is best for any spectrum: it is the Bayes estimator's.

    Args:
        p: number of features.
        eigenvalue: lambda > 0, the variance of each.
        signal: b^2 >= 0, the power of the target within the features, in squared label units.
        noise: s^2 >= 0, the variance of the label noise.

    Returns:
        delta*, absolute, in the units of lambda; infinite without signal.

    Raises:
        InputError: for p below 1, a negative signal or noise, an eigenvalue that is not above 0.

    Source: Dobriban & Wager, arXiv:1507.03003; Hastie et al., arXiv:1903.08560.

    Example:
        >>> isotropic_optimal_ridge(100, 1.0, signal=1.0, noise=0.5)
        50.0
    """
    features = positive_integer("p", p)
    scale = non_negative("eigenvalue", eigenvalue)
    if scale == 0:
        raise InputError(f"eigenvalue must be above 0, got {eigenvalue!r}")
    power, variance = non_negative("signal", signal), non_negative("noise", noise)
    return variance * scale * features / power if power > 0 else float("inf")


def _search(
    risk: Callable[[float], float], low: float, high: float, points: int | None = None
) -> tuple[float, float]:
    """Return the best ridge of 0 and [low, high], and the risk there."""
    start, stop = np.log(low), np.log(high)
    if points is None:
        points = 1 + int(np.ceil((stop - start) / np.log(10) * _PER_DECADE))
    grid = np.linspace(start, stop, points)
    ridges = np.exp(grid)
    ridges[-1] = high
    with warnings.catch_warnings():
        # Without ridge the risk may be infinite; it is passed over then.
        warnings.simplefilter("ignore", ValidityWarning)
        values = np.array([risk(float(ridge)) for ridge in ridges])
        none = risk(0.0)
    if np.isnan(values).any() or np.isnan(none):
        raise InputError("risk must be a number at every ridge, got NaN")
    best = int(np.argmin(values))
    if np.isinf(values[best]) and np.isinf(none):
        raise InputError("risk must be finite at some ridge, got infinity at all of them")
    ridge, value = float(ridges[best]), float(values[best])
    if 0 < best < points - 1:
        least = minimize_scalar(
            lambda log_ridge: risk(float(np.exp(log_ridge))),
            bounds=(grid[best - 1], grid[best + 1]),
            method="bounded",
            options={"xatol": 1e-6},
        )
        if least.fun < value:
            ridge, value = float(np.exp(least.x)), float(least.fun)
    # On a tie, as on the plateau of tiny ridges, none at all is the simplest.
    return (0.0, float(none)) if none <= value * (1 + 1e-12) else (ridge, value)
