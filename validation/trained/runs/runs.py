"""From a study to groups of runs, and from their records to one row per run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import pandas as pd

from fusiontheory.data import FeatureSet
from fusiontheory.store import RecordStore
from fusiontheory.training import group_cell, kind_of, train_recorded
from validation.trained.design import TrainedCell, TrainedStudy
from validation.trained.runs.groups import CellGroups

__all__ = ["STUDY", "recorded_runs", "train_cells"]

STUDY = "trained"
"""Name of the records."""


def train_cells(
    study: TrainedStudy,
    conditions: Mapping[str, FeatureSet],
    store: RecordStore,
    cells: Iterable[TrainedCell],
    jobs: int = 1,
    shard: tuple[int, int] = (1, 1),
    devices: Sequence[str] = (),
) -> int:
    """Train what the store does not have yet and return the number of records of the shard.

    Args:
        study: what to train.
        conditions: features by strength, of unit norm.
        store: gets a record for each group of runs as soon as it is done.
        cells: of the study.
        jobs: processes.
        shard: (i, N), do every N-th group from the i-th, counted from 1.
        devices: GPUs by their own names, one process each; none: processes of the processor.

    Raises:
        InputError: if images leak between splits, or as `train_recorded` does.
    """
    start, step = shard[0] - 1, shard[1]
    made = CellGroups(study, conditions, kind_of(devices[0]) if devices else "cpu")
    done = count = 0
    for block in _blocks(cells):
        # Features are derived only where something is still to be trained.
        names = [group_cell(group, STUDY) for cell in block for group in made.named(cell)]
        # The numbering goes on from block to block, so that shards are of one size.
        mine = [name for k, name in enumerate(names, count) if k % step == start]
        count, done = count + len(names), done + len(mine)
        lacking = {*store.missing(mine)}
        if lacking:
            whole = (group for cell in block for group in made.whole(cell))
            train_recorded(
                [group for group in whole if group_cell(group, STUDY) in lacking],
                *(store, STUDY, jobs, devices),
            )
    return done


def recorded_runs(
    study: TrainedStudy,
    conditions: Mapping[str, FeatureSet],
    store: RecordStore,
    cells: Iterable[TrainedCell],
    kind: str = "cpu",
) -> tuple[pd.DataFrame, list[str]]:
    """Return one row per run on record, and the names of cells with runs missing.

    The columns are those of `train_members`, with ``setting``, ``level``, ``sigma``, ``side``,
    ``features`` (name of the feature set) and ``accuracy`` (on the test pairs). ``seed`` is that of
    the cell. ``kind`` is of the device that they were trained on, "cpu" or "cuda".
    """
    made = CellGroups(study, conditions, kind)
    frames, missing = [], []
    for cell in cells:
        known = {group_cell(group, STUDY): group for group in made.named(cell)}
        there = [name for name in known if name in store]
        tables = [store.read(STUDY, [name]).assign(seed=made.seeds(known[name])) for name in there]
        rows = sum(map(len, tables))
        if rows < cell.runs:
            unit = "seeds" if cell.variant.runs == 1 else "runs"
            missing.append(f"{cell} ({rows} of {cell.runs} {unit})")
        frames += [_told(one, cell, made.base(cell).name) for one in tables]
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    return table, missing


def _told(rows: pd.DataFrame, cell: TrainedCell, features: str) -> pd.DataFrame:
    return rows.assign(
        condition=cell.condition,
        features=features,
        setting=cell.variant.setting,
        level=cell.variant.level,
        sigma=cell.noise.sigma,
        side=cell.noise.side,
        accuracy=rows["test_accuracy"],
    )


def _blocks(cells: Iterable[TrainedCell]) -> Iterator[list[TrainedCell]]:
    """Split the cells where what is derived changes: one block's features fit in memory."""

    def derived(cell: TrainedCell) -> tuple[object, ...]:
        v = cell.variant
        plain = not cell.noise.sigma and v.scaling == "unit" and v.texts == "captions"
        return (plain, "" if plain else cell.condition, cell.noise, v.scaling, v.texts)

    for _, block in groupby(cells, key=derived):
        yield list(block)
