"""From a study to groups of runs, and from their records to one row per run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

import numpy as np
import pandas as pd

from fusiontheory.features import FeatureSet
from fusiontheory.pairs import Pairs, draw_pairs
from fusiontheory.records import RecordStore
from fusiontheory.training import (
    MemberGroup,
    PairDataset,
    all_members,
    group_cell,
    member_groups,
    train_recorded,
)
from validation.trained.noise import Noise, noisy_features
from validation.trained.study import SETTING, TrainedCell, TrainedStudy

__all__ = ["STUDY", "held_out_pairs", "recorded_runs", "train_cells", "training_pairs"]

STUDY = "trained"
"""Name of the records."""

_TRAIN, _HELD_OUT = 0, 1  # spawn keys below the entropy; 2 is of noise


def training_pairs(study: TrainedStudy, features: FeatureSet, seed: int) -> Pairs:
    """Return the longest draw of training pairs of a seed."""
    root = np.random.SeedSequence(study.entropy, spawn_key=(_TRAIN, seed))
    longest = max(*study.sizes, study.noise_size)
    return draw_pairs(features.rows("train"), features.text.shape[1], longest, root)


def held_out_pairs(study: TrainedStudy, features: FeatureSet) -> tuple[Pairs, Pairs]:
    """Return the dev and the test pairs, the same for every run."""
    captions = features.text.shape[1]
    dev, test = np.random.SeedSequence(study.entropy, spawn_key=(_HELD_OUT,)).spawn(2)
    return (
        draw_pairs(features.rows("dev"), captions, study.dev_pairs, dev),
        draw_pairs(features.rows("test"), captions, study.test_pairs, test),
    )


def train_cells(
    study: TrainedStudy,
    conditions: Mapping[str, FeatureSet],
    store: RecordStore,
    part: str | None = None,
    jobs: int = 1,
    shard: tuple[int, int] = (1, 1),
) -> int:
    """Train what the store does not have yet and return the number of records of the shard.

    Args:
        study: what to train.
        conditions: features by condition, of unit norm.
        store: gets a record for each group of runs as soon as it is done.
        part: "grid" or "noise"; both if None.
        jobs: processes.
        shard: (i, N), do every N-th group from the i-th, counted from 1.

    Raises:
        InputError: if images leak between splits, or as `train_recorded` does.
    """
    start, step = shard[0] - 1, shard[1]
    done = 0
    # The numbering goes on from block to block, so that shards are of one size.
    count = 0
    for block in _blocks(study.cells(part)):
        groups = list(_groups(study, conditions, block))
        mine = [group for k, group in enumerate(groups, count) if k % step == start]
        count += len(groups)
        if mine:
            train_recorded(mine, store, STUDY, jobs)
        done += len(mine)
    return done


def recorded_runs(
    study: TrainedStudy,
    conditions: Mapping[str, FeatureSet],
    store: RecordStore,
    part: str | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """Return one row per run on record, and the names of cells with seeds missing.

    The columns are those of `train_members`, with ``sigma``, ``side``, ``features`` (name of the
    feature set), ``setting`` and ``accuracy`` (on the test pairs).
    """
    frames, missing = [], []
    for block in _blocks(study.cells(part)):
        named = _named_only(study, conditions, block[0].noise)
        by_cell = {cell: list(_groups(study, named, [cell], degrade=False)) for cell in block}
        for cell, groups in by_cell.items():
            known = [group_cell(group, STUDY) for group in groups]
            there = [k for k in known if k in store]
            rows = store.read(STUDY, there) if there else pd.DataFrame()
            if len(rows) < study.seeds:
                missing.append(f"{cell} ({len(rows)} of {study.seeds} seeds)")
            if there:
                frames.append(_told(rows, cell, conditions[cell.condition].name))
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    return table, missing


def _named_only(
    study: TrainedStudy, conditions: Mapping[str, FeatureSet], noise: Noise
) -> dict[str, FeatureSet]:
    """Return the features without noise under the fingerprints with it: enough to find records."""
    named = {}
    for name, features in conditions.items():
        few = FeatureSet(features.image[:2], features.text[:2])
        few = few.with_fingerprint(features.fingerprint)
        noisy = noisy_features(few, noise, study.renormalise, study.entropy)
        named[name] = features.with_fingerprint(noisy.fingerprint)
    return named


def _told(rows: pd.DataFrame, cell: TrainedCell, features: str) -> pd.DataFrame:
    return rows.assign(
        condition=cell.condition,
        features=features,
        setting=SETTING,
        sigma=cell.noise.sigma,
        side=cell.noise.side,
        accuracy=rows["test_accuracy"],
    )


def _blocks(cells: Iterable[TrainedCell]) -> Iterator[list[TrainedCell]]:
    """Split the cells where the noise changes: one block's features fit in memory."""
    for _, block in groupby(cells, key=lambda cell: (cell.noise, cell.noise.sigma > 0)):
        yield list(block)


def _groups(
    study: TrainedStudy,
    conditions: Mapping[str, FeatureSet],
    cells: Iterable[TrainedCell],
    degrade: bool = True,
) -> Iterator[MemberGroup]:
    """Yield the groups of each cell; datasets are made once for all heads."""
    datasets: dict[tuple[str, int, int], PairDataset] = {}
    degraded: dict[str, FeatureSet] = {}
    for cell in cells:
        name = cell.condition
        if name not in degraded:
            degraded[name] = conditions[name]
            if degrade:
                degraded[name] = noisy_features(
                    conditions[name], cell.noise, study.renormalise, study.entropy
                )
        features = degraded[name]
        members = []
        for seed in range(study.seeds):
            key = (name, cell.n, seed)
            if key not in datasets:
                datasets[key] = PairDataset.from_features(
                    features,
                    training_pairs(study, features, seed),
                    *held_out_pairs(study, features),
                    name=name,
                ).first(cell.n)
            members += all_members([datasets[key]], [seed])
        yield from member_groups(cell.head, members, study.training)
