"""Where logits and bias are predicted to be, from the features of images that may be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.logit_growth.config import Config
from validation.conditions import condition_features, fitted_rows
from validation.trained import adam_moments, logit_growth

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict"]

_POWER = 0.5  # of the bilinear head


def predict(config: Config, records: Records) -> Tables:
    """Return a row per source, condition, n and number of epochs."""
    rows = []
    strengths = config.others.strengths
    for source in config.sources:
        conditions = condition_features(
            config.features(source), strengths, records.root / source / "heads"
        )
        for condition, features in conditions.items():
            known = features.rows("train") if strengths[condition] else fitted_rows(features)
            moments = adam_moments(features, known, _POWER)
            images = features.rows("train").size
            for n in config.sizes:
                for epochs in config.epochs:
                    path = logit_growth(moments, n, config.training(epochs), images)
                    last = (path.distance[-1], path.bias[-1], path.accuracy[-1])
                    rows.append((source, condition, n, epochs, *map(float, last)))
    names = ["source", "condition", "n", "epochs", "distance", "bias", "accuracy"]
    return {"predictions.csv": pd.DataFrame(rows, columns=names)}
