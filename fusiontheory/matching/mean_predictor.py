"""The mean predictor over training sets, fitted to the scores of functions on held-out pairs.

Two sets of functions were made from different images, so that the covariance of one with the other
has no noise of those images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.constraints import checked
from fusiontheory.typing import Array

__all__ = ["LABEL", "Outputs", "Squares", "damped"]

LABEL = np.array([[1.0], [-1.0]])
"""Of matched and of mismatched pairs."""

# Least eigenvalue of a matrix at unit diagonal, as for `fusiontheory.signal.ritz`.
_DEFINITE = 0.02
# Standard errors above 0 from where an eigenvalue is known, as there.
_CLEAR = 3.0
# Shares of the noise of the functions that are tried.
_DAMPING = (0.0, *np.geomspace(0.03, 1.0, 8).tolist())


@checked
@dataclass(frozen=True, eq=False)
class Outputs:
    """Outputs of the mean predictor at held-out pairs.

    Attributes:
        mean: of the two sets of functions, shape (2, n).
        apart: half the difference of the two, (2, n): it has the noise of ``mean``.
    """

    mean: Array
    apart: Array

    @property
    def centre(self) -> Array:
        """Return the mean of each class, shape (2, 1)."""
        return np.asarray(self.mean.mean(axis=1, keepdims=True))

    @property
    def half(self) -> float:
        """Return half the distance of the class means."""
        return float((LABEL * self.centre).mean())

    @property
    def seen(self) -> float:
        """Return the variance within a class, noise included."""
        return float(self.mean.var(axis=1).mean())

    @property
    def noise(self) -> float:
        """Return the variance that is noise of the images the functions were made from."""
        return float(np.mean(self.apart**2))

    @property
    def within(self) -> tuple[float, float]:
        """Return the variance within a class without noise, and its standard error."""
        each = ((self.mean - self.centre) ** 2 - self.apart**2).mean(axis=0)
        return float(each.mean()), float(each.std() / np.sqrt(each.size))

    def scaled(self, half: float, variance: float) -> Array:
        """Return outputs of the same shape with that distance of means, and that variance."""
        stretch = np.sqrt(variance / self.seen) if self.seen > 0 else 0.0
        return np.asarray(self.centre * half / self.half + stretch * (self.mean - self.centre))


@checked
@dataclass(frozen=True, eq=False)
class Squares:
    """Weighted least squares over the functions, which the mean predictor solves.

    Attributes:
        matrix: within-class covariance and penalty, (functions, functions).
        noise: covariance of what in the mean of the two sets is noise, (functions, functions).
        vector: covariance with the label, (functions,).
        centred: scores of the two sets less their weighted mean, (2 classes, 2 sets, functions, n).
        middle: weighted mean of the label.
        weight: of each pair, (2 classes, n).
    """

    matrix: Array
    noise: Array
    vector: Array
    centred: Array
    middle: float
    weight: Array

    @classmethod
    def of(cls, scores: Array, penalty: Array, weight: Array, kappa: float) -> Squares:
        """Return the sums over held-out pairs, of one set of functions with the other."""
        share = weight / weight.sum()
        mean = np.einsum("yn,ysin->i", share, scores) / 2
        middle = float((share * LABEL).sum())
        centred = scores - mean[:, None]
        one, two = centred[:, 0], centred[:, 1]
        size = weight.mean()
        within = size * np.einsum("yn,yin,yjn->ij", share, one, two, optimize=True)
        both = size * np.einsum("yn,yin->i", share * (LABEL - middle), (one + two) / 2)
        apart = (one - two) / 2
        noise = size * np.einsum("yn,yin,yjn->ij", share, apart, apart, optimize=True)
        return cls((within + within.T) / 2 + kappa * penalty, noise, both, centred, middle, weight)

    def positive(self, rows: list[int], damping: float) -> bool:
        """Return whether the matrix of some functions, with a share of noise, is clearly so.

        Its least eigenvalue has to be clear of what so few held-out pairs leave it uncertain by.
        """
        matrix = (self.matrix + damping * self.noise)[np.ix_(rows, rows)]
        diagonal = np.diag(matrix)
        if not diagonal.size or diagonal.min() <= 0:
            return False
        scale = np.sqrt(diagonal)
        values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
        least = np.einsum("i,ysin->syn", vectors[:, 0] / scale, self.centred[:, :, rows])
        apart = (least[0] - least[1]) / 2
        each = self.weight * (least[0] * least[1] + damping * apart**2)
        error = each.std() / np.sqrt(each.size)
        return bool(values[0] > max(_DEFINITE, _CLEAR * error))

    def outputs(self, rows: list[int], damping: float) -> Outputs | None:
        """Return outputs of the mean predictor of some functions; None without signal."""
        if not rows:
            return None
        matrix = (self.matrix + damping * self.noise)[np.ix_(rows, rows)]
        weights = np.linalg.solve(matrix, self.vector[rows])
        if not weights @ self.vector[rows] > 0:
            return None
        first, second = (
            np.einsum("i,yin->yn", weights, self.centred[:, s, rows]) + self.middle for s in (0, 1)
        )
        outputs = Outputs((first + second) / 2, (first - second) / 2)
        return outputs if outputs.half > 0 else None


@checked
def damped(*squares: Squares) -> tuple[float, list[int]]:
    """Return how much noise makes all matrices clearly positive, and of which functions.

    The covariance of one set of functions with the other is without bias, but from few images it
    need not be positive. That of their mean always is: it has the noise of the functions, too. As
    little of it is added as is enough. Where all of it is not, functions that are as good as sums
    of those before them are left out.
    """
    every = list(range(len(squares[0].vector)))
    for damping in _DAMPING:
        if all(each.positive(every, damping) for each in squares):
            return damping, every
    kept: list[int] = []
    for row in every:
        if all(each.positive([*kept, row], 1.0) for each in squares):
            kept.append(row)
    return 1.0, kept
