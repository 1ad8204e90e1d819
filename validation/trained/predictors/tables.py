"""Every predictor on the measured cells, and the tables of what they say and of their errors."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from fusiontheory.data import FeatureSet
from fusiontheory.store import RecordStore
from validation.moments import condition_moments
from validation.trained.design import TrainedStudy, controlled_features
from validation.trained.predictors.errors import error_table, scored, with_directions
from validation.trained.predictors.orders import order_predictions
from validation.trained.predictors.power_law import power_law_predictions
from validation.trained.predictors.sharp import sharp_predictions
from validation.trained.predictors.table import PLACE
from validation.trained.predictors.tangent import fill_tangent, tangent_predictions

__all__ = ["predictor_tables"]


def predictor_tables(
    study: TrainedStudy,
    strengths: Mapping[str, FeatureSet],
    runs: pd.DataFrame,
    store: RecordStore,
    fill: bool = True,
    device: str = "cpu",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the predictions of the cells in ``runs``, and the errors of each predictor.

    Args:
        study: the conditions, the noise and the published setting are its own.
        strengths: features by condition without controls.
        runs: one row per run, with setting where there is more than "published".
        store: of the curves of the tangent kernel.
        fill: compute those that are not there; without, they are not predicted.
        device: of the kernels.

    Returns:
        Both with a column ``setting``: only the power law differs between settings. The tangent
        kernel's ridge is that of the published one.
    """
    if "setting" not in runs.columns:
        runs = runs.assign(setting="published")
    # What has no noise first, of which there is most to learn.
    places = runs[PLACE].drop_duplicates().sort_values(["sigma", "n"]).reset_index(drop=True)
    named = {name: _features(study, strengths, name) for name in places["condition"].unique()}
    told = (store, study.training, study.renormalise, study.entropy)
    if fill:
        fill_tangent(places, named, *told, device)
    # Of the images that measurements are tested on.
    shape = next(iter(named.values()))
    images, training = shape.rows("test").size, shape.rows("train").size
    moments = {
        name: condition_moments(features, study.conditions[name].strength)
        for name, features in named.items()
    }
    aligned = {
        name
        for name, condition in study.conditions.items()
        if condition.strength == 1 and not condition.control
    }
    dimensions = shape.image.shape[-1], shape.text.shape[-1]
    shared = [
        order_predictions(places, dimensions, aligned),
        sharp_predictions(places, moments, study.renormalise, images, training),
        tangent_predictions(places, named, *told, images),
    ]
    predicted, errors = [], []
    for setting, own in runs.groupby("setting", sort=False):
        here = own[PLACE].drop_duplicates()
        parts = [part.merge(here, on=PLACE) for part in shared] + [power_law_predictions(own)]
        table = with_directions(pd.concat(parts, ignore_index=True))
        table.insert(0, "setting", setting)
        predicted.append(table)
        wrong = error_table(scored(table.drop(columns="setting"), own))
        wrong.insert(0, "setting", setting)
        errors.append(wrong)
    return pd.concat(predicted, ignore_index=True), pd.concat(errors, ignore_index=True)


def _features(study: TrainedStudy, strengths: Mapping[str, FeatureSet], name: str) -> FeatureSet:
    control = study.conditions[name].control
    base = name.removesuffix(f"-{control}") if control else name
    return controlled_features(strengths[base], control, study.entropy)
