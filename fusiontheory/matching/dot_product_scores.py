r"""The law of scores of the dot product: its own scores, threshold and error.

The head has one feature, s = v.t. Its weight alpha and intercept are learned, so that predictions
at a score s vary by (E/n) (1 + (s - middle)^2 / (W + Delta^2/4)), E the risk, Delta the difference
of the class means and W the mean of the class variances. With the threshold at the middle,

    accuracy = mean over pairs of Phi(y (s - middle) alpha / sd(s)),

over matched pairs (y = 1) and images with other images' texts (y = -1). One image moves it by
its own matched pair, by the mismatched pairs it is in, once by its image and once by its text, and
by the threshold: the standard error of all that over the images is the whole error of the
prediction (the infinitesimal jackknife), that of q included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy.stats import norm

from fusiontheory.matching.model import ScoreShift
from fusiontheory.moments import Moments, SampledPairs
from fusiontheory.signal import MINIMUM_IMAGES

__all__ = [
    "MetricLaw",
    "MetricScores",
    "metric_law",
    "threshold_scatter",
]

_Array: TypeAlias = NDArray[np.float64]

_MOST_IMAGES = 4096
# Texts of other images to an image.
_PARTNERS = 8
# Step of the threshold for its derivative, in standard deviations of a score.
_STEP = 0.05


@dataclass(frozen=True, eq=False)
class MetricScores:
    """Scores v.t of matched pairs, and of images with the texts of other images.

    Attributes:
        matched: shape (n,).
        mismatched: of image i and the text of image i - k - 1 in column k, shape (n, partners).
        moved: by how much image i moves n times the middle between the class means, (n,).
    """

    matched: _Array
    mismatched: _Array
    moved: _Array

    @classmethod
    def of_pairs(cls, image: _Array, text: _Array) -> MetricScores:
        """Return the scores of matched features in the same coordinates, shapes (n, d).

        Example:
            >>> found = MetricScores.of_pairs(np.eye(9), np.eye(9))
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

    def accuracy(self, n: float, ridge: float) -> tuple[float, float, float]:
        """Return accuracy of the scores, its error, and accuracy of normal scores.

        Without signal, the class means level or the wrong way round, the first and last are 0.5
        and the error 0.

        Args:
            n: training pairs.
            ridge: delta of the head's kernel.
        """
        apart = self.matched.mean() - self.mismatched.mean()
        within = (self.matched.var() + self.mismatched.var()) / 2
        power = within + apart**2 / 4 + ridge / n
        if not apart > 0 or not within > 0:
            return 0.5, 0.0, 0.5
        alpha = apart / 2 / power
        risk = (1 - alpha * apart / 2) ** 2 + alpha**2 * within
        noise = risk / n / alpha**2
        middle = (self.matched.mean() + self.mismatched.mean()) / 2
        right = self._right(middle, noise, power)
        step = _STEP * np.sqrt(within)
        sides = [self._right(middle + sign * step, noise, power) for sign in (1, -1)]
        slope = np.diff([(a.mean() + b.mean()) / 2 for a, b in sides[::-1]])[0] / (2 * step)
        matched, mismatched = right
        accuracy = float(matched.mean() + mismatched.mean()) / 2
        # As an image, and as a text, of which the rows are shifted.
        as_text = np.mean(
            [np.roll(mismatched[:, k], -k - 1) for k in range(mismatched.shape[1])], axis=0
        )
        pairs = mismatched.mean(axis=1) + as_text - 2 * mismatched.mean()
        psi = (matched - matched.mean() + pairs) / 2 + slope * self.moved
        spread = within + noise
        return (
            accuracy,
            float(psi.std() / np.sqrt(psi.size)),
            float(norm.cdf(apart / 2 / np.sqrt(spread))),
        )

    def _right(self, middle: float, noise: float, power: float) -> tuple[_Array, _Array]:
        def of(scores: _Array, label: float) -> _Array:
            away = scores - middle
            return np.asarray(norm.cdf(label * away / np.sqrt(noise * (1 + away**2 / power))))

        return of(self.matched, 1.0), of(self.mismatched, -1.0)


