"""The signal of matching in a kernel sum_ab k_ab (v.v')^a (t.t')^b."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import isotonic_regression

from fusiontheory.checks import InputError
from fusiontheory.moments import Moments
from fusiontheory.signal import MINIMUM_IMAGES

__all__ = ["kernel_signal"]

_Array: TypeAlias = NDArray[np.float64]

# Of q, which has no unit.
_LEAST_VARIANCE = 1e-20
# Levels that a curve of the gain needs.
_FEWEST = 3


def kernel_signal(
    moments: Moments,
    orders: Mapping[tuple[int, int], float],
    steps: int = 2,
    functions: tuple[str, ...] = (),
) -> tuple[Callable[[_Array], tuple[_Array, _Array]], Callable[[_Array], _Array]]:
    """Return kappa -> (q, dq / d log kappa) of the kernel, and kappa -> the standard error of q.

    q of the order (1, 1) alone is that of the bilinear head at kappa / k_11. What ``functions`` of
    the other orders add is the gain of `fusiontheory.signal.ritz` over it; fewer than 50 images do
    not show any. The error has the sampling of images, and the last term of the expansion, what
    the witness of the highest orders adds, for the orders left out.

    Args:
        moments: of the features.
        orders: k_ab > 0 by (a, b); (1, 1) must be there.
        steps: Lanczos steps of the bilinear signal, 0, 1 or 2.
        functions: names out of `fusiontheory.signal.FUNCTIONS`.

    Raises:
        InputError: if there is no order (1, 1) above 0.

    Example:
        >>> import numpy as np
        >>> moments = Moments.from_second_moments(np.eye(4), np.eye(4), 0.5 * np.eye(4))
        >>> orders = {(1, 1): 0.1, (2, 0): 0.1, (0, 2): 0.1}
        >>> plain, _ = kernel_signal(moments, orders)
        >>> more, _ = kernel_signal(moments, orders, functions=("image_pair", "text_pair"))
        >>> kappa = np.array([0.01])
        >>> bool(more(kappa)[0] > plain(kappa)[0])
        True
    """
    cross = orders.get((1, 1), 0.0)
    if not cross > 0:
        raise InputError(f"orders must have (1, 1) above 0, got {dict(orders)}")

    def bilinear(kappa: _Array) -> tuple[_Array, _Array]:
        return moments.matching_signal(kappa / cross, steps)

    def bilinear_error(kappa: _Array) -> _Array:
        return moments.matching_error(kappa / cross)

    if not functions or moments.images < MINIMUM_IMAGES:
        return bilinear, bilinear_error
    levels, gram = moments.ritz(orders)
    # Where images do not show the functions nothing is known of the gain.
    first = gram.shown(functions)
    if levels.size - first < _FEWEST:
        return bilinear, bilinear_error
    levels = levels[first:]
    # The highest orders that are kept stand for those that are not: by as much as they add, q may
    # be off.
    kept = tuple(name for name in functions if name != "witness")
    whole = gram.gain(functions)[first:]
    last = whole - gram.gain(kept)[first:]
    gain_error = gram.gain_error(functions)[first:]
    gain = _falling(whole, gain_error, bilinear(levels)[0])
    whole_error = np.hypot(gain_error, last)
    log_levels = np.log(levels)
    curve = CubicSpline(log_levels, gain, bc_type="natural")
    slope = curve.derivative()

    def more(kappa: _Array) -> tuple[_Array, _Array]:
        inside = np.clip(np.log(kappa), log_levels[0], log_levels[-1])
        found, change = (
            np.maximum(curve(inside), 0.0),
            np.where(curve(inside) > 0, slope(inside), 0),
        )
        # Below the levels the gain is linear in kappa; above them it falls as 1 / kappa or faster.
        below, above = np.minimum(kappa / levels[0], 1.0), np.minimum(levels[-1] / kappa, 1.0)
        found = np.maximum(found - np.minimum(change, 0.0) * (1 - below), 0.0) * above
        return found, np.where(above < 1, -found, change * below)

    def signal(kappa: _Array) -> tuple[_Array, _Array]:
        q, dq = bilinear(kappa)
        gained, change = more(kappa)
        # As q falls with kappa, but not faster than 1 / kappa.
        return q + gained, np.clip(dq + change, -(q + gained), 0.0)

    def error(kappa: _Array) -> _Array:
        falling = np.minimum(levels[-1] / kappa, 1.0)
        own = np.interp(np.log(kappa), log_levels, whole_error) * falling
        # Below what is shown the gain may go on growing, or not.
        grown = more(kappa)[0] - more(np.maximum(kappa, levels[0]))[0]
        return np.asarray(np.sqrt(bilinear_error(kappa) ** 2 + own**2 + grown**2))

    return signal, error


def _falling(gain: _Array, error: _Array, base: _Array) -> _Array:
    """Return the gain nearest to the given one, in its errors, with which q falls with kappa.

    Where G is nearly singular noise can make the gain at a single kappa many times its neighbours'.
    """
    # Where there is neither signal nor error every point counts alike.
    weight = 1 / np.maximum(error**2 + (1e-3 * base) ** 2, _LEAST_VARIANCE)
    whole = isotonic_regression(base + gain, weights=weight, increasing=False).x
    return np.asarray(np.maximum(whole - base, 0.0))
