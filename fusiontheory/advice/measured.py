"""Curves of the heads of a labelled pilot, measured side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from time import thread_time
from typing import Any, TypeVar

import numpy as np
from joblib import cpu_count

from fusiontheory.advice.inputs import Pilot
from fusiontheory.heads import find_pilot_head
from fusiontheory.pilot import PilotCurve

__all__ = ["measured_curves", "side_by_side"]

T = TypeVar("T")
R = TypeVar("R")

# Heads measured at once, at most: each holds a few matrices of the pilot's size squared.
_AT_ONCE = 4


def measured_curves(pilot: Pilot, heads: list[str]) -> tuple[list[PilotCurve], dict[str, float]]:
    """Return a curve a head and the seconds of one processor that it took.

    Averages share their members.
    """
    members = {name: list(find_pilot_head(name).members) for name in heads}
    alone = list(dict.fromkeys(m for name in heads for m in members[name] or [name]))
    measured = side_by_side(lambda name: _timed(pilot, name), alone)
    found = dict(zip(alone, measured, strict=True))
    curves, seconds = [], {}
    for name in heads:
        if not members[name]:
            curve, seconds[name] = found[name]
        else:
            start = thread_time()
            curve = PilotCurve.average(tuple(found[m][0] for m in members[name]), name)
            spent = sum(found[m][1] for m in members[name])
            seconds[name] = thread_time() - start + spent
        curves.append(curve)
    return curves, seconds


def side_by_side(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return what a function makes of each item, in their order, a few at once.

    Give each one thread of linear algebra (`fusiontheory.threads.one_thread`).
    """
    errors: dict[str, Any] = {**np.geterr(), "call": np.geterrcall()}

    def as_here(item: T) -> R:
        # What NumPy does on an overflow is before 2.0 no part of the context.
        with np.errstate(**errors):
            return function(item)

    calls = [partial(copy_context().run, as_here, item) for item in items]
    with ThreadPoolExecutor(max(1, min(_AT_ONCE, cpu_count()))) as pool:
        return [done.result() for done in [pool.submit(call) for call in calls]]


def _timed(pilot: Pilot, name: str) -> tuple[PilotCurve, float]:
    start = thread_time()
    curve = PilotCurve.from_features(
        *(pilot.image, pilot.text, pilot.y, name), task=pilot.task, groups=pilot.groups
    )
    return curve, thread_time() - start
