"""Predicted accuracies of both heads, each at its own best ridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.shared_directions.config import HEADS, Config
from fusiontheory.curves import predict_curve
from fusiontheory.moments import on_shared_directions
from validation.moments import condition_moments

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict"]


def predict(config: Config, _: Records) -> Tables:
    """Return a row per condition, head and n."""
    parts = []
    for condition, features in config.conditions().items():
        moments = condition_moments(features, dict(config.strengths)[condition])
        images = features.rows("train").size
        for head in HEADS:
            curve = predict_curve(
                head, moments, config.sizes, "best", training_images=images, training_sets=1
            )
            curve.insert(0, "head", head)
            curve.insert(0, "condition", condition)
            aligned = head == "concat-mlp-aligned"
            kept = on_shared_directions(moments).dimensions if aligned else moments.dimensions
            parts.append(curve.assign(directions=kept[0]))
    return {"predictions.csv": pd.concat(parts, ignore_index=True)}
