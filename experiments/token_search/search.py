"""A search that goes on until its choice has a neighbour on both sides in every setting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from experiments.token_search.config import BASE, Config, Run

__all__ = ["SETTINGS", "climb"]

SETTINGS = ("rate", "decay", "scale")


def climb(config: Config, tried: Callable[[Run], float]) -> tuple[Run, dict[Run, float]]:
    """Return the run of highest dev accuracy and all that were tried, with theirs.

    From `BASE` one setting after the other moves to the best of its neighbours, until none moves
    any more: then the neighbours of the choice in each setting have been tried, and are not better.

    Args:
        config: ladders of the settings.
        tried: dev accuracy of a run.

    Raises:
        RuntimeError: if the choice stands at an end of a ladder.

    Example:
        >>> best, seen = climb(Config(), lambda run: -abs(run.rate - 0.1) - abs(run.scale - 0.5))
        >>> best.rate, best.scale, len(seen)
        (0.1, 0.5, 14)
    """
    seen: dict[Run, float] = {}

    def value(run: Run) -> float:
        if run not in seen:
            seen[run] = tried(run)
        return seen[run]

    best, since = BASE, 0
    while since < len(SETTINGS):
        for name in SETTINGS:
            found = _best_along(config, best, name, value)
            since = 1 if found != best else since + 1
            best = found
            if since == len(SETTINGS):
                break
    return best, seen


def _best_along(config: Config, start: Run, name: str, value: Callable[[Run], float]) -> Run:
    ladder: Any = config.ladder(name)
    best, moved = start, True
    while moved:
        place = ladder.index(getattr(best, name))
        if place in (0, len(ladder) - 1):
            raise RuntimeError(f"{name} must have more values, {getattr(best, name)} is the last")
        around = [replace(best, **{name: ladder[place + by]}) for by in (0, -1, 1)]
        found = max(around, key=value)
        best, moved = found, found != best
    return best
