"""Test error of both heads, predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.correlated_risk.config import Config
from fusiontheory.risk import CorrelatedProducts, FusionSetting, ridge_risk

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict"]


def predict(config: Config, _: Records) -> Tables:
    """Return a row per point: head, target, rho, n and two predictions.

    ``gaussian`` is `ridge_risk` on the exact spectrum, ``predicted`` `CorrelatedProducts` for the
    bilinear head, whose features are not Gaussian, and the same as ``gaussian`` for the other.
    """
    rows = [
        (case.head, case.target, case.rho, n, gaussian, predicted)
        for case in config.cases
        for n, gaussian, predicted in zip(
            config.n, *_predicted(config.setting(case), config.n), strict=True
        )
    ]
    columns = ["head", "target", "rho", "n", "gaussian", "predicted"]
    return {"predictions.csv": pd.DataFrame(rows, columns=columns)}


def _predicted(setting: FusionSetting, n: tuple[int, ...]) -> tuple[list[float], list[float]]:
    gaussian = list(
        ridge_risk(
            setting.eigenvalues, setting.target_power, n, setting.ridge, setting.effective_noise
        )
    )
    if setting.head == "additive":
        return gaussian, gaussian
    products = CorrelatedProducts(setting.eigenvalues_v, setting.eigenvalues_t, setting.correlation)
    predicted = products.mean_risk(
        setting.bilinear_power, n, setting.ridge, setting.noise, setting.additive_power
    )
    return gaussian, list(predicted)
