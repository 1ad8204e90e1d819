"""Where to train, and whether stacked or member by member."""

from __future__ import annotations

import torch

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked

__all__ = ["METHODS", "checked_device", "chosen_method", "group_size"]

METHODS = ("stacked", "looped")

# Multiplications of one member's update on a CPU above which stacking gains nothing: its time
# is then that of the matrix products (tests/benchmarks/bench_training.py).
_STACKED_PRODUCTS = 3e7
# Members in one stack: beyond, a CPU gains nothing and an interruption costs more.
_CPU_GROUP = 16
# A GPU holds weights, gradients, best weights and two moments of each member.
_GPU_GROUP_PARAMETERS = 10**9


def checked_device(device: str | torch.device) -> torch.device:
    """Return the device.

    Raises:
        InputError: if it is unknown or not there.

    Example:
        >>> checked_device("cpu")
        device(type='cpu')
    """
    there = ["cpu"] + [f"cuda:{k}" for k in range(torch.cuda.device_count())]
    try:
        place = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise InputError(f"device must be one of {', '.join(there)}, got {device!r}") from error
    name = place.type if place.index is None else str(place)
    if name not in {*there, *(entry.partition(":")[0] for entry in there)}:
        raise InputError(f"device must be one of {', '.join(there)}, got {str(device)!r}")
    return place


@checked
def chosen_method(
    method: str, members: int, parameters: int, batch_size: int, device: torch.device
) -> str:
    """Return "stacked" or "looped"; of "auto" the one expected to be faster.

    Args:
        method: "auto", "stacked" or "looped".
        members: number of members to train.
        parameters: of one network.
        batch_size: pairs of one update.
        device: where.

    Raises:
        InputError: for another method.

    Example:
        >>> chosen_method("auto", 10, 295_554, 256, torch.device("cpu"))
        'looped'
    """
    if method != "auto":
        if method not in METHODS:
            raise InputError(f"method must be auto, {' or '.join(METHODS)}, got {method!r}")
        return method
    small = parameters * batch_size <= _STACKED_PRODUCTS
    return "stacked" if members > 1 and (small or device.type != "cpu") else "looped"


def group_size(method: str, parameters: int, device: torch.device) -> int:
    """Return how many members are trained together, and recorded together."""
    if method == "looped":
        return 1
    if device.type == "cpu":
        return _CPU_GROUP
    return max(_GPU_GROUP_PARAMETERS // parameters, 1)
