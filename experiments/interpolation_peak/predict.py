"""Excess risk across n = p, predicted without ridge and with it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.interpolation_peak.config import Config, Head
from fusiontheory.checks import ValidityWarning
from fusiontheory.risk import least_squares_risk, product_ridge_risk, ridge_risk

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["curves", "predict", "predicted"]


def predict(config: Config, _: Records) -> Tables:
    """Return the predictions at the n that are run, and lines on a fine grid of n."""
    tables = [predicted(config, head, list(config.sizes(head))) for head, _ in config.draws]
    return {"predictions.csv": pd.concat(tables, ignore_index=True), "curves.csv": curves(config)}


def predicted(config: Config, head: Head, sizes: list[int]) -> pd.DataFrame:
    """Return a row per ridge and n with the excess risk that each formula predicts.

    ``exact`` is `least_squares_risk`, without ridge only and exact for Gaussian features;
    ``gaussian`` is `ridge_risk`; ``sharp`` is `product_ridge_risk`, of the bilinear head only.
    """
    d, p = config.d, config.features(head)
    values, power = np.full(p, config.trace(head) / p), np.full(p, 1 / p)
    tables = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)  # infinite at the peak, and so recorded
        for ratio in config.ridges:
            ridge = ratio * config.trace(head)
            nan = np.full(len(sizes), np.nan)
            exact = least_squares_risk(p, sizes, config.noise, 1.0) if ridge == 0 else nan
            sharp = nan
            if head == "bilinear":
                flat = np.full(d, 1 / d)
                sharp = product_ridge_risk(
                    flat, flat, power.reshape(d, d), sizes, ridge, config.noise
                )
                sharp = sharp - config.noise
            gaussian = ridge_risk(values, power, sizes, ridge, config.noise) - config.noise
            tables.append(
                pd.DataFrame(
                    {
                        "head": head,
                        "ridge_over_trace": ratio,
                        "n": sizes,
                        "exact": exact,
                        "gaussian": gaussian,
                        "sharp": sharp,
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def curves(config: Config) -> pd.DataFrame:
    """Return predictions on a fine grid of n, for the lines of the figure."""
    ratios = np.unique(np.concatenate([np.geomspace(0.25, 8, 61), np.linspace(0.85, 1.15, 31)]))
    tables = []
    for head, p in config.counts:
        sizes = sorted({round(ratio * p) for ratio in ratios} - {p})
        tables.append(predicted(config, head, sizes).assign(features=p))
    return pd.concat(tables, ignore_index=True)
