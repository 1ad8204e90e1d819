"""What is predicted of each network, from the features of the images that may be known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from experiments.blind_networks.config import Config
from fusiontheory.curves import predict_curve
from fusiontheory.data import FeatureSet
from validation.conditions import condition_features, fitted_rows
from validation.moments import condition_moments
from validation.trained import PLACE, optimiser_predictions

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["conditions_of", "predict"]

_KEPT = ["encoder", "condition", "setting", "head", "n", "predicted", "by"]


def conditions_of(config: Config, encoder: str, root: Path) -> dict[str, FeatureSet]:
    """Return the features of each condition, with the contrastive heads that the networks have."""
    return condition_features(config.features(encoder), config.strengths, root / encoder / "heads")


def predict(config: Config, records: Records) -> Tables:
    """Return a row per encoder, condition, setting, head and n.

    Tuned: kernel ridge regression at the ridge of highest predicted accuracy. Fixed and published:
    Adam's metric, and at the published setting the lag of the intercept.
    """
    parts = []
    for encoder in config.encoders:
        conditions = conditions_of(config, encoder, records.root)
        told = [*_tuned(config, conditions), *_adam(config, conditions)]
        parts.append(pd.concat(told, ignore_index=True).assign(encoder=encoder))
    return {"predictions.csv": pd.concat(parts, ignore_index=True)[_KEPT]}


def _tuned(config: Config, conditions: dict[str, FeatureSet]) -> Iterator[pd.DataFrame]:
    for name, features in conditions.items():
        moments = condition_moments(features, config.strengths[name])
        images = features.rows("train").size
        for head in config.heads:
            curve = predict_curve(head, moments, config.tuned, "best", training_images=images)
            rows = pd.DataFrame({"n": list(config.tuned), "predicted": curve["accuracy"].tolist()})
            yield rows.assign(setting="tuned", condition=name, head=head, by="best ridge")


def _adam(config: Config, conditions: dict[str, FeatureSet]) -> Iterator[pd.DataFrame]:
    rows = {
        name: features.rows("train") if config.strengths[name] else fitted_rows(features)
        for name, features in conditions.items()
    }
    places = pd.DataFrame(
        [(name, h, n, 0.0, "both") for name in rows for h in config.heads for n in config.sizes],
        columns=PLACE,
    )
    images = next(iter(conditions.values())).rows("train").size
    for setting in ("fixed", "published"):
        training = config.study(setting).training
        told = optimiser_predictions(places, conditions, rows, training, images, setting)
        yield told[["condition", "head", "n", "predicted", "by"]].assign(setting=setting)
