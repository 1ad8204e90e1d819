"""Predicted accuracies: one row per part, condition, side, level and n."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.noise_degradation.config import CONDITION_OF, HEADS, Config, condition_name
from fusiontheory.curves import degradation_curve, predict_curve
from fusiontheory.data import FeatureSet
from fusiontheory.moments import Moments
from validation.moments import condition_moments

__all__ = ["predict"]

_KEYS = ["part", "condition", "side", "level", "n"]


def predict(config: Config, conditions: Mapping[str, FeatureSet]) -> pd.DataFrame:
    """Return the accuracies that follow from moments of features without noise.

    Args:
        config: of the study.
        conditions: features by `condition_name`.

    Returns:
        Columns ``part`` (noise, strength, correlation), ``condition``, ``side``, ``level`` (sigma,
        strength or rho), ``n``, an accuracy per head, ``gap``, and ``gap_direction``, the sign of
        d(gap)/d(sigma), empty but for the noise.
    """
    rows = [*_features(config, conditions), *_gaussian(config)]
    table = pd.DataFrame(rows)
    table["gap"] = table[HEADS[0]] - table[HEADS[1]]
    table["gap_direction"] = table["gap_direction"].astype("Int64")
    return table[[*_KEYS, *HEADS, "gap", "gap_direction"]]


def _features(config: Config, conditions: Mapping[str, FeatureSet]) -> Iterator[dict[str, Any]]:
    sizes = [*config.sizes, config.large]
    for strength in config.strengths:
        name = condition_name(strength)
        moments = condition_moments(conditions[name], strength)
        where = {"condition": name, "side": "none", "level": strength}
        yield from _rows({"part": "strength", **where}, moments, sizes, config.ridge)
        if strength not in CONDITION_OF:
            continue
        for side in config.sides:
            yield from _noise(config, name, side, moments, sizes)


def _noise(
    config: Config, condition: str, side: str, moments: Moments, sizes: list[int]
) -> Iterator[dict[str, Any]]:
    def curve(first: str) -> pd.DataFrame:
        heads = (first, HEADS[1])
        return degradation_curve(moments, heads, sizes, config.ridge, config.sigmas, side)

    gap, dot = curve(HEADS[0]), curve(HEADS[2])
    for row, other in zip(gap.to_dict("records"), dot.to_dict("records"), strict=True):
        yield {
            "part": "noise",
            "condition": condition,
            "side": side,
            "level": row["sigma"],
            "n": int(row["n"]),
            HEADS[0]: row["first"],
            HEADS[1]: row["second"],
            HEADS[2]: other["first"],
            "gap_direction": row["gap_direction"],
        }


def _gaussian(config: Config) -> Iterator[dict[str, Any]]:
    for rho in config.correlations:
        law = config.gaussian_pairs(rho)
        moments = Moments.from_second_moments(np.diag(law.image), np.diag(law.text), law.cross)
        where = {"condition": "gaussian", "side": "none", "level": rho}
        sizes = list(config.gaussian_sizes)
        yield from _rows({"part": "correlation", **where}, moments, sizes, config.ridge)


def _rows(
    where: dict[str, Any], moments: Moments, sizes: list[int], ridge: float
) -> Iterator[dict[str, Any]]:
    curves = {h: predict_curve(h, moments, sizes, ridge)["accuracy"].to_numpy() for h in HEADS}
    for index, n in enumerate(sizes):
        accuracies = {head: float(curve[index]) for head, curve in curves.items()}
        yield {**where, "n": n, **accuracies, "gap_direction": None}
