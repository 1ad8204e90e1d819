r"""What the pilot cannot exclude: linear programs over everything that agrees with it.

B(kappa) = sigma^2 + sum_j (kappa/(lambda_j + kappa))^2 mu_j and
df1(kappa) = sum_j lambda_j/(lambda_j + kappa) rho_j with sigma^2, mu, rho >= 0 leave much open
below the pilot's smallest kappa. The bounds are far too wide to plan with and are no interval;
they say what the data alone, without experience of other worlds, allow.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import linprog

from fusiontheory.checks import InputError, sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.pilot.curve import PilotCurve
from fusiontheory.typing import Array

__all__ = ["not_excluded"]


_GRID = 40
_BELOW = 1e-3


@checked
def not_excluded(curve: PilotCurve, sizes: ArrayLike, errors: float = 2.0) -> pd.DataFrame:
    """Return the least and largest risk at each size that the pilot cannot exclude.

    The largest is the flat one: the best ridge whose kappa the pilot has, with its error. The
    least is B at the smallest kappa that n items could have, over all signals and spectra that
    agree with the pilot's within the errors.

    Args:
        curve: of a head with a kernel.
        sizes: n.
        errors: how many standard errors of the level still agree.

    Returns:
        One row a size: ``n``, ``low``, ``high``, in the label's variance.

    Raises:
        InputError: for an average of heads or a size below 1.
    """
    if curve.within is None:
        raise InputError(f"{curve.head} averages heads; ask for its members")
    within, n = curve.within, sample_sizes("sizes", sizes)
    rows = np.unique(np.linspace(0, within.kappa.size - 1, 24).astype(int))
    kappa, level, df1 = within.kappa[rows], within.level[rows], within.df1[rows]
    reach = np.geomspace(kappa[0], kappa[-1] * _BELOW, _GRID)
    relative = errors * curve.standard_error / max(float(curve.item_risk.mean()), 1e-9)
    signal = np.column_stack(
        [np.ones(kappa.size), (kappa[:, None] / (reach + kappa[:, None])) ** 2]
    )
    spectrum = reach / (reach + kappa[:, None])
    smaller = np.geomspace(kappa[-1], kappa[-1] * _BELOW, 10)
    least_level, least_df1 = [], []
    for k in smaller:
        ask = np.r_[1.0, (k / (reach + k)) ** 2]
        least_level.append(_least(ask, signal, level, relative * level + 0.005))
        least_df1.append(_least(reach / (reach + k), spectrum, df1, 0.01 * df1 + 0.05))
    low = []
    for size in n:
        possible = np.array(least_df1) <= size
        low.append(min(np.array(least_level)[possible], default=float(level.min())))
    flat, _ = within.best(n)
    high = flat * (1 + relative)
    return pd.DataFrame({"n": n, "low": np.minimum(low, high), "high": high})


def _least(ask: Array, design: Array, seen: Array, width: Array) -> float:
    """Return the least ask.q over q >= 0 with design q within seen +- width; wider if none has."""
    for factor in (1.0, 3.0, 10.0):
        solved = linprog(
            ask,
            A_ub=np.vstack([design, -design]),
            b_ub=np.r_[seen + factor * width, factor * width - seen],
            method="highs",
        )
        if solved.status == 0:
            return float(solved.fun or 0.0)
    return 0.0
