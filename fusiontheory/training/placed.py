"""Groups for a device, which need not be there to name their records, and what fits its memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import torch

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.training.groups import MemberGroup, member_groups
from fusiontheory.training.members import Architecture, Member
from fusiontheory.training.method import chosen_method, group_size
from fusiontheory.training.settings import TrainingSettings

__all__ = ["kind_of", "placed_groups", "rows_that_fit"]


@checked
def kind_of(device: str) -> str:
    """Return what records say of a device: its kind, as the GPUs of a machine share the work.

    >>> kind_of("cuda:1"), kind_of("cpu")
    ('cuda', 'cpu')
    """
    return device.partition(":")[0]


@checked
def placed_groups(
    architecture: Architecture, members: Sequence[Member], settings: TrainingSettings, kind: str
) -> list[MemberGroup]:
    """Return groups as `fusiontheory.training.member_groups` does, for a kind of device.

    The device need not be there: the records of a GPU are found on a machine without one.

    Args:
        architecture: of all members.
        members: to train.
        settings: of the training.
        kind: "cpu" or "cuda".

    Raises:
        InputError: as `member_groups` does, but for the device.
    """
    plain = member_groups(architecture, members, settings)
    if kind == "cpu":
        return plain
    ordered = [member for group in plain for member in group.members]
    place, count = torch.device(kind), plain[0].parameters
    method = chosen_method("auto", len(members), count, settings.batch_size, place)
    size = group_size(method, count, place)
    return [
        MemberGroup(architecture, tuple(ordered[k : k + size]), settings, method, kind)
        for k in range(0, len(ordered), size)
    ]


@checked
def rows_that_fit(group: MemberGroup, device: str) -> pd.DataFrame:
    """Return the rows of a group trained on a device, in halves where its memory is too small.

    ``attrs["at_once"]`` is the number of members that were trained together.

    Args:
        group: to train.
        device: by its own name, such as "cuda:1".

    Raises:
        InputError: if there is too little memory for one member.
    """
    try:
        rows = replace(group, device=device).table()
        rows.attrs["at_once"] = len(group.members)
        return rows
    except torch.cuda.OutOfMemoryError as error:
        half = math.ceil(len(group.members) / 2)
        if len(group.members) == 1:
            raise InputError(
                f"device must have the memory for one {group.architecture.head} network of"
                f" {group.parameters} parameters, got too little on {device}"
            ) from error
    # Outside of the handler, whose traceback holds on to the tensors.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    parts = [
        rows_that_fit(replace(group, members=members), device)
        for members in (group.members[:half], group.members[half:])
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows.attrs["at_once"] = min(part.attrs["at_once"] for part in parts)
    return rows
