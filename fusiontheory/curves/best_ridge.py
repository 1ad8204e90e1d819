"""The best ridge at each n: of highest predicted accuracy, or of least predicted risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, non_negative_array
from fusiontheory.constraints import checked
from fusiontheory.heads import RIDGES
from fusiontheory.matching import MatchingModel, matching_curve
from fusiontheory.typing import Array

__all__ = ["RULES", "Rule", "best_ridge", "checked_ridges"]

Rule = Literal["best", "least-risk"]

RULES: Mapping[Rule, str] = {
    "best": "of highest predicted accuracy",
    "least-risk": "of least predicted risk",
}
"""How a ridge can be chosen at each n, and what that means."""

# Accuracies nearer than this are equal, as those at any ridge are without signal.
_DIGITS = 6


@checked
def best_ridge(model: MatchingModel, n: Array, ridges: Array, rule: Rule = "best") -> Array:
    """Return, for each n, which of ``ridges`` is best, shape of n.

    Of equally good ones it is that of the least risk, then the larger: without signal accuracy is
    the same at all and the risk only falls with the ridge. Accuracy and risk are those of
    `matching_curve`, of normal scores and of pairs that share nothing.

    Args:
        model: of the head.
        n: sample sizes, shape (k,).
        ridges: delta of K + delta I to choose from, increasing.
        rule: "best" for the highest accuracy, as people choose on pairs that are kept apart;
            "least-risk" for the least mean squared error.

    Example:
        >>> from fusiontheory.matching import FunctionSignal
        >>> from fusiontheory.risk import Spectrum
        >>> flat = Spectrum.from_eigenvalues(np.ones(10))
        >>> signal = lambda kappa: (1 / (1 + kappa), -kappa / (1 + kappa) ** 2)
        >>> model = MatchingModel(flat, 0.0, FunctionSignal(signal, lambda kappa: 0 * kappa))
        >>> choice = np.array([0.1, 10.0, 1000.0])
        >>> best_ridge(model, np.array([20.0, 2000.0]), choice, "least-risk")
        array([1000.,   10.])
        >>> best_ridge(model, np.array([20.0, 2000.0]), choice)
        array([1000., 1000.])
    """
    curves = [matching_curve(model, n, float(ridge)) for ridge in ridges]
    risks = np.array([curve.risk for curve in curves])
    errors = np.round([1 - curve.accuracy for curve in curves], _DIGITS)
    order = np.broadcast_to(-np.arange(len(ridges))[:, None], risks.shape)
    # The last key is the first to count.
    keys = (order, risks, errors) if rule == "best" else (order, risks)
    return np.asarray(ridges[np.lexsort(keys, axis=0)[0]])


@checked
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
