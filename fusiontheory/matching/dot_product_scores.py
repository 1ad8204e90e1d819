r"""The law of scores of the dot product: its own scores, threshold and error.

The head has one feature, s = v.t. Half of the labels are 1 and half are -1 in every training set:
their mean is 0 without noise, and the intercept varies with the mean of the scores alone, by
alpha^2 W/n, alpha the weight and W the mean of the class variances. The weight varies by the
residual times s - middle, class by class. With V(s) the variance of a prediction at s that follows
and the threshold at the middle,

    accuracy = mean over pairs of Phi(y (s - middle) alpha / sqrt(V(s))),

over matched pairs (y = 1) and images with other images' texts (y = -1). One image moves it by
its own matched pair, by the mismatched pairs it is in, once by its image and once by its text, and
by the threshold: the standard error of all that over the images is the whole error of the
prediction (the infinitesimal jackknife), that of q included.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.ndimage import gaussian_filter1d
from scipy.special import ndtr, ndtri
from scipy.stats import norm

from fusiontheory.constraints import being, checked, finite
from fusiontheory.matching.curve import matching_curve
from fusiontheory.matching.model import (
    FunctionSignal,
    MatchingModel,
    NormalLaw,
    ScoreLaw,
    ScoreShift,
)
from fusiontheory.moments import MOST_IMAGES, Moments
from fusiontheory.risk import Spectrum
from fusiontheory.typing import Array

__all__ = [
    "DotProductScores",
    "PairScores",
    "threshold_scatter",
]


_TINY = np.finfo(np.float64).tiny

# Texts of other images to an image.
_PARTNERS = 8
# Step of the threshold for its derivative, in standard deviations of a score.
_STEP = 0.05


@checked(matched=finite(1), mismatched=finite(1, 2))
@dataclass(frozen=True, eq=False)
class PairScores:
    """Scores v.t of matched pairs, and of images with the texts of other images.

    Attributes:
        matched: shape (n,).
        mismatched: of image i and the text of image i - k - 1 in column k, shape (n, partners).
        moved: by how much image i moves n times the middle between the class means, (n,).
    """

    matched: Array
    mismatched: Array
    moved: Array

    @classmethod
    def of_pairs(cls, image: Array, text: Array) -> PairScores:
        """Return the scores of matched features in the same coordinates, shapes (n, d).

        Example:
            >>> found = PairScores.of_pairs(np.eye(9), np.eye(9))
            >>> float(found.matched.mean()), float(found.mismatched.mean())
            (1.0, 0.0)
        """
        matched = np.einsum("nd,nd->n", image, text, dtype=np.float64)
        mismatched = np.stack(
            [
                np.einsum("nd,nd->n", image, np.roll(text, k, axis=0), dtype=np.float64)
                for k in range(1, min(_PARTNERS, len(image) - 1) + 1)
            ],
            axis=1,
        )
        mean_v, mean_t = image.mean(axis=0), text.mean(axis=0)
        alone = np.asarray(image @ mean_t + text @ mean_v, dtype=np.float64)
        moved = (matched - matched.mean() + alone - alone.mean()) / 2
        return cls(matched, mismatched, moved)

    def accuracy(self, n: float, ridge: float) -> tuple[float, float]:
        """Return accuracy of the scores and its error.

        Without signal, the class means level or the wrong way round, 0.5 and 0.

        Args:
            n: training pairs.
            ridge: delta of the head's kernel.
        """
        apart, within, middle = self.apart, self.within, self.middle
        if not apart > 0 or not within > 0:
            return 0.5, 0.0
        varied = self._varied(n, ridge)
        right = self._right(middle, varied)
        step = _STEP * np.sqrt(within)
        sides = [self._right(middle + sign * step, varied) for sign in (1, -1)]
        slope = np.diff([(a.mean() + b.mean()) / 2 for a, b in sides[::-1]])[0] / (2 * step)
        matched, mismatched = right
        accuracy = float(matched.mean() + mismatched.mean()) / 2
        # As an image, and as a text, of which the rows are shifted.
        as_text = np.mean(
            [np.roll(mismatched[:, k], -k - 1) for k in range(mismatched.shape[1])], axis=0
        )
        pairs = mismatched.mean(axis=1) + as_text - 2 * mismatched.mean()
        psi = (matched - matched.mean() + pairs) / 2 + slope * self.moved
        return accuracy, float(psi.std() / np.sqrt(psi.size))

    @cached_property
    def apart(self) -> float:
        """Delta, the distance of the class means."""
        return float(self.matched.mean() - self.mismatched.mean())

    @cached_property
    def within(self) -> float:
        """W, the mean of the class variances."""
        return float(self.matched.var() + self.mismatched.var()) / 2

    @cached_property
    def middle(self) -> float:
        """Between the class means."""
        return float(self.matched.mean() + self.mismatched.mean()) / 2

    @cached_property
    def _spread(self) -> tuple[tuple[float, Array], ...]:
        """Of each class its label, and the covariance of away and away^2, away = s - middle."""
        classes = (1.0, self.matched - self.middle), (-1.0, self.mismatched.ravel() - self.middle)
        return tuple((label, np.cov([away, away**2])) for label, away in classes)

    def _varied(self, n: float, ridge: float) -> tuple[float, float, float]:
        """Return the variance of a prediction over alpha^2 as a polynomial in s - middle.

        Labels are fixed, so that class by class the residual r = y - alpha away varies with away
        alone; the intercept has the sum of the r, the weight that of r away.
        """
        power = self.within + self.apart**2 / 4 + ridge / n
        alpha = self.apart / 2 / power
        total = np.zeros(3)
        for label, ((first, joint), (_, second)) in self._spread:
            total += (
                first,
                2 * (alpha * joint - label * first) / alpha / power,
                (first / alpha**2 - 2 * label * joint / alpha + second) / power**2,
            )
        constant, linear, square = total / (2 * n)
        return float(constant), float(linear), float(square)

    def _right(self, middle: float, varied: tuple[float, float, float]) -> tuple[Array, Array]:
        constant, linear, square = varied

        def of(scores: Array, label: float) -> Array:
            away = scores - middle
            variance = constant + linear * away + square * away**2
            return np.asarray(ndtr(label * away / np.sqrt(variance)))

        return of(self.matched, 1.0), of(self.mismatched, -1.0)


@checked
def one_feature(apart: float, within: float) -> MatchingModel:
    """Return what matching looks like to one feature with normal scores.

    Args:
        apart: Delta, the distance of its class means.
        within: W, the mean of its class variances.

    Example:
        >>> one_feature(2.0, 1.0).signal(np.array([1.0]))
        (array([2.]), array([-1.]))
    """

    def signal(kappa: Array) -> tuple[Array, Array]:
        q = apart**2 / (within + kappa)
        return q, -q * kappa / (within + kappa)

    # Equal features have a constant score: no variance, and no signal.
    power = max(within + apart**2 / 4, _TINY)
    return MatchingModel(
        Spectrum.from_eigenvalues([power]), 0.0, FunctionSignal(signal, np.zeros_like)
    )


@checked(
    moments=being(
        "those of 50 images or more whose features and the texts' have one dimension",
        lambda moments: moments.pairs.of_images and moments.pairs.turn is not None,
    )
)
@dataclass(frozen=True, eq=False)
class DotProductScores:
    """The law of the dot product's scores: those of the sample's own pairs.

    Attributes:
        moments: of features of one dimension, from 50 images or more.

    Example:
        >>> x = np.random.default_rng(0).standard_normal((400, 4))
        >>> law = DotProductScores.of(Moments.from_features(x, x))
        >>> bool(law.shift(np.array([1e6]), 0.1).shift[0] > 0)  # x.x' is peaked
        True
    """

    moments: Moments

    @classmethod
    def of(cls, moments: Moments) -> ScoreLaw:
        """Return the law; the normal one without pairs of a sample, or where d_v and d_t differ."""
        known = moments.pairs.of_images and moments.pairs.turn is not None
        return cls(moments) if known else NormalLaw()

    @cached_property
    def pairs(self) -> PairScores:
        """Scores of pairs of the sample, made when first asked for."""
        traces, image, text = self.moments.pairs.unit_trace_pairs(MOST_IMAGES)
        turn = self.moments.pairs.turn
        assert turn is not None
        unit = np.sqrt(traces[0] * traces[1])
        return PairScores.of_pairs(unit * image @ turn, text.astype(np.float64))

    def shift(self, n: Array, ridge: float, /) -> ScoreShift:
        """Return what the law changes; see `fusiontheory.matching.MatchingModel`."""
        scores = self.pairs
        points = np.array([scores.accuracy(float(size), ridge) for size in n])
        normal = matching_curve(one_feature(scores.apart, scores.within), n, ridge).accuracy
        if not points[:, 1].any():
            # No signal in these pairs: what all of them say stays as it is.
            return ScoreShift(0 * n, 0 * n, np.ones_like(n))
        own, normal = np.clip([points[:, 0], normal], 1e-12, 1 - 1e-12)
        quantile = ndtri(own)
        return ScoreShift(
            shift=quantile - ndtri(normal),
            error=points[:, 1] / norm.pdf(quantile),
            risk=np.ones_like(own),
            whole=True,
        )

    def deviation(self, n: Array, ridge: float, /) -> Array:
        """Return the standard deviation over training sets of Phi^{-1}(accuracy), shape of n."""
        scores = self.pairs
        mean, spread = threshold_scatter(scores.matched, scores.mismatched.ravel(), n, ridge)
        return np.asarray(spread / norm.pdf(ndtri(np.clip(mean, 1e-12, 1 - 1e-12))))


# Points of the quadrature, over the weight to each side of 0, and over the intercept.
_NODES = 16

# What accuracy is smoothed by, in standard deviations of a score: single scores do not decide.
_SMOOTH = 0.1

# Thresholds at which the smoothed accuracy is known, to a standard deviation of the smoothing.
_FINE = 16


@checked(matched=finite(1, least=2), mismatched=finite(1, least=2))
def threshold_scatter(
    matched: Array, mismatched: Array, n: Array, ridge: float
) -> tuple[Array, Array]:
    """Return mean and standard deviation over training sets of the accuracy, shapes of n.

    Args:
        matched: scores of matched pairs, one-dimensional.
        mismatched: scores of mismatched pairs, one-dimensional.
        n: numbers of training pairs, shape (k,).
        ridge: delta of the head's kernel.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> narrow, wide = 1 + 0.1 * rng.standard_normal(10_000), rng.standard_normal(10_000)
        >>> mean, spread = threshold_scatter(narrow, wide, np.array([100.0, 1000.0]), 0.1)
        >>> spread.round(2)
        array([0.01, 0.  ])
    """
    middle = (matched.mean() + mismatched.mean()) / 2
    within = (matched.var() + mismatched.var()) / 2
    if not within > 0:
        mean = 0.5 if matched.mean() == mismatched.mean() else 1.0
        return np.full(len(n), mean), np.zeros(len(n))
    thresholds, accuracy = _accuracies(matched, mismatched, _SMOOTH * np.sqrt(within) / _FINE)
    scatter = []
    for size in n:
        intercept, slope, share = _training_sets(matched, mismatched, float(size), ridge)
        right = np.interp(middle - intercept / slope, thresholds, accuracy)
        right = np.where(slope > 0, right, 1 - right)
        mean = share @ right
        scatter.append((mean, np.sqrt(share @ (right - mean) ** 2)))
    means, spreads = np.array(scatter).T
    return means, spreads


def _accuracies(matched: Array, mismatched: Array, step: float) -> tuple[Array, Array]:
    """Return thresholds a step apart, and the smoothed accuracy of what lies above each."""
    classes = [np.sort(scores) for scores in (matched, mismatched)]
    beyond = 8 * _FINE * step
    low, high = min(one[0] for one in classes), max(one[-1] for one in classes)
    thresholds = np.arange(low - beyond, high + beyond, step)
    below = [np.searchsorted(one, thresholds) / one.size for one in classes]
    smooth = gaussian_filter1d((1 + below[1] - below[0]) / 2, _FINE, mode="nearest", truncate=6)
    return thresholds, smooth


def _training_sets(
    matched: Array, mismatched: Array, n: float, ridge: float
) -> tuple[Array, Array, Array]:
    """Return intercepts (at the middle), weights, and how large a share of training sets has them.

    Both are normal. The side to which pairs are called matched turns with the sign of the weight,
    so that weights of each sign have points of their own.
    """
    weight, covariance = _least_squares(matched, mismatched, n, ridge)
    spread = max(float(np.sqrt(covariance[1, 1])), 1e-12 * abs(weight), _TINY)
    negative = ndtr(-weight / spread)
    points, lengths = np.polynomial.legendre.leggauss(_NODES)
    points, lengths = (1 + points) / 2, lengths / 2
    below = np.concatenate([negative * points, negative + (1 - negative) * points])
    share = np.concatenate([negative * lengths, (1 - negative) * lengths])
    moved = spread * ndtri(np.clip(below, _TINY, 1 - np.finfo(np.float64).epsneg))
    slope = weight + moved
    nodes, weights = hermegauss(_NODES)
    along = covariance[0, 1] / spread**2
    left = np.sqrt(max(float(covariance[0, 0] - along * covariance[0, 1]), 0.0))
    intercept = along * moved[:, None] + left * nodes
    both = share[:, None] * (weights / weights.sum())
    return intercept.ravel(), np.repeat(slope, nodes.size), both.ravel()


def _least_squares(
    matched: Array, mismatched: Array, n: float, ridge: float
) -> tuple[float, Array]:
    """Return the mean weight, and the covariance of intercept (at the middle) and weight."""
    apart = matched.mean() - mismatched.mean()
    middle = (matched.mean() + mismatched.mean()) / 2
    power = (matched.var() + mismatched.var()) / 2 + apart**2 / 4 + ridge / n
    weight = apart / 2 / power
    covariance = np.zeros((2, 2))
    for scores, label in ((matched, 1.0), (mismatched, -1.0)):
        away = scores - middle
        residual = label - weight * away
        covariance += np.cov([residual, residual * away / power]) / (2 * n)
    return float(weight), covariance
