"""Measured accuracy and risk, as records that a later run finds again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from experiments.surrogates.config import HEADS, STRENGTHS, WORLDS, Config
from experiments.surrogates.worlds import Worlds, worlds_of
from fusiontheory.heads import find_head
from fusiontheory.solvers import measure_curve
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["cells", "measure", "measure_world"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return a row per world, condition, head, n and seed; the prediction stays its own table."""
    del predicted
    worlds = worlds_of(config)
    wanted = cells(config, {name: world.features.fingerprint for name, world in worlds.items()})
    keys = ["world", "condition", "head", "n", "seed"]
    table = records.computed(wanted, partial(measure_world, conditions=worlds))
    return {"results.csv": table[[*keys, "accuracy", "risk"]].sort_values(keys)}


def cells(config: Config, fingerprints: Mapping[str, str]) -> list[Cell]:
    """Return a cell for each condition, seed and world.

    Args:
        config: of the study.
        fingerprints: of the features, by condition.
    """
    code = code_version(measure_world)
    shared = {name: getattr(config, name) for name in ("ridge", "test_pairs", "entropy")}
    return [
        Cell(
            "surrogates",
            {
                **shared,
                "world": world,
                "condition": condition,
                "seed": seed,
                "sizes": _possible(config, world),
            },
            features=fingerprints[condition],
            code=code,
        )
        for seed in range(max(config.seeds, config.real_seeds))
        for condition in STRENGTHS
        for world in WORLDS
        if seed < (config.real_seeds if world.startswith("real") else config.seeds)
    ]


def _possible(config: Config, world: str) -> tuple[int, ...]:
    most = config.most_real if world.startswith("real") else max(config.sizes)
    return tuple(n for n in config.sizes if n <= most)


def measure_world(cell: Cell, conditions: Mapping[str, Worlds]) -> list[dict[str, Any]]:
    """Return the rows of a cell: head, n, accuracy and risk, all heads on the same pairs."""
    settings = cell.config
    n = max(settings["sizes"])
    train, test = conditions[settings["condition"]].pairs(settings["world"], settings["seed"], n)
    return [
        {"head": head, "n": point.n, "accuracy": point.accuracy, "risk": point.risk}
        for head in HEADS
        for point in measure_curve(
            find_head(head), train, test, settings["sizes"], settings["ridge"]
        )
    ]
