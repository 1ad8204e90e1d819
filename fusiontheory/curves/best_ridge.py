"""The ridge of least predicted risk at each n."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, non_negative_array
from fusiontheory.heads import RIDGES
from fusiontheory.matching import MatchingModel, matching_curve
from fusiontheory.typing import Array

__all__ = ["best_ridge", "checked_ridges"]


def best_ridge(model: MatchingModel, n: Array, ridges: Array) -> Array:
    """Return, for each n, which of ``ridges`` has the least predicted risk, shape of n.

    A larger ridge wins a tie: without signal the risk only falls with the ridge. The risk is that
    of `matching_curve`, of normal scores and of pairs that share nothing.

    Args:
        model: of the head.
        n: sample sizes, shape (k,).
        ridges: delta of K + delta I to choose from, increasing.

    Example:
        >>> from fusiontheory.matching import FunctionSignal
        >>> from fusiontheory.risk import Spectrum
        >>> flat = Spectrum.from_eigenvalues(np.ones(10))
        >>> signal = lambda kappa: (1 / (1 + kappa), -kappa / (1 + kappa) ** 2)
        >>> model = MatchingModel(flat, 0.0, FunctionSignal(signal, lambda kappa: 0 * kappa))
        >>> best_ridge(model, np.array([20.0, 2000.0]), np.array([0.1, 10.0, 1000.0]))
        array([1000.,   10.])
    """
    risks = np.array([matching_curve(model, n, float(ridge)).risk for ridge in ridges])
    # From the largest ridge down, so that the first of equal ones is the larger.
    place = len(ridges) - 1 - np.argmin(risks[::-1], axis=0)
    return np.asarray(ridges[place])


def checked_ridges(ridges: ArrayLike | None, diagonal: float) -> Array:
    """Return the ridges to choose from, increasing.

    By default they are `fusiontheory.heads.RIDGES` times ``diagonal``.

    Raises:
        InputError: if there is none, or one is not above 0.

    Example:
        >>> checked_ridges(None, 2.0)[[0, -1]].tolist()
        [0.002, 200.0]
    """
    if ridges is None:
        return diagonal * np.array(RIDGES)
    given = np.unique(np.atleast_1d(non_negative_array("ridges", ridges, (0, 1))))
    if not given.size or given[0] == 0:
        raise InputError(f"ridges must be above 0, at least one, got {np.ravel(ridges).tolist()}")
    return given
