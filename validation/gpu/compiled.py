"""(d) Whether a compiled update pays: measured, with the rule that says so.

A group of n pairs takes a known number of updates U. With s seconds a stacked update, c a compiled
one and C for the first compiled one, compilation pays if C + U c < U s, that is if the updates at
which it breaks even, C / (s - c), are fewer than U. A member that leaves its group makes it compile
again, which this leaves out: what does not pay by this rule does not pay.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch

from fusiontheory.training import (
    Architecture,
    Batches,
    CompiledNetworks,
    FeatureBank,
    Member,
    StackedNetworks,
    TrainingSettings,
)
from validation.gpu.agreement import made_up_dataset
from validation.gpu.rates import seconds_of

__all__ = ["break_even", "compiled_rates"]

_BATCH = 256
_PAIRS = 16384
_CLOSE = 1e-2


def break_even(stacked: float, compiled: float, first: float) -> float | None:
    """Return the updates after which compilation has paid; None if it never does.

    Args:
        stacked: seconds of an update that is not compiled.
        compiled: of one that is.
        first: of the first one, which compiles.

    >>> break_even(3.0, 1.0, 10.0), break_even(1.0, 2.0, 10.0)
    (5.0, None)
    """
    return first / (stacked - compiled) if compiled < stacked else None


def compiled_rates(
    device: str, heads: Sequence[str], members: int, d: int, updates: int
) -> dict[str, dict[str, Any] | str]:
    """Return seconds of stacked and compiled updates and whether compilation pays, by head.

    Args:
        device: by its own name.
        heads: networks with their own defaults.
        members: that are stacked.
        d: dimension of each side.
        updates: that are timed.

    Returns:
        ``stacked``, ``compiled`` and ``first`` in seconds, ``difference`` (the largest of a loss
        after these updates), ``break_even`` and ``pays``; or a sentence where it does not compile.
    """
    rates: dict[str, dict[str, Any] | str] = {}
    for head in heads:
        try:
            rates[head] = _rates(device, head, members, d, updates)
        except Exception as error:  # compilers end in errors of every kind
            said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            rates[head] = f"not measured: {said}"
    return rates


def _rates(device: str, head: str, members: int, d: int, updates: int) -> dict[str, Any]:
    place = torch.device(device)
    data = made_up_dataset(2 * _BATCH, d)
    settings = TrainingSettings(batch_size=_BATCH, dtype="bfloat16")
    everyone = [Member(data, seed) for seed in range(members)]
    bank = FeatureBank([data], place)
    batch = Batches(bank, everyone, _BATCH).at(0)
    several = [1e-3] * members, [0.0] * members, list(range(members))
    groups = [
        kind(
            [Architecture(head).build(d, d, member.seed) for member in everyone],
            *several,
            settings,
            place,
        )
        for kind in (StackedNetworks, CompiledNetworks)
    ]

    def work(group: StackedNetworks, count: int) -> float:
        for _ in range(count):
            losses = group.update(batch)
        return float(losses.sum())

    start = time.perf_counter()
    work(groups[1], 1)
    first = time.perf_counter() - start
    work(groups[0], 1)
    seconds = [seconds_of(partial(work, group, updates), device) / updates for group in groups]
    losses = [group.update(batch) for group in groups]
    apart = float((losses[0] - losses[1]).abs().max())
    even = break_even(seconds[0], seconds[1], first)
    wanted = settings.updates_of(_PAIRS)
    return {
        "stacked": seconds[0],
        "compiled": seconds[1],
        "first": first,
        "difference": apart,
        "break_even": even,
        "pays": even is not None and even < wanted and apart < _CLOSE,
    }
