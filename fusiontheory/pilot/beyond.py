r"""Forecast of the risk at more items than the pilot has.

df1(kappa) = int lambda/(lambda + kappa) d rho and
B(kappa) = sigma^2 + int (kappa/(lambda + kappa))^2 d mu. What the pilot cannot tell is how much of
B at its smallest kappa is noise, and the tail of rho; so two curves are carried on beyond n0, and a
stored calibration on synthetic worlds says how much of the gain of each to believe:

* a + b n^-c, least squares with a, b >= 0, averaged over c;
* a power law b n^-c.

The calibration (`calibration.json`, made by ``python -m experiments.choice.calibrate``) holds two
weights at each of 2, 4, 8 and 16 times n0, and the errors that it made on worlds that were left
out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError, sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.pilot.within import WithinReach
from fusiontheory.typing import Array

__all__ = ["FEATURES", "Forecast", "forecast", "forecast_features", "offset_power", "plain_power"]


_EXPONENTS = np.linspace(0.1, 1.6, 16)
# Believed accuracy of the points of the curve when exponents are weighed.
_POINT_ERROR = 0.01
FEATURES = ("offset_gain", "power_gain")


@checked
@dataclass(frozen=True, eq=False)
class Forecast:
    """Risk at several sizes, in the label's variance.

    Attributes:
        sizes: (k,).
        risk: (k,) point.
        low, high: (k,) interval at the asked level.
        deviation: (k,) scale of its error.
        beyond: (k,) whether the size is larger than the pilot.
    """

    sizes: Array
    risk: Array
    low: Array
    high: Array
    deviation: Array
    beyond: NDArray[np.bool_]


def offset_power(within: WithinReach, ratios: ArrayLike) -> Array:
    """Return a + b r^-c at r = n/n0, fitted to the curve from n0/8 to n0 and passing at n0.

    a, b >= 0 by least squares for each c of a grid; the c are averaged by how well they fit.
    """
    r = np.atleast_1d(np.asarray(ratios, np.float64))
    x = np.geomspace(1 / 8, 1, 10)
    curve, _ = within.best(np.maximum(within.items * x, 3.0))
    weight = x / x.sum()
    power = x ** -_EXPONENTS[:, None]
    mean, level = power @ weight, float(curve @ weight)
    variance = power**2 @ weight - mean**2
    slope = np.maximum((power * curve) @ weight - mean * level, 0.0) / variance
    offset = level - slope * mean
    # With a = 0 the best b is that of a line through the origin.
    slope = np.where(offset < 0, (power * curve) @ weight / (power**2 @ weight), slope)
    offset = np.maximum(offset, 0.0)
    fitted = offset[:, None] + slope[:, None] * power
    squares = ((fitted - curve) ** 2 @ weight) * x.sum()
    weights = np.exp(-(squares - squares.min()) / (2 * _POINT_ERROR**2))
    ahead = offset[:, None] + slope[:, None] * r ** -_EXPONENTS[:, None]
    ahead += (curve[-1] - fitted[:, -1])[:, None] / np.sqrt(r)
    result: Array = weights @ ahead / weights.sum()
    return result


@checked
def plain_power(within: WithinReach, ratios: ArrayLike) -> Array:
    """Return b r^-c through the curve from n0/4 to n0, log-log least squares, anchored at n0."""
    r = np.atleast_1d(np.asarray(ratios, np.float64))
    x = np.geomspace(1 / 4, 1, 5)
    curve, _ = within.best(np.maximum(within.items * x, 3.0))
    slope = float(np.polyfit(np.log(x), np.log(np.maximum(curve, 1e-9)), 1)[0])
    result: Array = curve[-1] * r ** min(slope, 0.0)
    return result


@checked
def forecast_features(within: WithinReach, ratios: ArrayLike) -> Array:
    """Return the gains that the two curves promise, (k, 2), in the order of ``FEATURES``.

    Args:
        within: the curve of the pilot.
        ratios: (k,) n / n0 >= 1.
    """
    anchor = float(within.best(within.items)[0][0])
    return np.column_stack(
        [anchor - offset_power(within, ratios), anchor - plain_power(within, ratios)]
    )


@dataclass(frozen=True, eq=False)
class _Calibration:
    """Stored weights and errors at a few ratios n/n0; the first ratio is 1."""

    log_ratios: Array
    weights: Array
    deviations: Array
    quantiles: dict[str, Array]


@cache
def _calibration() -> _Calibration:
    """Read ``calibration.json``."""
    text = files("fusiontheory.pilot").joinpath("calibration.json").read_text(encoding="utf-8")
    stored: dict[str, Any] = json.loads(text)
    if tuple(stored["features"]) != FEATURES:
        raise InputError("calibration.json is of another version of the forecast; make it anew")
    return _Calibration(
        np.log(stored["ratios"]),
        np.array(stored["weights"]),
        np.array(stored["deviations"]),
        {key: np.array(value) for key, value in stored["quantiles"].items()},
    )


def _interpolate(log_ratio: float, knots: Array, rows: Array) -> Array:
    """Return the row at a log ratio, linear between the knots and constant beyond the last."""
    return np.array([np.interp(log_ratio, knots, column) for column in rows.T])


def forecast(within: WithinReach, error: float, sizes: ArrayLike, level: float = 0.9) -> Forecast:
    """Return risk and interval at any size, within the pilot's reach or beyond.

    The interval's ends are quantiles of error / deviation over the worlds of the calibration that
    were left out when their errors were made.

    Args:
        within: the curve of the pilot.
        error: standard error over items of its leave-one-out risk.
        sizes: n >= 1.
        level: 0.5, 0.8, 0.9 or 0.95: those that the calibration holds.

    Raises:
        InputError: for a level that is not stored or a size below 1.
    """
    stored = _calibration()
    key = f"{level:g}"
    if key not in stored.quantiles:
        raise InputError(f"level must be one of {', '.join(stored.quantiles)}, got {level!r}")
    n = sample_sizes("sizes", sizes)
    risk, _ = within.best(n)
    deviation = np.empty(n.size)
    ends = np.empty((2, n.size))
    beyond = n > within.items
    anchor = float(within.best(within.items)[0][0])
    promised = forecast_features(within, np.maximum(n / within.items, 1.0))
    for k, size in enumerate(n):
        ratio = max(float(size) / within.items, 1.0)
        weights = _interpolate(np.log(ratio), stored.log_ratios, stored.weights)
        gain = float(np.clip(weights @ promised[k], 0.0, anchor))
        if ratio > 1:
            risk[k] = anchor - gain
        scale = _interpolate(np.log(ratio), stored.log_ratios, stored.deviations)
        deviation[k] = error_scale(scale, error, gain, anchor)
        quantiles = _interpolate(np.log(ratio), stored.log_ratios, stored.quantiles[key])
        ends[:, k] = risk[k] - quantiles[::-1] * deviation[k]
    ends = np.maximum(ends, 0.0)
    return Forecast(n, risk, ends[0], np.maximum(ends[1], ends[0]), deviation, beyond)


def error_scale(scale: Array, error: float, gain: float, anchor: float) -> float:
    """Return sqrt(c0^2 + (c1 se)^2 + (c2 gain)^2 + (c3 R (1 - R))^2), R the forecast risk.

    A head that has learned nothing (risk near 1) or everything (near 0) cannot change much.
    """
    rest = max(anchor - gain, 0.0) * max(1.0 - anchor + gain, 0.0)
    parts = scale * np.array([1.0, error, gain, rest])
    return float(np.sqrt((parts**2).sum()))
