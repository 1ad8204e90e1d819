"""The law of scores along a learning curve: by how much it moves a prediction at each n."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from fusiontheory.matching.kernel_signal import KernelSignal
from fusiontheory.matching.model import MOST_OVERFITTING, NormalLaw, ScoreLaw, ScoreShift
from fusiontheory.matching.scores import LawPoint, NormalScores, score_law
from fusiontheory.risk import Spectrum, effective_ridge
from fusiontheory.typing import Array

__all__ = [
    "DEGREE",
    "KernelScores",
]

# Degree in [v; t] of the functions of `fusiontheory.signal.ritz`.
DEGREE = {
    "first": 2,
    "second": 2,
    "image_pair": 2,
    "text_pair": 2,
    "image": 1,
    "text": 1,
    "length": 0,
    "witness": 3,
}


@dataclass(frozen=True, eq=False)
class KernelScores:
    """The law of scores of a kernel head: what held-out scores and leverages change at each n.

    It is found at powers of 2 and interpolated between them.

    Attributes:
        signal: of the kernel; its pairs are those whose scores count.
        spectrum: of the kernel's features.
        remainder: power of the orders that act as ridge.

    Example:
        >>> from fusiontheory.moments import Moments
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((400, 4))
        >>> moments = Moments.from_features(x, x + rng.standard_normal(x.shape))
        >>> product = np.outer(moments.image_eigenvalues, moments.text_eigenvalues)
        >>> spectrum = Spectrum.from_eigenvalues(product)
        >>> law = KernelScores.of(KernelSignal(moments, {(1, 1): 1.0}), spectrum)
        >>> law.shift(np.array([64.0]), 1.0).shift.shape
        (1,)
        >>> twin = KernelSignal(moments.gaussian_twin(), {(1, 1): 1.0})
        >>> KernelScores.of(twin, spectrum).shift(np.array([64.0]), 1.0) is None
        True
    """

    signal: KernelSignal
    spectrum: Spectrum
    remainder: float = 0.0

    @classmethod
    def of(cls, signal: KernelSignal, spectrum: Spectrum, remainder: float = 0.0) -> ScoreLaw:
        """Return the law; the normal one for moments that show no pairs (fewer than 50 images)."""
        return cls(signal, spectrum, remainder) if signal.moments.shows_pairs else NormalLaw()

    def deviation(self, n: Array, ridge: float, /) -> Array | None:
        """Return None: over training sets it is as for normal scores."""
        return None

    def shift(self, n: Array, ridge: float, /) -> ScoreShift | None:
        """Return what the law changes in a curve of normal scores."""
        knots = _knots(n)
        total = ridge + self.remainder
        kappa = np.maximum(effective_ridge(self.spectrum, knots, total), np.finfo(np.float64).tiny)
        degrees = self.spectrum.degrees(kappa)
        gamma = self.spectrum.squared_degrees(kappa) / knots
        varying = self.remainder / total if self.signal.homogeneous and total > 0 else 0.0
        q, slope = self.signal(kappa)
        normal = map(NormalScores.of_signal, q.tolist(), slope.tolist(), gamma.tolist())
        sizes = zip(knots.tolist(), kappa.tolist(), degrees.tolist(), normal, strict=True)
        points = [self._point(*place, varying) for place in sizes]
        return _interpolated(n, knots, points)

    def _point(
        self, n: float, kappa: float, degrees: float, normal: NormalScores, varying: float
    ) -> LawPoint:
        """Return the law at one n, between the two levels around its effective ridge."""
        nothing = LawPoint(0.0, 0.0, 1.0)
        if normal.gamma >= 1 - 1 / MOST_OVERFITTING:
            return nothing
        law = self.signal.pairs.powers.law(kappa, n, degrees, normal.gamma, varying)
        if law is None:
            return nothing
        levels = self.signal.pairs.levels
        # Where images do not show the functions, those of the next level that do stand for them.
        first = min(self.signal.pairs.ritz.shown(self.signal.functions), levels.size - 2)
        levels = levels[first:]
        place = float(np.interp(np.log(kappa), np.log(levels), np.arange(levels.size)))
        lower = min(int(place), levels.size - 2)
        around = [self._held_out(first + level) for level in (lower, lower + 1)]
        found = [
            score_law(held.scores, held.penalty, law, held.length, kappa, normal) for held in around
        ]
        mixed = [
            (1 - place + lower) * one + (place - lower) * two
            for one, two in zip(*((x.shift, x.error, x.risk) for x in found), strict=True)
        ]
        return LawPoint(*mixed)

    def _held_out(self, level: int) -> _HeldOut:
        """Return the usable functions at a level: sizes between the same levels share them."""
        if level not in self._known:
            gram, powers = self.signal.pairs.ritz, self.signal.pairs.powers
            rows = gram.usable(level, self.signal.functions)
            degree = np.array([DEGREE[gram.names[row]] for row in rows], dtype=np.float64)
            self._known[level] = _HeldOut(
                scores=gram.scores[level][:, :, rows].astype(np.float64),
                penalty=gram.penalty[level][np.ix_(rows, rows)],
                length=powers.ridge[:, None] ** ((1 - degree[:, None]) / 2),
            )
        return self._known[level]

    @cached_property
    def _known(self) -> dict[int, _HeldOut]:
        return {}


def _knots(n: Array) -> Array:
    """Return the powers of 2 around n, and one more at each side: interpolation needs four."""
    first = max(int(np.floor(np.log2(n.min()))) - 1, 1)
    last = max(int(np.ceil(np.log2(n.max()))) + 1, first + 2)
    return np.asarray(2.0 ** np.arange(first, last + 1))


class _HeldOut(NamedTuple):
    """The usable functions at a level, as `score_law` takes them."""

    scores: Array
    penalty: Array
    length: Array


def _interpolated(n: Array, knots: Array, points: list[LawPoint]) -> ScoreShift:
    # Piecewise cubic with slopes from neighbours: an n's value does not depend on far knots.
    place = np.log2(np.maximum(n, knots[0]))
    values = np.array([(x.shift, x.error, x.risk) for x in points])
    shift, error, risk = PchipInterpolator(np.log2(knots), values)(place).T
    return ScoreShift(shift=shift, error=error, risk=risk)
