"""Predicted accuracy and risk: one row per kind of prediction, condition, seed, head and n."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from experiments.surrogates.config import HEADS, STRENGTHS, Config
from experiments.surrogates.worlds import Worlds, at_unit_norm, worlds_of
from fusiontheory.curves import predict_curve
from fusiontheory.data import FeatureSet
from fusiontheory.matching import gaussian_matching_curve
from fusiontheory.moments import GaussianPairs, Moments
from validation.moments import condition_moments

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict", "predicted"]

_COLUMNS = ["prediction", "condition", "seed", "head", "n", "accuracy", "risk"]


def predict(config: Config, _: Records) -> Tables:
    """Return what the harness freezes."""
    return {"predictions.csv": predicted(config, worlds_of(config))}


def predicted(config: Config, worlds: Mapping[str, Worlds]) -> pd.DataFrame:
    """Return the predictions that the measurements are held against.

    Args:
        config: of the study.
        worlds: by condition.

    Returns:
        Columns ``prediction``, ``condition``, ``seed`` (of the drawn features; -1 for none),
        ``head``, ``n``, ``accuracy``, ``risk``. Predictions: ``real`` from moments of the shipped
        features, ``population`` from those of the Gaussian law, ``estimated`` and ``unit`` from
        those of drawn features as they are and at unit norm, ``sharp`` by
        `gaussian_matching_curve`.
    """
    return pd.DataFrame(_rows(config, worlds), columns=_COLUMNS)


def _rows(config: Config, worlds: Mapping[str, Worlds]) -> Iterator[dict[str, Any]]:
    for condition, strength in STRENGTHS.items():
        world = worlds[condition]
        moments = condition_moments(world.features, strength)
        yield from _curves(config, "real", condition, -1, moments)
        population = world.law.moments()
        yield from _curves(config, "population", condition, -1, population)
        yield from _sharp(config, condition, population)
        for seed in range(config.seeds):
            drawn = world.surrogate(seed)
            kinds: tuple[tuple[str, FeatureSet], ...]
            kinds = (("estimated", drawn), ("unit", at_unit_norm(drawn)))
            for kind, features in kinds:
                sample = condition_moments(features, strength)
                yield from _curves(config, kind, condition, seed, sample)


def _curves(
    config: Config, kind: str, condition: str, seed: int, moments: Moments
) -> Iterator[dict[str, Any]]:
    for head in HEADS:
        curve = predict_curve(head, moments, config.sizes, config.ridge)
        where = {"prediction": kind, "condition": condition, "seed": seed, "head": head}
        yield from ({**where, **row} for row in curve.to_dict("records"))


def _sharp(config: Config, condition: str, population: Moments) -> Iterator[dict[str, Any]]:
    law = population.pairs
    if not isinstance(law, GaussianPairs):
        raise TypeError(f"population moments must be of Gaussian pairs, got {type(law).__name__}")
    sizes = config.sharp_sizes
    curve = gaussian_matching_curve(law, sizes, config.ridge, samples=config.samples)
    where = {"prediction": "sharp", "condition": condition, "seed": -1, "head": "bilinear"}
    yield from ({**where, **row} for row in curve.astype({"n": int}).to_dict("records"))
