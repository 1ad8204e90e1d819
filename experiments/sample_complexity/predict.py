"""At which n each head is predicted to reach a level of excess risk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from experiments.sample_complexity.config import Case, Config, Head
from fusiontheory.risk import effective_ridge, optimal_ridge, product_ridge_risk

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["points", "predict"]


def predict(config: Config, _: Records) -> Tables:
    """Return what the harness freezes."""
    return {"predictions.csv": points(config)}


def points(config: Config) -> pd.DataFrame:
    """Return every point that can be run: which one, and what is predicted of it.

    ``ridge`` is the best one at ``gaussian`` (`optimal_ridge`), used at every n; ``gaussian`` the n
    at which `ridge_risk` reaches the level with the best ridge; ``predicted`` that at which
    `product_ridge_risk` does with that ridge, or ``gaussian`` for the additive head, whose features
    are Gaussian; ``effective_dimension`` is sum lambda_i / (lambda_i + kappa) at n = ``gaussian``;
    ``count`` the number of parameters, d_v + d_t or d_v d_t.
    """
    rows = []
    for case in config.cases:
        for head in config.heads:
            for level, most in config.levels:
                for d, *_ in config.draws:
                    point = _point(config, case, head, level, d)
                    kept = config.sizes(point["predicted"], most)
                    # At least one n has to lie beyond the level.
                    if kept and kept[-1] >= 1.09 * point["predicted"]:
                        rows.append(point)
    return pd.DataFrame(rows)


def _point(config: Config, case: Case, head: Head, level: float, d: int) -> dict[str, Any]:
    configurations = config.configurations(case, head, d)
    pairs = configurations[0].pairs
    values_v, values_t = np.diagonal(pairs.model().covariance_v), pairs.model().covariance_t
    values_t = np.diagonal(values_t)
    coefficients = [one.coefficients for one in configurations]
    if head == "additive":
        values = np.concatenate([values_v, values_t])
        power = np.mean([one.additive**2 for one in coefficients], axis=0)
    else:
        values = np.outer(values_v, values_t)
        power = np.mean([one.bilinear**2 for one in coefficients], axis=0)
    wanted = config.noise + level
    gaussian = _reaches(lambda n: float(optimal_ridge(values, power, n, config.noise).risk), wanted)
    ridge = float(optimal_ridge(values, power, gaussian, config.noise).ridge)
    predicted = gaussian
    if head == "bilinear":
        predicted = _reaches(
            lambda n: product_ridge_risk(values_v, values_t, power, n, ridge, config.noise),
            wanted,
            (0.7 * gaussian, 1.5 * gaussian),
        )
    kappa = effective_ridge(values, gaussian, ridge)
    return {
        "case": case.name,
        "head": head,
        "level": level,
        "d": d,
        "count": 2 * d if head == "additive" else d**2,
        "ridge": ridge,
        "effective_dimension": float(np.sum(values / (values + kappa))),
        "gaussian": gaussian,
        "predicted": predicted,
    }


def _reaches(
    risk: Callable[[float], float], wanted: float, between: tuple[float, float] = (2.0, 1e6)
) -> float:
    """Return the n at which a falling risk is ``wanted``."""
    low, high = np.log(between[0]), np.log(between[1])
    return float(np.exp(brentq(lambda x: risk(float(np.exp(x))) - wanted, low, high, xtol=1e-4)))
