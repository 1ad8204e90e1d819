r"""How far one training set's accuracy lies from the mean, for the dot product.

The head learns a weight alpha and an intercept b for the one feature s = v.t. Its accuracy depends
on their ratio alone, the threshold, and on the sign of alpha. Least squares on n pairs makes (b,
alpha) normal around the population's, with the covariance of the residuals times (1, s - middle):
class by class, as half of the pairs are matched, and without the assumption that residuals vary
alike (White 1980). Accuracy at a threshold is a share of the scores of the sample, so that nothing
is assumed of their law.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

__all__ = ["threshold_scatter"]

_Array: TypeAlias = NDArray[np.float64]

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
