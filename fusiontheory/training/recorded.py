"""Training that resumes: each finished group of members is a record, an unfinished one restarts."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import torch

from fusiontheory.constraints import checked
from fusiontheory.networks import NETWORKS, TOKEN_NETWORKS
from fusiontheory.parallel import scatter, scatter_over
from fusiontheory.store import Cell, RecordStore, code_version
from fusiontheory.training.groups import MemberGroup
from fusiontheory.training.placed import kind_of, rows_that_fit

__all__ = ["group_cell", "train_recorded"]


@checked
def group_cell(group: MemberGroup, study: str) -> Cell:
    """Return the cell of a group: all that its rows depend on, and the version of the code.

    Stacked and looped runs agree within rounding only, so that the method is a part of it.
    """
    network = (NETWORKS | TOKEN_NETWORKS)[group.architecture.head]
    described = [member.describe() for member in group.members]
    sources = sorted({member.dataset.source for member in group.members})
    return Cell(
        study,
        {
            "architecture": group.architecture.describe(),
            "settings": json.dumps(asdict(group.settings), sort_keys=True),
            "members": hashlib.sha256(json.dumps(described).encode()).hexdigest()[:20],
            "method": group.method,
            "device": kind_of(group.device),
        },
        features=",".join(sources),
        code=code_version(MemberGroup, network, registries=("fusiontheory.networks.registry",)),
    )


@checked
def train_recorded(
    groups: Iterable[MemberGroup],
    store: RecordStore,
    study: str,
    jobs: int = 1,
    devices: Sequence[str] = (),
) -> pd.DataFrame:
    """Train the groups whose records the store does not have, and return the rows of all.

    For a part of the work, as in shards, give a part of the groups: ``groups[i::shards]``.

    Args:
        groups: of any number of architectures.
        store: gets one record per group as soon as it is done.
        study: name of the records.
        jobs: processes, with one thread of linear algebra each; 1 trains in this process.
        devices: GPUs by their own names, each with a process of its own, in place of ``jobs``;
            a group that one has too little memory for is trained in halves, which is said once.

    Returns:
        The columns of `fusiontheory.training.train_members`, with those of the cells.

    Raises:
        InputError: as `MemberGroup.check` does, for every group before any is trained; if the
            store is not writable.
    """
    cells = {group_cell(group, study): group for group in groups}
    missing = store.missing(cells)
    for cell in missing:
        cells[cell].check()
    store.check_writable()
    work = [cells[cell] for cell in missing]
    said = False
    for group, rows, device in _trained(work, jobs, devices):
        told = environment(device)
        at_once = rows.attrs.get("at_once", len(group.members))
        if at_once < len(group.members):
            told["members_at_once"] = at_once
            if not said:
                warnings.warn(
                    "the device has too little memory for whole groups: they are trained in parts",
                    RuntimeWarning,
                    stacklevel=2,
                )
            said = True
        store.write(group_cell(group, study), rows, environment=told)
    return store.read(study, cells)


def _trained(
    work: Sequence[MemberGroup], jobs: int, devices: Sequence[str]
) -> Iterator[tuple[MemberGroup, pd.DataFrame, str]]:
    if devices:
        for group, rows in scatter_over(rows_that_fit, work, devices):
            yield group, rows, devices[0]
    else:
        for group, rows in scatter(MemberGroup.table, work, jobs):
            yield group, rows, group.device


def environment(device: str) -> dict[str, Any]:
    """Return what results depend on beside the code: versions, device and threads."""
    cuda = torch.device(device).type == "cuda"
    return {
        "torch": str(torch.__version__),
        "device": torch.cuda.get_device_name(device) if cuda else "cpu",
        "threads": torch.get_num_threads(),
    }
