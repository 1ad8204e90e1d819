r"""The law of scores: accuracy from the scores of held-out pairs, not from two normal laws.

`matching_curve` takes the scores of each class to be normal, with one variance, and every
pair to have the mean leverage. Here neither is assumed. The mean predictor over training sets is
sought among the functions of `fusiontheory.signal.ritz`, f = sum_i beta_i f_i + b, by the weighted
least squares that training solves,

    min over beta, b:  E[omega (y - f)^2] + kappa |f|^2,

omega by how much each pair counts (module `leverage`). Predictors trained on different
sets vary around it at a pair by a normal amount of variance V(pair), so that

    accuracy = E[ Phi(y f / sqrt(V)) ],

the mean over held-out matched (y = 1) and mismatched pairs (y = -1). Derivation and limits:
``docs/score_law.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr, ndtri
from scipy.stats import norm

from fusiontheory.constraints import checked
from fusiontheory.matching.kernel_signal import KernelSignal
from fusiontheory.matching.leverage import LeverageLaw
from fusiontheory.matching.mean_predictor import LABEL, Outputs, Squares, damped
from fusiontheory.matching.model import MOST_OVERFITTING, NormalLaw, ScoreLaw, ScoreShift
from fusiontheory.risk import Spectrum, ridge_solution
from fusiontheory.typing import Array

__all__ = ["KernelScores", "LawPoint", "NormalScores", "score_law"]

# Of the variance of scores: what is left for the normal part, so that one pair does not decide.
_SMOOTH = 0.05
# Standard errors above 0 from where a variance is known, as for `fusiontheory.signal.ritz`.
_CLEAR = 3.0


@dataclass(frozen=True)
class LawPoint:
    """The law of scores at one n, beside normal scores with the same signal.

    Attributes:
        shift: Phi^{-1}(accuracy) by the law less that by normal scores; 0 without signal.
        error: its standard error from the number of held-out images.
        risk: by the law, over the risk of constant leverage.
    """

    shift: float
    error: float
    risk: float


_NOTHING = LawPoint(0.0, 0.0, 1.0)


@checked
@dataclass(frozen=True)
class NormalScores:
    """What Level 3 says of scores: classes at -+ ``half``, each of one variance.

    Attributes:
        half: m, half the distance of the class means.
        within: s, variance of the mean predictor in a class.
        gamma: sum_i L_i^2 / n of Level 2.
    """

    half: float
    within: float
    gamma: float

    @classmethod
    def of_signal(cls, q: float, slope: float, gamma: float) -> NormalScores:
        """Return them from q, dq / d log kappa and gamma (`fusiontheory.matching.model`)."""
        a = 1 / (1 + q / 4)
        return cls(a * q / 4, a**2 / 4 * max(q + slope, 0.0), gamma)

    @property
    def bias(self) -> float:
        """Mean squared error of the mean predictor."""
        return (1 - self.half) ** 2 + self.within

    @property
    def total(self) -> float:
        """Variance of scores in a class, over pairs and training sets."""
        return self.within + self.gamma / (1 - self.gamma) * self.bias


@checked
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
        return cls(signal, spectrum, remainder) if signal.of_images else NormalLaw()

    def deviation(self, n: Array, ridge: float, /) -> Array | None:
        """Return None: over training sets it is as for normal scores."""
        return None

    def shift(self, n: Array, ridge: float, /) -> ScoreShift | None:
        """Return what the law changes in a curve of normal scores."""
        knots = _knots(n)
        total = ridge + self.remainder
        level2 = ridge_solution(self.spectrum, knots, total)
        kappa = np.maximum(level2.kappa, np.finfo(np.float64).tiny)
        varying = self.remainder / total if self.signal.homogeneous and total > 0 else 0.0
        q, slope = self.signal(kappa)
        normal = map(NormalScores.of_signal, q.tolist(), slope.tolist(), level2.gamma.tolist())
        sizes = zip(knots.tolist(), kappa.tolist(), level2.degrees.tolist(), normal, strict=True)
        points = [self._point(*place, varying) for place in sizes]
        return _interpolated(n, knots, _held(points))

    def _point(
        self, n: float, kappa: float, degrees: float, normal: NormalScores, varying: float
    ) -> LawPoint | None:
        """Return the law at one n, between the two levels around its effective ridge.

        None where the images do not show it at either level.
        """
        if normal.gamma >= 1 - 1 / MOST_OVERFITTING:
            return _NOTHING
        law = self.signal.pairs.powers.law(kappa, n, degrees, normal.gamma, varying)
        if law is None:
            return _NOTHING
        (one, below), (two, above) = self.signal.around(kappa)
        first, second = (
            score_law(held.scores, held.penalty, law, held.length, kappa, normal)
            for held in (below, above)
        )
        if first is None or second is None:
            return first or second
        return LawPoint(
            shift=one * first.shift + two * second.shift,
            error=one * first.error + two * second.error,
            risk=one * first.risk + two * second.risk,
        )


def _knots(n: Array) -> Array:
    """Return the powers of 2 around n, and one more at each side: interpolation needs four."""
    first = max(int(np.floor(np.log2(n.min()))) - 1, 1)
    last = max(int(np.ceil(np.log2(n.max()))) + 1, first + 2)
    return np.asarray(2.0 ** np.arange(first, last + 1))


def _held(points: list[LawPoint | None]) -> list[LawPoint]:
    """Return the points, for one that images do not show that of the next smaller n that they do.

    Of a smaller n more is shown. All of what is held counts as error.
    """
    found, last = [], _NOTHING
    for point in points:
        if point is not None:
            last = point
            found.append(point)
        else:
            found.append(LawPoint(last.shift, float(np.hypot(last.error, last.shift)), last.risk))
    return found


def _interpolated(n: Array, knots: Array, points: list[LawPoint]) -> ScoreShift:
    # Piecewise cubic with slopes from neighbours: an n's value does not depend on far knots.
    place = np.log2(np.maximum(n, knots[0]))
    values = np.array([(x.shift, x.error, x.risk) for x in points])
    shift, error, risk = PchipInterpolator(np.log2(knots), values)(place).T
    return ScoreShift(shift=shift, error=error, risk=risk)


@checked
def score_law(
    scores: Array,
    penalty: Array,
    law: LeverageLaw,
    length: Array,
    kappa: float,
    normal: NormalScores,
) -> LawPoint | None:
    """Compare accuracy by the law of scores with that of normal scores; None if none is shown.

    Args:
        scores: of the functions, made without the pair, shape (2 classes, 2 sets, functions, n).
            The two sets were made from different images: products of one with the other are
            unbiased.
        penalty: inner products of the functions in the kernel's space, (functions, functions).
        law: leverage of the same pairs.
        length: factor of each function at each pair under the law, (2, functions, n).
        kappa: effective ridge.
        normal: what Level 3 says of the scores; only their shape is taken from the pairs.
    """
    if not (normal.half > 0 and normal.total > 0):
        return _NOTHING
    squares = (
        Squares.of(scores, penalty, np.ones_like(law.weight), kappa),
        Squares.of(scores * length[:, None], penalty, law.weight, kappa),
    )
    damping, rows = damped(*squares)
    alike, outputs = (each.outputs(rows, damping) for each in squares)
    if alike is None or outputs is None:
        return None
    typical = law.influence / law.influence.mean()
    normal = _seen_so_far(alike, normal)
    half = normal.half * outputs.half / alike.half
    within = normal.within * _ratio(outputs, alike)
    output = outputs.scaled(half, within)
    squared = (LABEL - output) ** 2
    variance = float(law.variance(squared).mean())
    if not variance > 0:
        return _NOTHING
    right, pulled = _right(outputs, half, within, variance, typical)
    accuracy = float(right.mean())
    if not 0 < accuracy < 1:
        return _NOTHING
    quantile = float(ndtri(accuracy))
    # One image moves the law by its own pairs, less what that does to mean and variance, which
    # are not the pairs' own.
    moved = right.mean(axis=0) / norm.pdf(quantile) - quantile * pulled
    return LawPoint(
        shift=quantile - normal.half / float(np.sqrt(normal.total)),
        error=float(moved.std() / np.sqrt(moved.size)),
        risk=(float(squared.mean()) + variance) * (1 - normal.gamma) / normal.bias,
    )


def _seen_so_far(alike: Outputs, normal: NormalScores) -> NormalScores:
    """Return mean and variance of the pairs' own scores, of Level 3 by how much those are noise."""
    share = min(alike.noise / alike.seen, 1.0)
    half = (1 - share) * alike.half + share * normal.half
    within = (1 - share) * max(alike.within[0], 0.0) + share * normal.within
    return NormalScores(half, within, normal.gamma)


