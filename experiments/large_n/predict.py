"""Predicted accuracies of concat-mlp on the shipped features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.large_n.config import Config
from fusiontheory.curves import predict_curve
from validation.moments import condition_moments

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict"]


def predict(config: Config, _: Records) -> Tables:
    """Return a row per condition and n."""
    parts = []
    for condition, features in config.conditions().items():
        moments = condition_moments(features, dict(config.strengths)[condition])
        curve = predict_curve(
            *("concat-mlp", moments, config.sizes, config.ridge),
            training_images=features.rows("train").size,
        )
        curve.insert(0, "condition", condition)
        parts.append(curve.drop(columns="trusted"))
    return {"predictions.csv": pd.concat(parts, ignore_index=True)}
