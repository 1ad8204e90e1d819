r"""The law of scores: accuracy from the scores of held-out pairs, not from two normal laws.

`fusiontheory.matching` takes the scores of each class to be normal, with one variance, and every
pair to have the mean leverage. Here neither is assumed. The mean predictor over training sets is
sought among the functions of `fusiontheory.ritz_signal`, f = sum_i beta_i f_i + b, by the weighted
least squares that training solves,

    min over beta, b:  E[omega (y - f)^2] + kappa |f|^2,

omega by how much each pair counts (`fusiontheory.leverage_law`). Predictors trained on different
sets vary around it at a pair by a normal amount of variance V(pair), so that

    accuracy = E[ Phi(y f / sqrt(V)) ],

the mean over held-out matched (y = 1) and mismatched pairs (y = -1). Derivation and limits:
``docs/score_law.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from fusiontheory.leverage_law import LeverageLaw

__all__ = ["LawPoint", "score_law"]

_Array: TypeAlias = NDArray[np.float64]

# Of the variance of scores: what is left for the normal part, so that one pair does not decide.
_SMOOTH = 0.05


@dataclass(frozen=True)
class LawPoint:
    """The law of scores at one n, beside the normal law from the same held-out pairs.

    Attributes:
        shift: Phi^{-1}(accuracy) by the law less that by normal scores; 0 without signal.
        error: its standard error from the number of held-out images.
        risk: by the law, over the risk of constant leverage.
    """

    shift: float
    error: float
    risk: float


_NOTHING = LawPoint(0.0, 0.0, 1.0)


def score_law(
    scores: _Array, penalty: _Array, law: LeverageLaw, length: _Array, kappa: float, gamma: float
) -> LawPoint:
    """Compare accuracy by the law of scores with that of normal scores.

    Args:
        scores: of the functions, made without the pair, shape (2 classes, 2 sets, functions, n).
            The two sets were made from different images: products of one with the other are
            unbiased.
        penalty: inner products of the functions in the kernel's space, (functions, functions).
        law: leverage of the same pairs.
        length: factor of each function at each pair under the law, (2, functions, n).
        kappa: effective ridge.
        gamma: sum_i L_i^2 / n of Level 2.
    """
    plain = _normal(scores, penalty, kappa, gamma)
    if plain is None:
        return _NOTHING
    found = _fitted(scores * length[:, None], penalty, law.weight, kappa)
    if found is None:
        return _NOTHING
    output, noise = found
    label = np.array([[1.0], [-1.0]])
    typical = law.influence / law.influence.mean()
    # The outputs have the noise of the images that the functions were made from.
    residual = (label - output) ** 2 - noise * typical
    variance = law.variance(residual)
    if not variance.mean() > 0:
        # The functions are noise: from too few images for their dimensions.
        return _NOTHING
    right = _right(label, output, noise, variance, typical)
    accuracy = float(right.mean())
    if not 0 < accuracy < 1:
        return _NOTHING
    quantile = float(norm.ppf(accuracy))
    # One image moves the law by its own pairs, and the normal law through its moments.
    moved = right.mean(axis=0) / norm.pdf(quantile) - plain.influence
    risk = float(residual.mean() + variance.mean())
    return LawPoint(
        shift=quantile - plain.quantile,
        error=float(moved.std() / np.sqrt(moved.size)),
        risk=max(risk, 0.0) / plain.risk,
    )


@dataclass(frozen=True, eq=False)
class _Normal:
    """Normal scores: Phi^{-1}(accuracy), risk, and what one image adds to the first times n."""

    quantile: float
    risk: float
    influence: _Array


def _normal(scores: _Array, penalty: _Array, kappa: float, gamma: float) -> _Normal | None:
    one, two = scores[:, 0], scores[:, 1]
    mean = scores.mean(axis=(1, 3))
    apart = mean[0] - mean[1]
    centred = [x - mean[:, :, None] for x in (one, two)]
    within = np.einsum("yin,yjn->ij", centred[0], centred[1]) / (2 * scores.shape[3])
    within = (within + within.T) / 2
    weights = _solved(within + kappa * penalty, apart)
    if weights is None or not weights @ apart > 0:
        return None
    q = float(weights @ apart)
    a = 1 / (1 + q / 4)
    half = a * q / 4
    spread = a**2 / 4 * max(float(weights @ within @ weights), 0.0)
    bias = (1 - half) ** 2 + spread
    total = spread + gamma / (1 - gamma) * bias
    quantile = half / np.sqrt(total)
    # z = half / sqrt(total), at fixed functions.
    first, second = (a / 2 * np.einsum("i,yin->yn", weights, x) for x in centred)
    rise = (first[0] - first[1] + second[0] - second[1]) / 4
    wider = (first * second).mean(axis=0) - spread
    influence = quantile * (rise / half - wider / (2 * total))
    return _Normal(float(quantile), bias / (1 - gamma), influence)


def _fitted(
    scores: _Array, penalty: _Array, weight: _Array, kappa: float
) -> tuple[_Array, float] | None:
    """Return outputs of the mean predictor, (2, n), and the variance of their noise."""
    label = np.array([[1.0], [-1.0]])
    share = weight / weight.sum()
    mean = np.einsum("yn,ysin->i", share, scores) / 2
    middle = float((share * label).sum())
    one, two = (scores[:, s] - mean[:, None] for s in (0, 1))
    size = weight.mean()
    within = size * np.einsum("yn,yin,yjn->ij", share, one, two, optimize=True)
    both = size * np.einsum("yn,yin->i", share * (label - middle), (one + two) / 2)
    weights = _solved((within + within.T) / 2 + kappa * penalty, both)
    if weights is None or not weights @ both > 0:
        return None
    first, second = (np.einsum("i,yin->yn", weights, x) + middle for x in (one, two))
    # Half the difference of two sets has the noise of their mean.
    return (first + second) / 2, float(np.mean((first - second) ** 2) / 4)


def _right(
    label: _Array, output: _Array, noise: float, variance: _Array, typical: _Array
) -> _Array:
    """Return the probability that each pair is classified right, (2, n).

    The noise of the outputs stands for as much of the variance over training sets, which has the
    same law. Where it is more than all of that, the outputs are drawn together around their
    class's mean, so that their variance is right.
    """
    mean = output.mean(axis=1, keepdims=True)
    seen = float(output.var(axis=1).mean())
    total = max(seen - noise, 0.0) + float(variance.mean())
    left = max(float(variance.mean()) - noise, _SMOOTH * total)
    if seen > 0:
        shrink = np.sqrt(max(total - left, 0.0) / seen)
        output = mean + min(shrink, 1.0) * (output - mean)
    return np.asarray(norm.cdf(label * output / np.sqrt(left * typical)))


def _solved(matrix: _Array, vector: _Array) -> _Array | None:
    """Return the solution if the matrix is clearly positive."""
    diagonal = np.diag(matrix)
    if not vector.size or diagonal.min() <= 0:
        return None
    scale = np.sqrt(diagonal)
    values = np.linalg.eigvalsh(matrix / np.outer(scale, scale))
    if values[0] < 1e-3:
        return None
    return np.asarray(np.linalg.solve(matrix, vector))
