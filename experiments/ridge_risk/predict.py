"""Test error of both heads, predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.ridge_risk.config import FORMULAS, Config
from fusiontheory.risk import FusionSetting, product_ridge_risk, ridge_risk

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict"]


def predict(config: Config, _: Records) -> Tables:
    """Return a row per point: head, target, n and two predictions.

    ``predicted`` is `ridge_risk`; ``predicted_product`` is `product_ridge_risk`, of the bilinear
    head only. Rows of the control come last: the bilinear head on its own target, features made
    Gaussian.
    """
    rows = []
    for case in config.cases:
        setting = config.setting(case)
        formulas = _gaussian(setting, config.n), _product(setting, config.n)
        rows += [
            (case.head, case.target, n, *values)
            for n, *values in zip(config.n, *formulas, strict=True)
        ]
    return {"predictions.csv": pd.DataFrame(rows, columns=["head", "target", "n", *FORMULAS])}


def _gaussian(setting: FusionSetting, n: tuple[int, ...]) -> list[float]:
    risk = ridge_risk(
        setting.eigenvalues, setting.target_power, n, setting.ridge, setting.effective_noise
    )
    return list(risk)


def _product(setting: FusionSetting, n: tuple[int, ...]) -> list[float]:
    if setting.head != "bilinear":
        return [float("nan")] * len(n)
    risk = product_ridge_risk(
        setting.eigenvalues_v,
        setting.eigenvalues_t,
        setting.bilinear_power,
        n,
        setting.ridge,
        setting.noise,
        additive_power=setting.additive_power,
    )
    return list(risk)
