"""Image-text matching on Gaussian pairs by the bilinear head, with the law of leverage and score.

``matching_curve`` takes the leverage of a pair as its mean and scores within a class as normal.
For Gaussian features neither holds: long features have more leverage and count less, scores
v^T W t are skewed. Here both laws are taken over draws from the known distribution. What remains
is what the leave-one-out argument leaves out; so on Gaussian surrogates of real features this
says how much of a prediction's error is due to the theory, and how much to features that are not
Gaussian. Derivation: docs/product_features.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import ndtr

from fusiontheory.checks import (
    InputError,
    finite_array,
    non_negative,
    positive_integer,
    sample_sizes,
)
from fusiontheory.constraints import checked
from fusiontheory.moments import GaussianPairs, checked_gaussian
from fusiontheory.risk import effective_ridge
from fusiontheory.typing import Array

__all__ = ["gaussian_matching_curve"]


# Draws held at a time.
_BLOCK = 2**12
# Relative change of a mean over draws below which its fixed point is reached; the draws' own noise
# is larger.
_CONVERGED = 1e-4
_ROUNDS = 200
# Share of a mean in the power of features that is taken as none.
_MOST_OF_MEAN = 0.01


@dataclass(frozen=True, eq=False)
class _Draws:
    """Matched pairs in the eigenbases, and mismatched ones made of their neighbours."""

    image: Array
    text: Array

    def classes(self) -> Iterator[tuple[Array, Array]]:
        yield self.image, self.text
        yield self.image, np.roll(self.text, 1, axis=0)

    def forms(self, weights: Array) -> list[Array]:
        """Return sum_ij weights_ij v_i^2 t_j^2 of every pair, by class."""
        return [np.einsum("si,si->s", v**2 @ weights, t**2) for v, t in self.classes()]

    def scores(self, weights: Array) -> list[Array]:
        """Return v^T W t of every pair, by class."""
        return [np.einsum("si,si->s", v @ weights, t) for v, t in self.classes()]

    def squares(self, weights: list[Array]) -> Array:
        """Return the mean over both classes of weights x v_i^2 t_j^2, shape (d_v, d_t)."""
        total = np.zeros((self.image.shape[1], self.text.shape[1]))
        for (v, t), weight in zip(self.classes(), weights, strict=True):
            total += (v**2 * weight[:, None]).T @ t**2
        return total / (2 * len(self.image))


@checked
def gaussian_matching_curve(
    pairs: GaussianPairs, n: ArrayLike, ridge: float, *, samples: int = 2**13, seed: int = 0
) -> pd.DataFrame:
    """Return test risk and accuracy of the bilinear head on Gaussian pairs of zero mean.

    With h = sum_ij g_ij v_i^2 t_j^2 the leverage of a pair and f_ij by how much it damps the
    second moment of v_i t_j, solves

        g_ij = 1 / (n Lambda_ij f_ij + delta),   Lambda_ij f_ij = E-[v_i^2 t_j^2 / (1 + h)],

    then the damped least squares (S + delta / n) W = c for the direction of the weights, S with
    the swap term C W^T C of matched pairs, its scale and intercept from the law of the scores,
    and the variance of the prediction at each pair from its leverage.

    Args:
        pairs: the distribution; means must be near zero.
        n: training pairs, half of them matched, at least 2.
        ridge: delta > 0 of K + delta I.
        samples: draws over which the laws are taken. The error of the accuracy that they leave is
            about 0.3 / sqrt(2 samples).
        seed: of the draws.

    Returns:
        Columns ``n``, ``risk`` and ``accuracy``.

    Raises:
        InputError: for means with more than 1 % of the power, n below 2, a ridge that is not
            above 0, fewer than 64 samples.

    Example:
        >>> import numpy as np
        >>> flat = GaussianPairs(np.ones(4), np.ones(4), 0.8 * np.eye(4), np.zeros(4), np.zeros(4))
        >>> curve = gaussian_matching_curve(flat, [1000], ridge=1.0)
        >>> print(f"{curve['accuracy'][0]:.2f}")
        0.75
    """
    if not isinstance(pairs, GaussianPairs):
        raise InputError(f"pairs must be GaussianPairs, got {type(pairs).__name__}")
    # Pairs built by hand can be such as no data have.
    image, text = (finite_array(x, getattr(pairs, x), 1) for x in ("image", "text"))
    checked_gaussian(np.diag(image), np.diag(text), pairs.cross, pairs.image_mean, pairs.text_mean)
    for name, mean, values in (
        ("image", pairs.image_mean, pairs.image),
        ("text", pairs.text_mean, pairs.text),
    ):
        share = float(mean @ mean / values.sum())
        if share > _MOST_OF_MEAN:
            raise InputError(
                f"pairs must have means near zero, at most {_MOST_OF_MEAN:g} of the power; got"
                f" {share:.2g} for {name}; centre the features"
            )
    sizes = sample_sizes("n", n)
    if sizes.min() < 2:
        raise InputError(f"n must be at least 2, one pair of each kind, got {sizes.min():g}")
    delta = non_negative("ridge", ridge)
    if delta == 0:
        raise InputError("ridge must be above 0, got 0")
    positive_integer("samples", samples, minimum=64)
    # In units of the traces the draws do not depend on the units of the features.
    traces = float(pairs.image.sum()), float(pairs.text.sum())
    pairs = pairs.rescaled(traces[0] ** -0.5, traces[1] ** -0.5)
    delta /= traces[0] * traces[1]
    draws = _Draws(*pairs.draw(samples, np.random.default_rng(seed)))
    rows = [_point(pairs, draws, float(size), delta) for size in sizes]
    frame = pd.DataFrame(rows, columns=["risk", "accuracy"])
    frame.insert(0, "n", sizes)
    return frame


def _point(pairs: GaussianPairs, draws: _Draws, n: float, delta: float) -> tuple[float, float]:
    damped, resolvent, damping = _leverage(pairs, draws, n, delta)
    direction = _direction(pairs, damped, delta / n)
    scores = draws.scores(direction)
    penalty = delta / n * float(np.vdot(direction, direction))
    scale, intercept = _projected(scores, damping, penalty)
    outputs = [scale * score + intercept for score in scores]

    # Each training pair's residual moves the prediction, the more the less it is damped.
    response = _response(pairs, draws, resolvent, damping, n)
    influence = draws.forms(response)
    residual = [(label - output) ** 2 for label, output in zip((1, -1), outputs, strict=True)]
    moved = [r * d**2 * f for r, d, f in zip(residual, damping, influence, strict=True)]
    mean_variance = n * float(np.mean(moved))
    typical = float(np.mean(influence))
    variance = [mean_variance * f / typical for f in influence]
    risk = float(np.mean(residual)) + mean_variance
    right = [
        ndtr(label * output / np.sqrt(spread)).mean()
        for label, output, spread in zip((1, -1), outputs, variance, strict=True)
    ]
    return risk, float(np.mean(right))


def _leverage(
    pairs: GaussianPairs, draws: _Draws, n: float, delta: float
) -> tuple[Array, Array, list[Array]]:
    """Return f, g and 1 / (1 + h) of every draw by class."""
    product = np.outer(pairs.image, pairs.text)
    # E+[v_i^2 t_j^2] of a matched pair has 2 C_ij^2 on top; half the pairs are matched.
    second = product + pairs.cross**2
    kappa = effective_ridge(product, n, delta)
    factor = np.full(product.shape, delta / (n * kappa))
    missed = second - draws.squares([np.ones(len(draws.image))] * 2)
    safe = np.where(second > 0, second, 1.0)
    for _ in range(_ROUNDS):
        resolvent = 1 / (n * product * factor + delta)
        damping = [1 / (1 + form) for form in draws.forms(resolvent)]
        leverage = (draws.squares(damping) + float(np.mean(damping)) * missed) / safe
        leverage = np.clip(leverage, 1e-12, 1.0)
        change = float(np.vdot(product, np.abs(leverage - factor)) / np.vdot(product, factor))
        factor = leverage
        if change < _CONVERGED:
            return factor, 1 / (n * product * factor + delta), damping
    raise ArithmeticError(f"the law of the leverage was not found at n = {n:g}")


def _direction(pairs: GaussianPairs, factor: Array, penalty: float) -> Array:
    """Solve (S + penalty) W = c with the damped S of both classes, by conjugate gradients."""
    damped = factor * np.outer(pairs.image, pairs.text) + penalty
    root = np.sqrt(factor)

    def times(values: Array) -> Array:
        weights = values.reshape(damped.shape)
        swapped = root * pairs.excess(root * weights)
        return np.asarray((damped * weights + swapped / 2).ravel())

    def inverse(values: Array) -> Array:
        return values / damped.ravel()

    size = damped.size
    solution, failed = cg(
        LinearOperator((size, size), matvec=times, dtype=np.float64),
        (factor * pairs.cross).ravel(),
        rtol=1e-8,
        maxiter=1000,
        M=LinearOperator((size, size), matvec=inverse, dtype=np.float64),
    )
    if failed:
        raise ArithmeticError("conjugate gradients did not converge")
    return np.asarray(solution.reshape(damped.shape), dtype=np.float64)


def _projected(scores: list[Array], damping: list[Array], penalty: float) -> tuple[float, float]:
    """Return scale and intercept of the damped least squares of the label on the scores."""
    score, weight = np.concatenate(scores), np.concatenate(damping)
    label = np.repeat([1.0, -1.0], len(scores[0]))
    mean = float(np.average(score, weights=weight))
    mean_label = float(np.average(label, weights=weight))
    covariance = float(np.mean(weight * (score - mean) * (label - mean_label)))
    variance = float(np.mean(weight * (score - mean) ** 2))
    scale = covariance / (variance + penalty)
    return scale, mean_label - scale * mean


def _response(
    pairs: GaussianPairs, draws: _Draws, resolvent: Array, damping: list[Array], n: float
) -> Array:
    """Return E[G Sigma G] in the eigenbases: x = g^2 (Lambda + n E[v^2 t^2 Y / (1 + h)^2])."""
    product = np.outer(pairs.image, pairs.text)
    squared = resolvent**2
    response = squared * product
    for _ in range(_ROUNDS):
        weights = [d**2 * form for d, form in zip(damping, draws.forms(response), strict=True)]
        unscaled = squared * (product + n * draws.squares(weights))
        change = float(np.vdot(product, np.abs(unscaled - response)) / np.vdot(product, unscaled))
        response = unscaled
        if change < _CONVERGED:
            return np.asarray(response)
    raise ArithmeticError(f"the response was not found at n = {n:g}")
