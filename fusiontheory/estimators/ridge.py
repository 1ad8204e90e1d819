"""Kernel ridge with a free intercept and the ridge that leave-one-out likes best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.constraints import checked
from fusiontheory.solvers import eigh
from fusiontheory.typing import Array

__all__ = ["RidgeFit", "fit_ridge"]


RIDGES = 49
# An item that is fitted with next to no freedom left says nothing about others.
_LEAST_COUNT = 8.0


@dataclass(frozen=True, eq=False)
class RidgeFit:
    """A fitted function f(x) = offset + sum_j k(x, x_j) dual_j.

    Attributes:
        dual: (n, c).
        offset: (c,).
        ridge: in the units of the kernel.
        leave_out_risk: mean squared leave-one-out error, summed over columns; NaN for a ridge that
            was given.
    """

    dual: Array
    offset: Array
    ridge: float
    leave_out_risk: float

    def scores(self, cross: Array) -> Array:
        """Return f for rows (m, n) of kernels with the training items."""
        result: Array = cross @ self.dual + self.offset
        return result


@checked
def fit_ridge(kernel: Array, targets: Array, ridge: float | None = None) -> RidgeFit:
    r"""Fit (K + ridge) dual = y - mean over centred kernels, the intercept unpenalised.

    Without a ridge, the one of a grid of 49 with the least leave-one-out error
    r_a / (1 - h_a) is taken, from one eigendecomposition.

    Args:
        kernel: (n, n).
        targets: (n, c).
        ridge: >= 0, or None.

    Source: Golub, Heath & Wahba (1979).

    Example:
        >>> x = np.arange(12.0)[:, None]
        >>> fit = fit_ridge(x @ x.T, 2 * x + 1, ridge=1e-9)
        >>> fit.scores(np.array([[20.0]]) @ x.T).round(6)
        array([[41.]])
    """
    n = len(kernel)
    rows = kernel.mean(0)
    centred = kernel - rows - rows[:, None] + rows.mean()
    mean = targets.mean(0)
    # The constant vector, lifted above all others, is the last one and left out.
    lift = 2 * float(np.linalg.norm(centred)) or 1.0
    values, vectors = eigh(centred + lift / n)
    values, vectors = np.maximum(values[:-1], 0.0), vectors[:, :-1]
    power = vectors.T @ (targets - mean)
    risk = float("nan")
    if ridge is None:
        ridge, risk = _leave_out_ridge(values, vectors, power)
    safe = np.where(values + ridge > 1e-13 * lift, values + ridge, np.inf)
    dual = vectors @ (power / safe[:, None])
    offset = mean - rows @ dual
    return RidgeFit(dual, offset, ridge, risk)


def _leave_out_ridge(values: Array, vectors: Array, power: Array) -> tuple[float, float]:
    """Return the ridge with the least leave-one-out risk, and that risk."""
    top = float(values.max(initial=0.0)) or 1.0
    squares = vectors**2
    best = (100 * top, np.inf)
    for ridge in np.geomspace(100 * top, 1e-9 * top, RIDGES):
        s = ridge / (values + ridge)
        count = (s**2).sum() ** 2 / (s**4).sum()
        if count < min(_LEAST_COUNT, len(values) / 2):
            continue
        errors = (vectors @ (s[:, None] * power)) / (squares @ s)[:, None]
        risk = float((errors**2).sum(1).mean())
        if risk < best[1]:
            best = (float(ridge), risk)
    return best
