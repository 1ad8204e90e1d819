"""The matching signal between, above and below the effective ridges at which it is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline, CubicSpline

__all__ = ["signal_curve"]

_Array = NDArray[np.float64]


def signal_curve(
    kappa: _Array, grid: _Array, known: _Array, levels: _Array, shape: _Array
) -> tuple[_Array, _Array]:
    """Return q and its derivative in log kappa from q at the points of a grid.

    Args:
        kappa: effective ridges above 0.
        grid: where q is known, increasing, up to tr M_v tr M_t, shape (g,).
        known: q there, noise included.
        levels: a finer grid, every so many points of which are those of ``grid``.
        shape: there, the logarithm of what q looks like; the ratio to it is interpolated.
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
    last, top = levels[-2:], np.exp(signal[-2:])
    # B is a mean of eigenvalues of S, which are below its trace; the grid ends at the trace.
    pole = min(
        float(np.diff(last * top)[0]) / max(float(top[0] - top[1]), np.finfo(np.float64).tiny),
        float(last[1]),
    )
    end = -last[1] / (last[1] + pole)
    curve = _monotone(log_levels, signal, end)
    inside = np.clip(log_kappa, log_levels[0], log_levels[-1])
    above = np.maximum(kappa, last[1])
    q = np.exp(curve(inside)) * (last[1] + pole) / (above + pole)
    slope = np.where(kappa > last[1], -above / (above + pole), curve(inside, 1))
    slope = q * np.clip(slope, -1.0, 0.0)
    below = np.minimum(kappa / levels[0], 1.0)
    return q - slope * (1 - below), slope * below


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
