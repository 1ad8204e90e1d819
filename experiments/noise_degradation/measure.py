"""Measured accuracies, as records that a later run finds again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.noise_degradation.config import CONDITION_OF, HEADS, Config, condition_name
from fusiontheory.curves import SIDES
from fusiontheory.data import FeatureSet
from fusiontheory.heads import find_head
from fusiontheory.monte_carlo import draw_matching
from fusiontheory.solvers import measure_curve
from fusiontheory.store import Cell, code_version
from fusiontheory.typing import Single
from validation.kernel import fingerprints, measure_cell

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["Point", "cells", "measure", "measure_point"]

_NOISE = 2  # spawn key of a seed; 0 and 1 are its pairs


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return a row per point, n and seed; the prediction stays a table of its own."""
    del predicted
    conditions = config.conditions()
    wanted = cells(config, fingerprints(conditions))
    compute = partial(measure_point, config=config, conditions=conditions)
    keys = ["part", "condition", "side", "level", "n", "seed"]
    table = records.computed(wanted, compute)[[*keys, *HEADS]]
    return {"results.csv": table.sort_values(keys)}


@dataclass(frozen=True)
class Point:
    """Where something is measured.

    Attributes:
        part: noise, strength or correlation.
        condition: name of the features.
        side: whose features have noise; none without.
        level: sigma, strength or rho.
        sizes: numbers of training pairs.
    """

    part: str
    condition: str
    side: str
    level: float
    sizes: tuple[int, ...]


def points(config: Config) -> list[Point]:
    """Return all points of the study; sigma = 0 is the strength's own point."""
    all_points = []
    for strength in config.strengths:
        more = (config.large,) if strength == 1 else ()
        name = condition_name(strength)
        all_points.append(Point("strength", name, "none", strength, (*config.sizes, *more)))
    all_points += [
        Point("noise", condition, side, sigma, _noise_sizes(config, condition, side, sigma))
        for side in config.sides
        for condition in CONDITION_OF.values()
        for sigma in config.sigmas
        if sigma > 0
    ]
    all_points += [
        Point("correlation", "gaussian", "none", rho, config.gaussian_sizes)
        for rho in config.correlations
    ]
    return all_points


def _noise_sizes(config: Config, condition: str, side: str, sigma: float) -> tuple[int, ...]:
    if side != "both":
        return config.sizes[:1]
    large = condition == "aligned" and sigma in config.large_sigmas
    return (*config.sizes, config.large) if large else config.sizes


def cells(config: Config, fingerprints: Mapping[str, str]) -> list[Cell]:
    """Return a cell for each seed and point; noise on one side comes last.

    Args:
        config: of the study.
        fingerprints: of the features, by condition.
    """
    code = code_version(measure_point)
    result = []
    for seed in range(max(config.seeds, config.gaussian_seeds)):
        for point in points(config):
            gaussian = point.part == "correlation"
            if seed >= _seeds(config, point):
                continue
            settings = {**vars(point), "seed": seed, **_settings(config, gaussian)}
            features = "gaussian" if gaussian else fingerprints[point.condition]
            result.append(Cell("noise_degradation", settings, features=features, code=code))
    return sorted(result, key=lambda cell: cell.config["side"] in ("image", "text"))


def _seeds(config: Config, point: Point) -> int:
    if point.part == "correlation":
        return config.gaussian_seeds
    return config.side_seeds if point.side in ("image", "text") else config.seeds


def _settings(config: Config, gaussian: bool) -> dict[str, Any]:
    shared = {"ridge": config.ridge, "entropy": config.entropy}
    if not gaussian:
        return {**shared, "test_pairs": config.test_pairs}
    own = {"dimension": config.dimension, "exponent": config.exponent}
    return {**shared, **own, "test_pairs": config.gaussian_test_pairs}


def measure_point(
    cell: Cell, config: Config, conditions: Mapping[str, FeatureSet]
) -> list[dict[str, Any]]:
    """Return the rows of a cell: n and an accuracy per head, all on the same pairs."""
    accuracies = (
        _on_gaussian_pairs(cell, config)
        if cell.config["part"] == "correlation"
        else _on_features(cell, conditions[cell.config["condition"]])
    )
    return [
        {"n": n, **{head: accuracies[head][index] for head in HEADS}}
        for index, n in enumerate(cell.config["sizes"])
    ]


def _on_features(cell: Cell, features: FeatureSet) -> dict[str, list[float]]:
    image, text = features.image, features.text
    if cell.config["part"] == "noise":
        image, text = noisy(cell, features)
    rows = features.rows("train"), features.rows("test")
    accuracies = {}
    for head in HEADS:
        one = Cell(cell.study, {**cell.config, "head": head}, cell.features, cell.code)
        accuracies[head] = [row["accuracy"] for row in measure_cell(one, image, text, *rows)]
    return accuracies


def noisy(cell: Cell, features: FeatureSet) -> tuple[Single, Single]:
    """Return the features with noise; a seed's noise is the same at every sigma and side."""
    seed = np.random.SeedSequence(cell.config["entropy"], spawn_key=(cell.config["seed"], _NOISE))
    rng = np.random.default_rng(seed)
    weights = SIDES[cell.config["side"]]
    image, text = (
        # Drawn even where it has no weight, so that the sides share it.
        x + np.float32(weight * cell.config["level"]) * rng.standard_normal(x.shape, np.float32)
        for x, weight in zip((features.image, features.text), weights, strict=True)
    )
    return image, text


def _on_gaussian_pairs(cell: Cell, config: Config) -> dict[str, list[float]]:
    seed = np.random.SeedSequence(config.entropy, spawn_key=(cell.config["seed"],))
    rng = np.random.default_rng(seed)
    law, sizes = config.gaussian_pairs(cell.config["level"]), cell.config["sizes"]
    train = draw_matching(law, max(sizes), rng)
    test = draw_matching(law, cell.config["test_pairs"], rng)
    return {
        head: [m.accuracy for m in measure_curve(find_head(head), train, test, sizes, config.ridge)]
        for head in HEADS
    }
