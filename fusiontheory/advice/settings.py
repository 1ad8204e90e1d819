"""What was asked, checked before any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fusiontheory.checks import InputError, non_negative, positive_integer
from fusiontheory.solvers import devices

__all__ = ["LEVEL", "Settings", "checked_settings"]

LEVEL = 0.9
"""Of all intervals."""

_FEWEST = 20


@dataclass(frozen=True)
class Settings:
    """What was asked.

    Attributes:
        target_n: None for the default.
        target_accuracy: of the metric; None for what the recommended head reaches.
        heads: None for all that the dimensions allow.
        tolerance: difference in the metric that does not matter.
        verify: hold items out and measure.
        seed: of whatever is drawn.
        device: that held-out items are measured on; None: NumPy.
    """

    target_n: int | None
    target_accuracy: float | None
    heads: tuple[str, ...] | None
    tolerance: float
    verify: bool
    seed: int
    device: str | None = None


def checked_settings(
    target_n: Any,
    target_accuracy: Any,
    heads: Sequence[str] | None,
    tolerance: Any,
    verify: bool,
    seed: Any,
    device: str | None = None,
) -> Settings:
    """Return the settings.

    Raises:
        InputError: for a target below 20, an accuracy outside (0, 1), a negative tolerance or seed,
            fewer than 2 heads, or a device that is not there or has nothing to measure.

    Example:
        >>> checked_settings(None, 90, None, 0.005, False, 0)
        Traceback (most recent call last):
        fusiontheory.checks.InputError: target_accuracy must be between 0 and 1 (0.9 for 90 %), \
got 90
    """
    size = None if target_n is None else positive_integer("target_n", target_n, _FEWEST)
    goal = None
    if target_accuracy is not None:
        goal = non_negative("target_accuracy", target_accuracy)
        if not 0 < goal < 1:
            raise InputError(
                f"target_accuracy must be between 0 and 1 (0.9 for 90 %), got {target_accuracy!r}"
            )
    chosen = None
    if heads is not None:
        chosen = tuple(dict.fromkeys([heads] if isinstance(heads, str) else heads))
        if len(chosen) < 2:
            raise InputError(f"heads must be at least 2 to choose from, got {len(chosen)}")
    return Settings(
        size,
        goal,
        chosen,
        non_negative("tolerance", tolerance),
        bool(verify),
        positive_integer("seed", seed, 0),
        None if device is None else _checked_device(device, bool(verify)),
    )


def _checked_device(device: str, verify: bool) -> str:
    if not verify:
        raise InputError(
            f"device must be given with verify, which alone measures, got {device!r} without"
        )
    return devices(device)[0]
