"""Tasks of the study by name: labelled worlds with classes."""

from __future__ import annotations

from experiments.choice import Source, fresh_worlds
from experiments.pilot_accuracy.config import Config

__all__ = ["families", "source"]


def families(config: Config) -> dict[str, str]:
    """Return the family of each task, by the task's name."""
    worlds = fresh_worlds(config.worlds, config.first)
    return {f"world{world.seed}": world.family for world in worlds if world.classes}


def source(config: Config, task: str) -> Source:
    """Return what draws pilots, the pool and the test items of a task."""
    count = int(task.removeprefix("world")) - config.first + 1
    draw = fresh_worlds(count, config.first)[-1].sampler()
    return Source(draw, draw(config.pool, 1), draw(config.test, 0))
