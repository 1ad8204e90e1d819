"""The matching signal between, above and below the effective ridges at which it is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline, CubicSpline
from scipy.optimize import brentq

__all__ = ["signal_curve"]

_Array = NDArray[np.float64]

# Of B in kappa + B, from where q follows from it.
_SMALL_SHARE = 0.25
# Largest factor between B as it is known and as differences of q say.
_NEAR = 1.5
# B is a mean of eigenvalues of S, which are below its trace; the grid ends at the trace.
_LARGEST_SHARE = 0.5


def signal_curve(
    kappa: _Array, grid: _Array, known: _Array, levels: _Array, shape: _Array, share: _Array
) -> tuple[_Array, _Array]:
    """Return q and its derivative in log kappa from q at the points of a grid.

    Args:
        kappa: effective ridges above 0.
        grid: where q is known, increasing, up to tr M_v tr M_t, shape (g,).
        known: q there, noise included.
        levels: a finer grid, every so many points of which are those of ``grid``.
        shape: there, the logarithm of what q looks like; the ratio to it is interpolated.
        share: (q + dq / d log kappa) / q at the grid's points, B / (kappa + B) where q is
            A / (kappa + B). Where kappa is large differences of q do not tell it, as it is smaller
            than their noise: there q follows from it.
    """
    signal = _falling(np.log(grid), known)
    step = (levels.size - 1) // (grid.size - 1)
    ratio = CubicSpline(np.log(grid), signal - shape[::step])
    log_levels, log_kappa = np.log(levels), np.log(kappa)
    # The spline must not swing out where noise leaves points that are far apart.
    left = np.arange(levels.size) // step
    fine = np.clip(
        ratio(log_levels) + shape, signal[-(-np.arange(levels.size) // step)], signal[left]
    )
    signal = _falling(log_levels, np.exp(fine))
    held = np.clip(share, 0.0, _LARGEST_SHARE)
    poles = grid * held / (1 - held)
    # From where on all shares are small.
    first = min(int(np.flatnonzero(np.append(True, share > _SMALL_SHARE))[-1]), grid.size - 1)
    between = np.interp(log_levels, np.log(grid), poles)
    for start in range(first * step, levels.size - 1, step):
        part = slice(start, start + step + 1)
        middle = (between[part][1:] + between[part][:-1]) / 2
        wanted = float(signal[start]) - float(signal[start + step])
        signal[part] = signal[start] - _fallen(levels[part], middle, wanted)
    last, pole = float(levels[-1]), float(poles[-1])
    curve = _monotone(log_levels, signal, -last / (last + pole))
    inside = np.clip(log_kappa, log_levels[0], log_levels[-1])
    above = np.maximum(kappa, last)
    q = np.exp(curve(inside)) * (last + pole) / (above + pole)
    slope = np.where(kappa > last, -above / (above + pole), curve(inside, 1))
    slope = q * np.clip(slope, -1.0, 0.0)
    below = np.minimum(kappa / levels[0], 1.0)
    return q - slope * (1 - below), slope * below


def _fallen(kappa: _Array, poles: _Array, wanted: float) -> _Array:
    """Return by how much log q has fallen since the first kappa, as B is between them.

    All of B is larger or smaller by one factor near 1, so that the last value is ``wanted`` if it
    can be.
    """

    def each(factor: float) -> _Array:
        own = factor * poles
        return np.asarray(np.log((kappa[1:] + own) / (kappa[:-1] + own)))

    low, high = (float(each(factor).sum()) for factor in (_NEAR, 1 / _NEAR))
    factor = _NEAR if wanted <= low else 1 / _NEAR
    if low < wanted < high:
        factor = float(brentq(lambda x: each(x).sum() - wanted, 1 / _NEAR, _NEAR))
    return np.append(0.0, np.cumsum(each(factor)))


def _monotone(x: _Array, y: _Array, end: float) -> CubicHermiteSpline:
    """Return a cubic spline through falling values, of slope ``end`` at the end, that only falls.

    Slopes are limited as by Fritsch & Carlson (1980), which changes smooth values nowhere.
    """
    slopes = CubicSpline(x, y, bc_type=("not-a-knot", (1, np.asarray(end))))(x, 1)
    steps = np.diff(y) / np.diff(x)
    flattest = np.maximum(np.append(steps, steps[-1]), np.append(steps[0], steps))
    return CubicHermiteSpline(x, y, np.clip(slopes, 3 * flattest, 0.0))


def _falling(log_kappa: _Array, signal: _Array) -> _Array:
    """Return log q, cut where noise takes it out of the shape of a resolvent.

    q of a positive matrix falls with kappa, but not faster than 1 / kappa. The largest kappa,
    where noise is least, decides.
    """
    log_q = np.log(np.maximum(signal, np.finfo(np.float64).tiny))
    for point in range(log_q.size - 2, -1, -1):
        step = log_kappa[point + 1] - log_kappa[point]
        log_q[point] = np.clip(log_q[point], log_q[point + 1], log_q[point + 1] + step)
    return log_q
