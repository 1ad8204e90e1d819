"""By how much sharing images is predicted to move accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.shared_images.config import POPULATIONS, RIDGE, Config, captioned
from fusiontheory.curves import predict_curve
from fusiontheory.moments import Moments

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict"]


def predict(config: Config, _: Records) -> Tables:
    """Return a row per case, differences of accuracies to independent pairs in points."""
    rows = []
    for case in config.cases:
        population = POPULATIONS[case.population]
        rng = np.random.default_rng(config.seed)
        moments = Moments.from_features(
            *captioned(population, config.images_for_moments, case.captions, rng)
        )
        row = dict(vars(case))
        for head in ("concat-mlp", "bilinear"):
            alone, shared = (
                predict_curve(head, moments, case.n, RIDGE, training_images=images)
                for images in (None, case.images)
            )
            row[f"{head} predicted"] = 100 * float(shared["accuracy"][0] - alone["accuracy"][0])
        rows.append(row)
    return {"predictions.csv": pd.DataFrame(rows)}