def _ratio(outputs: Outputs, alike: Outputs) -> float:
    """Return by what the law multiplies the variance within a class.

    Where that is not clear of noise, by the square of what it multiplies the distance by.
    """
    (one, one_error), (two, two_error) = outputs.within, alike.within
    if one > _CLEAR * one_error and two > _CLEAR * two_error:
        return one / two
    return (outputs.half / alike.half) ** 2


def _right(
    outputs: Outputs, half: float, within: float, variance: float, typical: Array
) -> tuple[Array, Array]:
    """Return the probability that each pair is classified right, and what mean and variance do.

    The noise of the outputs stands for as much of the variance over training sets. Where it is
    more than all of that, the outputs are drawn together around their class's mean, so that their
    variance is right. The noise comes from matched pairs alone, so that it varies otherwise from
    pair to pair than predictions do. What that is worth with normal scores is taken off.

    Returns:
        Shape (2, n); and of each image, over z, what its share of mean and variance moves z by.
    """
    total = within + variance
    noise = outputs.noise * (half / outputs.half) ** 2
    left = max(variance - noise, _SMOOTH * total)
    output = outputs.scaled(half, total - left)
    mean = output.mean(axis=1, keepdims=True)
    rest = left * typical
    right = ndtr(LABEL * output / np.sqrt(rest))
    # Of the variance of the outputs, normal scores less noise.
    share = min(outputs.noise / outputs.seen, 1.0)
    normal = (1 - share) * (total - left) + rest
    apart = (
        outputs.apart * np.sqrt(share * (total - left) / outputs.noise) if outputs.noise > 0 else 0
    )
    own = ndtr(LABEL * (mean + apart) / np.sqrt(normal))
    wanted = ndtr(LABEL * mean / np.sqrt(normal + share * (total - left) * typical))
    centred = output - mean
    rise = (LABEL * centred).mean(axis=0) / half
    wider = (centred**2).mean(axis=0) - (total - left)
    return np.asarray(right - own + wanted), np.asarray(rise - wider / (2 * total))