@dataclass(frozen=True, eq=False)
class MetricLaw:
    """(n, ridge) -> what the law of scores changes for the dot product, and its deviation.

    Attributes:
        scores: of pairs of the sample, made when first asked for.
    """

    scores: Callable[[], MetricScores]

    def __call__(self, n: _Array, ridge: float) -> ScoreShift:
        """Return what the law changes; see `fusiontheory.matching.MatchingModel`."""
        scores = self.scores()
        points = np.array([scores.accuracy(float(size), ridge) for size in n])
        if not points[:, 1].any():
            # No signal in these pairs: what all of them say stays as it is.
            return ScoreShift(0 * n, 0 * n, np.ones_like(n))
        own, error, normal = np.clip(points, [1e-12, 0.0, 1e-12], [1 - 1e-12, 1.0, 1 - 1e-12]).T
        quantile = norm.ppf(own)
        return ScoreShift(
            shift=quantile - norm.ppf(normal),
            error=error / norm.pdf(quantile),
            risk=np.ones_like(own),
            whole=True,
        )

    def deviation(self, n: _Array, ridge: float) -> _Array:
        """Return the standard deviation over training sets of Phi^{-1}(accuracy), shape of n."""
        scores = self.scores()
        mean, spread = threshold_scatter(scores.matched, scores.mismatched.ravel(), n, ridge)
        return np.asarray(spread / norm.pdf(norm.ppf(np.clip(mean, 1e-12, 1 - 1e-12))))


def metric_law(moments: Moments) -> MetricLaw | None:
    """Return (n, ridge) -> what the law of scores changes for the dot product.

    None for moments that are not a sample's, for fewer than 50 images and for d_v != d_t.

    Example:
        >>> x = np.random.default_rng(0).standard_normal((400, 4))
        >>> law = metric_law(Moments.from_features(x, x))
        >>> bool(law(np.array([1e6]), 0.1).shift[0] > 0)  # x.x' is peaked
        True
    """
    pairs = moments.pairs
    if not isinstance(pairs, SampledPairs) or pairs.turn is None:
        return None
    if moments.images < MINIMUM_IMAGES:
        return None
    turn = pairs.turn

    @cache
    def scores() -> MetricScores:
        traces, image, text = pairs.rows(_MOST_IMAGES)
        unit = np.sqrt(traces[0] * traces[1])
        return MetricScores.of_pairs(unit * image @ turn, text.astype(np.float64))

    return MetricLaw(scores)


# Points of the quadrature, to each side.
_NODES = 12

# What accuracy is smoothed by, in standard deviations of a score: single scores do not decide.
_SMOOTH = 0.1


def threshold_scatter(
    matched: _Array, mismatched: _Array, n: _Array, ridge: float
) -> tuple[_Array, _Array]:
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
    matched, mismatched = np.sort(matched), np.sort(mismatched)
    middle = (matched.mean() + mismatched.mean()) / 2
    within = (matched.var() + mismatched.var()) / 2
    nodes, weights = hermegauss(_NODES)
    weights = weights / weights.sum()
    both = np.outer(weights, weights).ravel()
    normal = np.stack(np.meshgrid(nodes, nodes)).reshape(2, -1)
    found = []
    for size in n:
        intercept, slope = _least_squares(matched, mismatched, float(size), ridge, normal)
        threshold = middle - intercept / np.where(slope == 0, np.finfo(np.float64).tiny, slope)
        around = threshold[:, None] + _SMOOTH * np.sqrt(within) * nodes
        below = [np.searchsorted(x, around) / x.size for x in (matched, mismatched)]
        right = (1 + below[1] - below[0]) / 2 @ weights
        right = np.where(slope > 0, right, 1 - right)
        mean = both @ right
        found.append((mean, np.sqrt(both @ (right - mean) ** 2)))
    means, spreads = np.array(found).T
    return means, spreads


def _least_squares(
    matched: _Array, mismatched: _Array, n: float, ridge: float, normal: _Array
) -> tuple[_Array, _Array]:
    """Return intercept (at the middle) and weight at each column of standard normal numbers."""
    apart = matched.mean() - mismatched.mean()
    middle = (matched.mean() + mismatched.mean()) / 2
    power = (matched.var() + mismatched.var()) / 2 + apart**2 / 4 + ridge / n
    power = max(float(power), np.finfo(np.float64).tiny)  # equal scores, no ridge
    weight = apart / 2 / power
    covariance = np.zeros((2, 2))
    for scores, label in ((matched, 1.0), (mismatched, -1.0)):
        away = scores - middle
        residual = label - weight * away
        covariance += np.cov([residual, residual * away / power]) / (2 * n)
    values, vectors = np.linalg.eigh(covariance)
    intercept, slope = (vectors * np.sqrt(np.maximum(values, 0.0))) @ normal
    return intercept, slope + weight
