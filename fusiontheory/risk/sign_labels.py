"""The predictor itself: its mean over training sets, its variance, and how often its sign is right.

Gaussian features x with covariance eigenvalues lambda_i, unit-norm eigenfunctions phi_i =
x_i / sqrt(lambda_i), kernel ridge regression as in ``ridge_risk``. The coefficients w_i of a fitted
predictor f = sum_i w_i phi_i have the mean L_i b_i over training sets, and their variances add up
to gamma times the test risk.

Labels +1 and -1 fall under it as well. Let y be the sign of a latent u = sum_i a_i phi_i +
tau g, flipped with probability q. Its part linear in the features is sum_i b_i phi_i with

    b_i = (1 - 2 q) sqrt(2 / pi) a_i / W,   W^2 = sum_i a_i^2 + tau^2,

and what is left, of variance 1 - sum_i b_i^2, is uncorrelated with all features and acts as noise.
Score and latent are jointly normal on a fresh sample, so that with their correlation r

    P(sign f = y) = 1/2 + (1 - 2 q) arcsin(r) / pi,
    r = sum_i L_i b_i a_i / (W sqrt(sum_i L_i^2 b_i^2 + gamma risk)).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from fusiontheory.checks import (
    InputError,
    ValidityWarning,
    finite_array,
    non_negative,
    non_negative_array,
    sample_sizes,
    set_checked,
)
from fusiontheory.constraints import checked
from fusiontheory.risk.ridge import effective_ridge, spectrum_risk
from fusiontheory.risk.spectrum import Spectrum, learned
from fusiontheory.typing import Array, Sizes

__all__ = [
    "SignLabels",
    "score_accuracy",
    "sign_accuracy",
]

SignLabel: TypeAlias = Callable[[Array, np.random.Generator], Array]


@checked
def score_accuracy(scores: ArrayLike, labels: ArrayLike, variance: float) -> float:
    """Return the average over x of Phi(y fbar(x) / sqrt(variance)).

    Over training sets the score f(x) is normal, with the mean fbar(x) and the variance
    ``prediction_variance``; this is how often its sign is y. The features need not be Gaussian.

    Args:
        scores: fbar(x) of the mean predictor at sampled x, shape (m,).
        labels: +1 or -1 for each, shape (m,).
        variance: of f(x) over training sets, at least 0, in squared score units. At 0 it is the
            accuracy of the mean predictor; scores of 0 count half.

    Raises:
        InputError: for scores or labels that are empty, not finite or of different shapes,
            labels other than +1 and -1, a negative variance.

    Example:
        >>> score_accuracy([1.0, -1.0], [1.0, -1.0], variance=1.0).__round__(4)
        0.8413
    """
    mean = finite_array("scores", scores, 1)
    y = finite_array("labels", labels, 1)
    if y.shape != mean.shape:
        raise InputError(f"labels must have one value per score, {mean.size}, got {y.size}")
    if not np.isin(y, (-1.0, 1.0)).all():
        raise InputError(f"labels must be +1 or -1, got {y[~np.isin(y, (-1.0, 1.0))][0]:g}")
    spread = np.sqrt(non_negative("variance", variance))
    margin = y * mean
    if spread == 0:
        return float(np.mean((np.sign(margin) + 1) / 2))
    return float(np.mean(ndtr(margin / spread)))


@checked
@dataclass(frozen=True, eq=False)
class SignLabels:
    """Labels +1 and -1 from a linear latent, seen through Gaussian features.

    Attributes:
        eigenvalues: lambda_i >= 0 of the features, shape (p,).
        latent_power: a_i^2, the latent's power along unit-norm eigenfunction i, shape (p,).
        ridge: delta >= 0 of (K + delta I)^{-1}, in the units of the eigenvalues.
        latent_noise: tau^2 >= 0, variance of what the features do not show of the latent.
        flip: probability q in [0, 1] that a label is turned round.

    Raises:
        InputError: for eigenvalues or powers that are negative, not finite or of different
            shapes, all-zero eigenvalues, a latent that is always 0, a flip outside [0, 1].

    Example:
        >>> import numpy as np
        >>> labels = SignLabels(np.ones(4), np.ones(4), ridge=1.0, latent_noise=4.0)
        >>> labels.target_power.round(4), round(labels.noise, 4)  # (2 / pi) / 8 each
        (array([0.0796, 0.0796, 0.0796, 0.0796]), 0.6817)
    """

    eigenvalues: Array
    latent_power: Array
    ridge: float
    latent_noise: float = 0.0
    flip: float = 0.0

    def __post_init__(self) -> None:
        """Check every field; arrays become float64."""
        for name in ("eigenvalues", "latent_power"):
            set_checked(self, name, non_negative_array(name, getattr(self, name), 1))
        for name in ("ridge", "latent_noise", "flip"):
            set_checked(self, name, non_negative(name, getattr(self, name)))
        if self.latent_power.shape != self.eigenvalues.shape:
            raise InputError(
                f"latent_power must have one value per eigenvalue, {self.eigenvalues.size},"
                f" got {self.latent_power.size}"
            )
        if not self.eigenvalues.any():
            raise InputError("eigenvalues must have at least one above 0, got zeros only")
        if self.flip > 1:
            raise InputError(f"flip must be a probability of at most 1, got {self.flip:g}")
        if self.latent_noise == 0 and not self.latent_power.any():
            raise InputError("latent_power must have a value above 0 where latent_noise is 0")

    @property
    def share(self) -> Array:
        """a_i^2 / W^2, the squared correlation of the latent with eigenfunction i."""
        power: Array = self.latent_power / (float(self.latent_power.sum()) + self.latent_noise)
        return power

    @property
    def slope(self) -> float:
        """(1 - 2 q) sqrt(2 / pi), the label's covariance with the latent of unit variance."""
        return (1 - 2 * self.flip) * float(np.sqrt(2 / np.pi))

    @property
    def target_power(self) -> Array:
        """b_i^2 of the label's linear part, for ``ridge_risk``."""
        return self.slope**2 * self.share

    @property
    def noise(self) -> float:
        """Variance of the rest of the label, for ``ridge_risk``."""
        return 1 - float(self.target_power.sum())


