"""Predicted risk and accuracy of matching along n, from a model of the task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from fusiontheory.checks import InputError, non_negative, positive_integer, sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.matching.model import (
    MOST_OVERFITTING,
    MatchingModel,
    ScoreShift,
)
from fusiontheory.risk import ridge_solution
from fusiontheory.typing import Array

__all__ = [
    "MatchingCurve",
    "check_request",
    "matching_curve",
    "shifted",
]


@checked
def shifted(curve: MatchingCurve, law: ScoreShift) -> MatchingCurve:
    """Return a curve under the law of scores; at a peak it stays as it is.

    On the scale of Phi^{-1}(accuracy) the law is a shift, of the interval too, which widens by
    the error of the law, or has that alone where it is the whole error.

    Example:
        >>> one = np.array([0.8])
        >>> curve = MatchingCurve(one, one, one - 0.1, one + 0.1, np.array([False]))
        >>> same = shifted(curve, ScoreShift(0 * one, 0 * one, one / one))
        >>> np.round([same.low[0], same.accuracy[0], same.high[0]], 6)
        array([0.7, 0.8, 0.9])
    """
    middle, low, high = (ndtri(x) for x in (curve.accuracy, curve.low, curve.high))
    usable = np.isfinite(middle) & np.isfinite(low) & np.isfinite(high) & ~curve.peak
    safe = [np.where(usable, x, 0.0) for x in (middle, low, high)]
    moved = safe[0] + law.shift
    own = 1.96 * law.error
    below = own if law.whole else np.hypot(safe[0] - safe[1], own)
    above = own if law.whole else np.hypot(safe[2] - safe[0], own)
    return MatchingCurve(
        risk=np.where(usable, curve.risk * law.risk, curve.risk),
        accuracy=np.where(usable, ndtr(moved), curve.accuracy),
        low=np.where(usable, ndtr(moved - below), curve.low),
        high=np.where(usable, ndtr(moved + above), curve.high),
        peak=curve.peak,
    )


@checked
@dataclass(frozen=True)
class MatchingCurve:
    """Predicted risk and accuracy at each n; arrays of one shape.

    Attributes:
        risk: test mean squared error against labels +-1; infinite at a peak without any ridge.
        accuracy: share of balanced test pairs classified right.
        low, high: accuracy at the ends of the 95 % interval of the signal; at a peak, from chance
            to what the mean predictor would reach.
        peak: whether n is at an interpolation peak with next to no ridge, 1 / (1 - gamma) above
            1000, where what the formula leaves out is amplified as much.
    """

    risk: Array
    accuracy: Array
    low: Array
    high: Array
    peak: NDArray[np.bool_]


@checked
def matching_curve(model: MatchingModel, n: Array, ridge: float) -> MatchingCurve:
    """Return the predicted curve of a head at sample sizes ``n`` (n / 2 matched pairs).

    Args:
        model: the head's spectrum and signal.
        n: sample sizes, at least 1, shape (k,).
        ridge: delta of K + delta I, absolute.

    Example:
        >>> from fusiontheory.matching import NoSignal
        >>> from fusiontheory.risk import Spectrum
        >>> flat = Spectrum.from_eigenvalues(np.ones(10))  # ten features without any signal
        >>> model = MatchingModel(flat, 0.0, NoSignal())
        >>> matching_curve(model, np.array([100.0]), ridge=0.0).accuracy
        array([0.5])
    """
    total = ridge + model.ridge
    solution = ridge_solution(model.spectrum, n, total)
    factor = solution.overfitting
    # gamma / (1 - gamma), not factor - 1: that cancels where a huge ridge fits next to nothing.
    noise = solution.gamma * factor
    # Without any ridge kappa is 0 past interpolation; the signal is smooth and nearly flat there.
    level = np.maximum(solution.kappa, np.finfo(np.float64).tiny)
    q, slope = model.signal(level)
    spread = 1.96 * model.signal.error(level)
    risk, accuracy = _classify(q, slope, factor, noise)
    # The slope in log kappa of another q is taken to be the same share of it.
    share = np.divide(slope, q, out=np.full_like(q, -1.0), where=q > 0)
    ends = [
        _classify(end, end * share, factor, noise)[1]
        for end in (np.maximum(q - spread, 0.0), q + spread)
    ]
    low, high = ends
    peak = factor > MOST_OVERFITTING
    if peak.any():
        # The formula has left its range: anything up to what the mean predictor would reach.
        top = q + spread
        high[peak] = _classify(top, top * share, np.ones_like(q), np.zeros_like(q))[1][peak]
        low[peak] = np.minimum(low, 0.5)[peak]
    return MatchingCurve(risk=risk, accuracy=accuracy, low=low, high=high, peak=peak)


def _classify(q: Array, slope: Array, factor: Array, noise: Array) -> tuple[Array, Array]:
    """Return risk and accuracy from the signal, 1 / (1 - gamma) and gamma / (1 - gamma)."""
    a = 1 / (1 + q / 4)
    mean = a * q / 4
    within = a**2 / 4 * np.maximum(q + slope, 0.0)
    bias = (1 - mean) ** 2 + within
    risk = bias * factor
    # gamma risk = noise x bias, infinite where every training label is fitted at no ridge.
    deviation = np.sqrt(within + noise * bias)
    ratio = np.zeros_like(mean)
    np.divide(mean, deviation, out=ratio, where=(deviation > 0) & np.isfinite(deviation))
    ratio[(deviation == 0) & (mean > 0)] = np.inf
    return risk, np.asarray(ndtr(ratio))


@checked
def check_request(
    n: ArrayLike,
    ridge: float,
    test_images: int | None = None,
    training_sets: int | None = None,
) -> tuple[Array, float]:
    """Return the checked sample sizes and ridge of `predict_curve`.

    Raises:
        InputError: for n below 2, a negative ridge, fewer than 2 test images, or a number of
            training sets that is not an integer of at least 1.
    """
    sizes = sample_sizes("n", n)
    if sizes.min() < 2:
        raise InputError(f"n must be at least 2, one pair of each kind, got {sizes.min():g}")
    if test_images is not None:
        positive_integer("test_images", test_images, minimum=2)
    if training_sets is not None:
        positive_integer("training_sets", training_sets)
    return sizes, non_negative("ridge", ridge)
