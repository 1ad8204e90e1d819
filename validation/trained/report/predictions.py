"""What the sharp theory predicts of the runs, one row per cell, as claims are judged beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from fusiontheory.data import FeatureSet
from validation.moments import condition_moments
from validation.trained.design import TrainedCell, TrainedStudy
from validation.trained.predictors import AT_CHANCE, PLACE, RIDGE, sharp_predictions

__all__ = ["AT_CHANCE", "RIDGE", "predictions"]


def predictions(
    study: TrainedStudy, conditions: Mapping[str, FeatureSet], cells: Iterable[TrainedCell]
) -> pd.DataFrame:
    """Return the accuracy that the sharp theory predicts of each cell; those it has none of lack.

    Returns:
        Columns ``condition``, ``head``, ``n``, ``sigma``, ``side``, ``predicted`` (a fraction) and
        ``by``: "kernel theory, ridge 0.1" or "reads one modality".
    """
    places = pd.DataFrame(
        [(c.condition, c.head, c.n, c.noise.sigma, c.noise.side) for c in cells], columns=PLACE
    ).drop_duplicates()
    moments = {
        name: condition_moments(conditions[name], study.conditions[name].strength)
        for name in places["condition"].unique()
    }
    images = next(iter(conditions.values())).rows("train").size
    told = sharp_predictions(places, moments, study.renormalise, training_images=images)
    known = told[told["predicted"].notna()]
    return known[[*PLACE, "predicted", "by"]].reset_index(drop=True)