@overload
def sign_accuracy(labels: SignLabels, n: float) -> float: ...
@overload
def sign_accuracy(labels: SignLabels, n: Sizes) -> Array: ...
@checked
def sign_accuracy(labels: SignLabels, n: float | Sizes) -> float | Array:
    """Return how often the sign of ridge regression on n labels is right on a fresh one.

    1/2 + (1 - 2 q) arcsin(r) / pi with the correlation r of score and latent; see the module.
    It is the limit of many features p, and was measured to be low by about 0.3 / p (60 to 480
    features), and by 0.6 / p at the interpolation peak with next to no ridge.

    Args:
        labels: features, latent, flips and ridge.
        n: sample size or sizes, at least 1.

    Returns:
        A probability, a float for a scalar n, else the shape of n. 1/2, with a
        ``ValidityWarning``, where ridge is 0 and n the number of non-zero eigenvalues: at finite
        size the accuracy there is above it.

    Raises:
        InputError: for n < 1.

    Source: the probability that two correlated normal variables agree in sign is Sheppard's
    (1899); mean and variance of the score are those of Simon et al., arXiv:2110.03922.

    Example:
        >>> import numpy as np
        >>> labels = SignLabels(np.ones(100), np.ones(100), ridge=1.0)
        >>> sign_accuracy(labels, [50, 1000]).round(3)
        array([0.662, 0.921])
    """
    sizes = sample_sizes("n", n)
    share, slope = labels.share, labels.slope
    weights = {"target_power": labels.target_power, "share": share}
    spectrum = Spectrum.from_eigenvalues(labels.eigenvalues, weights)
    risk = spectrum_risk(spectrum, sizes, labels.ridge, labels.noise)
    if np.isinf(risk).any():
        warnings.warn(
            f"the variance of the score is infinite at n = {sizes[np.isinf(risk)][0]:g}, the"
            " number of non-zero eigenvalues, without ridge; use a ridge above 0 there",
            ValidityWarning,
            stacklevel=2,
        )
    kappa = effective_ridge(spectrum, sizes, labels.ridge)
    overlap = slope * spectrum.weighted_sum("share", learned, kappa)
    systematic = slope**2 * spectrum.weighted_sum(
        "share", lambda lam, kap: learned(lam, kap) ** 2, kappa
    )
    spread = np.sqrt(systematic + spectrum.squared_degrees(kappa) / sizes * risk)
    correlation = np.divide(overlap, spread, out=np.zeros_like(spread), where=spread > 0)
    accuracy = 0.5 + (1 - 2 * labels.flip) * np.arcsin(np.clip(correlation, -1, 1)) / np.pi
    return float(accuracy[0]) if np.ndim(n) == 0 else accuracy
