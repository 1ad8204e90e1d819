r"""How far one training set's accuracy lies from the mean over training sets.

`matching_curve` predicts the mean over infinitely many training sets. A head trained on one
of them has another direction of its weights, and with it another accuracy. To first order, on the
scale of z = Phi^{-1}(accuracy), with m = q/4, s = (q + kappa dq/dkappa)/4, E = (1 + s)/(1 - gamma),
V = s + gamma E, r = m/V and b = r/(1 - gamma),

    V Var[z] = Var[psi] / (n (1 - gamma)) + (r^2 E^2 sum L^4 / 2 + 2 r E e sum L^3) / n^2,
    psi = (2g - 1) h - b j - (g + (b - r)/2) h^2 + b h j,   g = (1 - r + b (1 + s))/(1 + m),
    e = (m - s)(1 + r s)/(1 + m) - r (s - sum c L^3).

Write m = sum_i c_i L_i, c the signal of each eigenfunction. h and j are normal, the score of a
pair and that score shrunk once more: Var[h] = sum c L^2 = s, Cov[h, j] = sum c L^3 and
Var[j] = sum c L^4. The first part is what single pairs do to the direction of the weights, the
second what pairs of pairs do: noise in all directions varies. Derivation, and where it is off:
``docs/score_law.md``.
"""

from __future__ import annotations

import numpy as np

from fusiontheory.constraints import checked
from fusiontheory.matching.model import MatchingModel
from fusiontheory.risk import Spectrum, effective_ridge, learned
from fusiontheory.typing import Array

__all__ = ["training_deviation"]


# Half the step in log kappa of the derivative of s; the signal is smooth over a unit.
_STEP = 0.3
_MOST = 1 - 1e-9


@checked
def training_deviation(model: MatchingModel, n: Array, ridge: float) -> Array:
    """Return the standard deviation over training sets of Phi^{-1}(accuracy), shape of n.

    0 without signal, where all training sets are at chance, and at an interpolation peak without
    ridge, where nothing is known. The dot product has its own, of its scores, where moments are a
    sample's with at least 50 images; without them what it says of that head is the weights' part
    alone, up to a third of the whole, as the threshold is left out.

    Args:
        model: the head's spectrum and signal.
        n: numbers of training pairs, shape (k,).
        ridge: delta of K + delta I, absolute.

    Example:
        >>> from fusiontheory.matching import FunctionSignal
        >>> flat = Spectrum.from_eigenvalues(np.ones(10))
        >>> signal = lambda kappa: (4 / (1 + kappa), -4 * kappa / (1 + kappa) ** 2)
        >>> model = MatchingModel(flat, 0.0, FunctionSignal(signal, lambda kappa: 0 * kappa))
        >>> training_deviation(model, np.array([100.0, 10_000.0]), ridge=1.0).round(4)
        array([0.0416, 0.0004])
    """
    own = model.scores.deviation(n, ridge)
    if own is not None:
        return own
    total = ridge + model.ridge
    kappa = np.maximum(effective_ridge(model.spectrum, n, total), np.finfo(np.float64).tiny)
    two, three, four = (_power(model.spectrum, kappa, p) for p in (2, 3, 4))
    left = 1 - two / n
    m, s, third, fourth = _shrunk(model, kappa)
    usable = (m > 0) & (left > 0)
    left = np.where(usable, left, 1.0)
    error = (1 + s) / left
    spread = np.where(usable, s + (1 - left) * error, 1.0)
    r = m / spread
    single = _single(m, s, third, fourth, r, r / left) / (n * left)
    pull = (m - s) * (1 + r * s) / (1 + m) - r * (s - third)
    pairs = (r * error * (r * error * four / 2 + 2 * pull * three)) / n**2
    return np.where(usable, np.sqrt(np.maximum(single + pairs, 0.0) / spread), 0.0)


def _power(spectrum: Spectrum, kappa: Array, p: int) -> Array:
    """Return sum_i L_i^p."""
    return spectrum.sum(lambda lam, level: learned(lam, level) ** p, kappa)


def _single(m: Array, s: Array, third: Array, fourth: Array, r: Array, b: Array) -> Array:
    """Return Var[psi] for normal h and j."""
    g = (1 - r + b * (1 + s)) / (1 + m)
    first, second = 2 * g - 1, g + (b - r) / 2

    def variance(weight: Array) -> Array:
        return np.asarray(weight**2 * s - 2 * weight * b * third + b**2 * fourth)

    # Var[h u] = Var[h] Var[u] + Cov[h, u]^2, u = second h - b j.
    return variance(first) + s * variance(second) + (second * s - b * third) ** 2


def _shrunk(model: MatchingModel, kappa: Array) -> tuple[Array, Array, Array, Array]:
    """Return sum_i c_i L_i^p for p = 1 .. 4, c the signal of each eigenfunction.

    d(sum c L^p)/dlog kappa = -p (sum c L^p - sum c L^(p+1)) gives the third from the second. The
    fourth is that of a Beta law of L, whose 1/(1 - ratio of successive moments) is linear in p: it
    spares a second numerical derivative.
    """

    def second(level: Array) -> tuple[Array, Array]:
        q, slope = model.signal(level)
        m = np.maximum(q, 0.0) / 4
        return m, np.clip((q + slope) / 4, 0.0, m)

    m, s = second(kappa)
    rise = (second(kappa * np.exp(_STEP))[1] - second(kappa * np.exp(-_STEP))[1]) / (2 * _STEP)
    one = np.divide(s, m, out=np.zeros_like(s), where=m > 0).clip(0.0, _MOST)
    two = np.divide(s + rise / 2, s, out=np.zeros_like(s), where=s > 0).clip(one, _MOST)
    three = 1 - 1 / (2 / (1 - two) - 1 / (1 - one))
    return m, s, s * two, s * two * three
