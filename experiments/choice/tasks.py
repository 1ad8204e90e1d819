"""Tasks of the study by name: what a pilot, a pool and test items are drawn from."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from experiments.choice.config import Config
from experiments.choice.sets import Source, digit_pairs, other_sets
from experiments.choice.worlds import fresh_worlds
from fusiontheory.checks import InputError

__all__ = ["source", "task_names"]

_FOLDER = "FUSIONTHEORY_SHARED"


@cache
def _sets() -> dict[str, tuple[str, Source]]:
    """Return family and source of each labelled set.

    Raises:
        InputError: if the folder is not there.
    """
    folder = Path(os.environ.get(_FOLDER, "")) / "data" / "labelled"
    if _FOLDER not in os.environ or not folder.is_dir():
        raise InputError(f"{_FOLDER} must name a folder with data/labelled; it names none")
    found = {f"digits-{name}": ("digits", s) for name, s in digit_pairs(folder)}
    for name, s in other_sets(folder):
        found[name] = (name.split("-")[0].replace("planted", "planted on digits"), s)
    return found


def task_names(config: Config) -> dict[str, str]:
    """Return the family of each task, by the task's name."""
    worlds = {f"world{k:04d}": w.family for k, w in enumerate(fresh_worlds(config.worlds))}
    sets = {name: family for name, (family, _) in _sets().items()} if config.sets else {}
    return {**worlds, **sets}


def source(config: Config, task: str) -> Source:
    """Return what draws pilots, the pool and the test items of a task."""
    if not task.startswith("world"):
        return _sets()[task][1]
    number = int(task.removeprefix("world"))
    draw = fresh_worlds(number + 1)[number].sampler()
    return Source(draw, draw(config.pool, 1), draw(config.test, 0))
