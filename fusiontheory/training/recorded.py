"""Training that resumes: each finished group of members is a record, an unfinished one restarts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import pandas as pd
import torch

from fusiontheory.networks import NETWORKS
from fusiontheory.parallel import scatter
from fusiontheory.store import Cell, RecordStore, code_version
from fusiontheory.training.groups import MemberGroup

__all__ = ["group_cell", "train_recorded"]


def group_cell(group: MemberGroup, study: str) -> Cell:
    """Return the cell of a group: all that its rows depend on, and the version of the code.

    Stacked and looped runs agree within rounding only, so that the method is a part of it.
    """
    network = NETWORKS[group.architecture.head]
    described = [member.describe() for member in group.members]
    sources = sorted({member.dataset.source for member in group.members})
    return Cell(
        study,
        {
            "architecture": group.architecture.describe(),
            "settings": json.dumps(asdict(group.settings), sort_keys=True),
            "members": hashlib.sha256(json.dumps(described).encode()).hexdigest()[:20],
            "method": group.method,
            "device": group.device,
        },
        features=",".join(sources),
        code=code_version(MemberGroup, network, registries=("fusiontheory.networks.registry",)),
    )


def train_recorded(
    groups: Iterable[MemberGroup], store: RecordStore, study: str, jobs: int = 1
) -> pd.DataFrame:
    """Train the groups whose records the store does not have, and return the rows of all.

    For a part of the work, as in shards, give a part of the groups: ``groups[i::shards]``.

    Args:
        groups: of any number of architectures.
        store: gets one record per group as soon as it is done.
        study: name of the records.
        jobs: processes, with one thread of linear algebra each; 1 trains in this process.

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
    for group, rows in scatter(MemberGroup.rows, work, jobs):
        store.write(group_cell(group, study), rows, environment=environment(group.device))
    return store.read(study, cells)


def environment(device: str) -> dict[str, Any]:
    """Return what results depend on beside the code: versions, device and threads."""
    cuda = torch.device(device).type == "cuda"
    return {
        "torch": str(torch.__version__),
        "device": torch.cuda.get_device_name(device) if cuda else "cpu",
        "threads": torch.get_num_threads(),
    }
