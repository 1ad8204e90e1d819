"""From a features file to records, and from records to the tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

import pandas as pd

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.data import FeatureSet
from fusiontheory.parallel import Part
from fusiontheory.store import RecordStore, check_writable
from fusiontheory.training import TrainingSettings, kind_of
from validation.conditions import condition_features
from validation.data import shipped_features
from validation.trained.design import PARTS, TrainedCell, TrainedStudy
from validation.trained.report import Trained, write_report
from validation.trained.runs import (
    choices,
    chosen_table,
    recorded_runs,
    search_cells,
    train_cells,
)

__all__ = ["TrainedSession"]


@dataclass(frozen=True)
class TrainedSession:
    """The study of trained heads on one feature set, with its store.

    Attributes:
        study: with all settings.
        features: to train on.
        folder: of records and trained heads.
        devices: by their own names.
        heads: those whose cells are trained, searched and reported; () for all of the study.
    """

    study: TrainedStudy
    features: FeatureSet
    folder: Path
    devices: tuple[str, ...] = ("cpu",)
    heads: tuple[str, ...] = ()

    @classmethod
    def open(
        cls,
        features: Path | None,
        folder: Path,
        seeds: int,
        dtype: str = "bfloat16",
        devices: tuple[str, ...] = ("cpu",),
        heads: tuple[str, ...] = (),
    ) -> TrainedSession:
        """Read the features and check the study against them; nothing is trained yet.

        Args:
            features: the features file; None: the shipped features.
            folder: of records and trained heads.
            seeds: number of them.
            dtype: of the training.
            devices: by their own names, or for a report their kind alone.
            heads: those to train; () for all.

        Raises:
            InputError: naming the setting, or the file, that cannot be used.
        """
        training = TrainingSettings(dtype=dtype)
        study = TrainedStudy(seeds=seeds, smaller=(512, 1024), training=training)
        loaded = shipped_features() if features is None else FeatureSet.load(features)
        study.check_features(loaded)
        for head in heads:
            if head not in study.heads:
                raise InputError(f"heads must be among {', '.join(study.heads)}, got {head!r}")
        return cls(study, loaded, folder, devices, heads)

    @property
    def store(self) -> RecordStore:
        """The record store."""
        return RecordStore(self.folder / "records")

    @property
    def kind(self) -> str:
        """The kind of device that records are of, "cpu" or "cuda"."""
        return kind_of(self.devices[0])

    @cached_property
    def conditions(self) -> dict[str, FeatureSet]:
        """Features by condition; contrastive heads are trained on the align images and kept."""
        return condition_features(self.features, self.study.strengths, self.folder / "heads")

    def cells(self, part: str | None = None) -> list[TrainedCell]:
        """Return the cells of a part: of `PARTS`, "tuned", or of all of these.

        Those of the search are its grid and what the records ask for beyond it; the tuned ones are
        those whose search is complete.

        Raises:
            InputError: for an unknown part.
        """
        if part not in (None, *PARTS, "tuned"):
            raise InputError(f"part must be one of {', '.join((*PARTS, 'tuned'))}, got {part!r}")
        if part == "tuned":
            return self._tuned()
        if part == "search":
            return self._searched()
        if part is not None:
            return self._of_heads(self.study.cells(part))
        return [cell for name in (*PARTS, "tuned") for cell in self.cells(name)]

    def _of_heads(self, cells: list[TrainedCell]) -> list[TrainedCell]:
        return [cell for cell in cells if not self.heads or cell.head in self.heads]

    def _searched(self) -> list[TrainedCell]:
        declared = self._of_heads(self.study.cells("search"))
        return search_cells(self.study, self.conditions, self.store, self.kind, declared)

    def _tuned(self) -> list[TrainedCell]:
        searched = self._searched()
        runs, _ = recorded_runs(self.study, self.conditions, self.store, searched, self.kind)
        if runs.empty:
            return []
        table = chosen_table(runs, self.study.least_trials)
        return self.study.tuned_cells(choices(table, self.study.tuning))

    def run(
        self, part: str | None = None, jobs: int = 1, shard: str = "1/1"
    ) -> tuple[int, list[str]]:
        """Train what is not on record; return the shard's records and the cells still missing.

        Raises:
            InputError: for an unknown part or shard, or a store that cannot be written, before
                any work.
        """
        positive_integer("jobs", jobs)
        if part != "tuned":
            self.study.cells(part)
        one = Part.parse(shard)
        check_writable("store", self.folder)
        known = (self.study, self.conditions, self.store)
        parts = (*PARTS, "tuned") if part is None else (part,)
        gpus = self.devices if self.kind != "cpu" else ()
        done = 0
        for name in parts:
            cells: list[TrainedCell] = []
            # What a search finds asks for more of it, until it does not.
            while cells != (cells := self.cells(name)):
                done += train_cells(*known, cells, jobs, (one.index, one.of), gpus)
        return done, recorded_runs(*known, self.cells(part), self.kind)[1]

    def report(self, out: Path) -> Trained:
        """Write the tables and the figure from the records.

        Raises:
            InputError: if ``out`` cannot be written, a record is corrupt, or there are records of
                another precision or kind of device alone.
        """
        self._check_precision()
        known = (self.study, self.conditions, self.store, self.cells())
        return write_report(*known, out, kind=self.kind)

    def _check_precision(self) -> None:
        """Refuse a report of nothing where there are records under other settings."""
        first, asked = self.study.cells()[:1], (self.study.training.dtype, self.kind)
        possible = [
            (dtype, kind)
            for dtype, kind in product(("bfloat16", "float32"), ("cpu", "cuda"))
            if not self._runs(dtype, kind, first).empty
        ]
        if possible and asked not in possible:
            dtype, kind = possible[0]
            raise InputError(
                f"store must hold records in {asked[0]} on {asked[1]}, got such in {dtype} on"
                f" {kind}: ask for them with --dtype {dtype} --device {kind}"
            )

    def _runs(self, dtype: str, kind: str, cells: list[TrainedCell]) -> pd.DataFrame:
        study = replace(self.study, training=replace(self.study.training, dtype=dtype))
        return recorded_runs(study, self.conditions, self.store, cells, kind)[0]
