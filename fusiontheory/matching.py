r"""Image-text matching: risk and accuracy of a ridge classifier from its spectrum and signal.

Labels are y = +1 for matched and -1 for mismatched pairs, half of each. E[y | v] = E[y | t] = 0,
so that only features in which v and t meet carry signal. The intercept is not penalised.

With kappa the effective ridge of the features' spectrum and q(kappa) their signal
(`fusiontheory.signal.lanczos`), the mean predictor over training sets has class means +-m and
within-class variance s,

    a = 1 / (1 + q/4),   m = a q/4,   s = (a^2/4) (q + kappa dq/dkappa),

    risk = ((1 - m)^2 + s) / (1 - gamma),   accuracy = Phi(m / sqrt(s + gamma risk)).

The first term of the square root is what matched scores vary by, the second what predictors
trained on other samples vary by. Derivation: ``docs/theory.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from fusiontheory.risk import Spectrum, effective_ridge, learned, overfitting

__all__ = ["MatchingCurve", "MatchingModel", "ScoreShift", "SharedBlock", "matching_curve"]

_Array = NDArray[np.float64]

MOST_OVERFITTING = 1000.0
"""1 / (1 - gamma) beyond which a prediction says nothing."""


@dataclass(frozen=True, eq=False)
class ScoreShift:
    """What the law of scores changes at each n; arrays of one shape.

    Attributes:
        shift: Phi^{-1}(accuracy) less that of normal scores.
        error: its standard error.
        risk: factor of the risk.
        whole: whether ``error`` is that of the accuracy, the signal's error in it; else it is that
            of the shift alone and comes on top.
    """

    shift: _Array
    error: _Array
    risk: _Array
    whole: bool = False


@dataclass(frozen=True, eq=False)
class SharedBlock:
    """Features of a head that training pairs share if they share the image, the text or both.

    Attributes:
        spectrum: their eigenvalues, part of the head's; the weight ``common`` is the share of each
            that two texts of one image have in common.
        ridge: power of the orders of this kind above the spectrum; all blocks' is the head's ridge.
        of_image: whether the features depend on the image.
        of_text: whether they depend on the text.
        ridge_likeness: share of ``ridge`` that two texts of one image have in common.
    """

    spectrum: Spectrum
    ridge: float
    of_image: bool
    of_text: bool
    ridge_likeness: float = 1.0

    def likeness(self, kappa: float) -> float:
        """Return the share of sum_i L_i that is common to two texts of one image."""
        shared = self.spectrum.weighted_sum("common", learned, kappa)
        return float(shared / self.spectrum.sum(learned, kappa))


@dataclass(frozen=True)
class MatchingModel:
    """What the matching task looks like to one fusion head.

    Attributes:
        spectrum: eigenvalues of the second moment of the head's features.
        ridge: power of features left out of the spectrum; it adds to the ridge.
        signal: kappa -> (q, dq / d log kappa), arrays of the shape of kappa.
        signal_error: kappa -> standard error of q.
        law: (n, ridge) -> what the law of scores changes (`fusiontheory.score_curve`); None where
            scores are taken as normal. `matching_curve` does not apply it.
        shared: -> blocks of features by what training pairs must have in common to share them, that
            of image and text last (`fusiontheory.shared_images`); none if that is not known.
    """

    spectrum: Spectrum
    ridge: float
    signal: Callable[[_Array], tuple[_Array, _Array]]
    signal_error: Callable[[_Array], _Array]
    law: Callable[[_Array, float], ScoreShift] | None = None
    shared: Callable[[], tuple[SharedBlock, ...]] = tuple


@dataclass(frozen=True)
class MatchingCurve:
    """Predicted risk and accuracy at each n; arrays of one shape.

    Attributes:
        risk: test mean squared error against labels +-1.
        accuracy: share of balanced test pairs classified right.
        low, high: accuracy at the ends of the 95 % interval of the signal; at a peak, from chance
            to what the mean predictor would reach.
        peak: whether n is at an interpolation peak with next to no ridge, 1 / (1 - gamma) above
            1000, where what the formula leaves out is amplified as much.
    """

    risk: _Array
    accuracy: _Array
    low: _Array
    high: _Array
    peak: NDArray[np.bool_]


def matching_curve(model: MatchingModel, n: _Array, ridge: float) -> MatchingCurve:
    """Return the predicted curve of a head at sample sizes ``n`` (n / 2 matched pairs).

    Args:
        model: the head's spectrum and signal.
        n: sample sizes, at least 1, shape (k,).
        ridge: delta of K + delta I, absolute.

    Example:
        >>> import numpy as np
        >>> flat = Spectrum.from_eigenvalues(np.ones(10))  # ten features without any signal
        >>> nothing = lambda kappa: (0 * kappa, 0 * kappa)
        >>> model = MatchingModel(flat, 0.0, nothing, lambda kappa: 0 * kappa)
        >>> matching_curve(model, np.array([100.0]), ridge=0.0).accuracy
        array([0.5])
    """
    total = ridge + model.ridge
    kappa = effective_ridge(model.spectrum, n, total)
    factor = overfitting(model.spectrum, kappa, n, total)
    # gamma / (1 - gamma), not factor - 1: that cancels where a huge ridge fits next to nothing.
    gamma = model.spectrum.sum(lambda lam, kap: learned(lam, kap) ** 2, kappa) / n
    noise = gamma * factor
    # Without any ridge kappa is 0 past interpolation; the signal is smooth and nearly flat there.
    level = np.maximum(kappa, np.finfo(np.float64).tiny)
    q, slope = model.signal(level)
    spread = 1.96 * model.signal_error(level)
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


def _classify(q: _Array, slope: _Array, factor: _Array, noise: _Array) -> tuple[_Array, _Array]:
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
    return risk, np.asarray(norm.cdf(ratio))
