"""The predicted gaps and their changes; nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.degradation.config import Config
from experiments.degradation.gaps import PLACE, gaps
from fusiontheory.curves import predict_curve
from fusiontheory.moments import Moments
from fusiontheory.simulate import Prediction, predict_head
from fusiontheory.synthetic import FeatureLaw, SyntheticConfig

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict", "predicted"]


def predict(config: Config, _: Records) -> Tables:
    """Return what the harness freezes."""
    return {"predictions.csv": predicted(config)}


def predicted(config: Config) -> pd.DataFrame:
    """Return the predicted gaps and their changes from level 0; nothing is run."""
    frames = []
    for target, _ in config.targets:
        for kind, level in config.cases:
            settings = config.settings(target, "noise" if kind == "none" else kind, level)
            for head in config.heads(target):
                table = _predicted(settings, head, config)
                frame = pd.DataFrame({"n": config.n, "risk": table.test})
                frame["accuracy"] = table.accuracy
                if target == "matching" and head == "additive":
                    frame["accuracy"] = 0.5
                frames.append(
                    frame.assign(target=target, degradation=kind, level=level, head=head, seed=0)
                )
    each = gaps(config, pd.concat(frames))
    return each[[*PLACE, "first", "second", "gap", "change", "accuracy_change"]]


def _predicted(settings: SyntheticConfig, head: str, config: Config) -> Prediction:
    if settings.mismatched and settings.degradation.shuffle_t > 0 and head != "additive":
        return _shuffled_matching(settings, head, config)
    return predict_head(settings, head, list(config.n), config.ridge)


def _shuffled_matching(settings: SyntheticConfig, head: str, config: Config) -> Prediction:
    """Return `predict_curve` with C times the share of rows that keep their t.

    That is the cross-covariance of rows labelled as matched. Their other moments are those of a
    mixture and are taken as Gaussian.
    """
    law = FeatureLaw.of(settings.model)
    moments = Moments.from_second_moments(
        law.second_moment_v, law.second_moment_t, law.matched * law.matched_cross
    )
    curve = predict_curve(head, moments, config.n, config.ridge)
    risk, accuracy = (curve[name].to_numpy(dtype=np.float64) for name in ("risk", "accuracy"))
    return Prediction(risk, np.full(risk.size, np.nan), accuracy, "predict_curve")
