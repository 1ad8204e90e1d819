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

from fusiontheory.risk import Spectrum, learned

__all__ = [
    "MatchingModel",
    "ScoreShift",
    "SharedBlock",
]

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
        law: (n, ridge) -> what the law of scores changes (`kernel_law`); None where scores are
            taken as normal. `matching_curve` does not apply it.
        shared: -> blocks of features by what training pairs must have in common to share them, that
            of image and text last (`fusiontheory.matching.sharing`); none if that is not known.
    """

    spectrum: Spectrum
    ridge: float
    signal: Callable[[_Array], tuple[_Array, _Array]]
    signal_error: Callable[[_Array], _Array]
    law: Callable[[_Array, float], ScoreShift] | None = None
    shared: Callable[[], tuple[SharedBlock, ...]] = tuple
