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
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from fusiontheory.constraints import checked
from fusiontheory.risk import Spectrum
from fusiontheory.typing import Array

__all__ = [
    "FunctionSignal",
    "MatchingModel",
    "NoSharing",
    "NoSignal",
    "NormalLaw",
    "ScoreLaw",
    "ScoreShift",
    "SharedBlock",
    "Sharing",
    "Signal",
]

MOST_OVERFITTING = 1000.0
"""1 / (1 - gamma) beyond which a prediction says nothing."""


@checked
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

    shift: Array
    error: Array
    risk: Array
    whole: bool = False


@checked
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
        return float(self.spectrum.degrees(kappa, "common") / self.spectrum.degrees(kappa))


@checked
class Signal(Protocol):
    """How clearly matched pairs show in the features of a kernel, at an effective ridge."""

    def __call__(self, kappa: Array, /) -> tuple[Array, Array]:
        """Return q and dq / d log kappa, of the shape of kappa."""

    def error(self, kappa: Array, /) -> Array:
        """Return the standard error of q."""


@checked
@dataclass(frozen=True)
class FunctionSignal:
    """A signal that two functions of the effective ridge give.

    Attributes:
        value: kappa -> (q, dq / d log kappa).
        spread: kappa -> standard error of q.

    Example:
        >>> signal = FunctionSignal(lambda k: (1 / (1 + k), -k / (1 + k) ** 2), lambda k: 0 * k)
        >>> signal(np.array([1.0])), signal.error(np.array([1.0]))
        ((array([0.5]), array([-0.25])), array([0.]))
    """

    value: Callable[[Array], tuple[Array, Array]]
    spread: Callable[[Array], Array]

    def __call__(self, kappa: Array, /) -> tuple[Array, Array]:
        """Return q and dq / d log kappa."""
        return self.value(kappa)

    def error(self, kappa: Array, /) -> Array:
        """Return the standard error of q."""
        return self.spread(kappa)


@checked
class NoSignal:
    """The signal of features in which matched pairs do not show, as of one modality alone."""

    def __call__(self, kappa: Array, /) -> tuple[Array, Array]:
        """Return zeros."""
        return np.zeros_like(kappa), np.zeros_like(kappa)

    def error(self, kappa: Array, /) -> Array:
        """Return zeros."""
        return np.zeros_like(kappa)


@checked
class ScoreLaw(Protocol):
    """The law of a head's scores on test pairs; None where it is as if they were normal."""

    def shift(self, n: Array, ridge: float, /) -> ScoreShift | None:
        """Return what it changes in a curve of normal scores."""

    def deviation(self, n: Array, ridge: float, /) -> Array | None:
        """Return the standard deviation over training sets of Phi^{-1}(accuracy), shape of n."""


@checked
class NormalLaw:
    """The law of normal scores, which changes nothing."""

    def shift(self, n: Array, ridge: float, /) -> ScoreShift | None:
        """Return None."""
        return None

    def deviation(self, n: Array, ridge: float, /) -> Array | None:
        """Return None."""
        return None


@checked
class Sharing(Protocol):
    """What training pairs share that have the image or the text in common."""

    @property
    def blocks(self) -> tuple[SharedBlock, ...]:
        """Blocks of features by what two pairs must have in common to share them.

        That of image and text is the last; none if nothing is known of them.
        """


@checked
class NoSharing:
    """Features of which it is not known what pairs share."""

    @property
    def blocks(self) -> tuple[SharedBlock, ...]:
        """No block."""
        return ()


@checked
@dataclass(frozen=True)
class MatchingModel:
    """What the matching task looks like to one fusion head.

    Attributes:
        spectrum: eigenvalues of the second moment of the head's features.
        ridge: power of features left out of the spectrum; it adds to the ridge.
        signal: of the features.
        scores: law of the scores on test pairs, which `matching_curve` does not apply.
        sharing: what training pairs of the same image or text have in common
            (`fusiontheory.matching.sharing`).
    """

    spectrum: Spectrum
    ridge: float
    signal: Signal
    scores: ScoreLaw = field(default_factory=NormalLaw)
    sharing: Sharing = field(default_factory=NoSharing)
