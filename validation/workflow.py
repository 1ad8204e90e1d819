"""From features to records, and from records to the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from rich.progress import Progress

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.features import FeatureSet
from fusiontheory.files import check_writable
from fusiontheory.records import RecordStore
from validation.compare import compare
from validation.conditions import condition_features
from validation.data import shipped_features
from validation.measure import fill_store, fingerprints
from validation.report import write_report
from validation.study import Study

__all__ = ["Session"]


@dataclass(frozen=True)
class Session:
    """One study on one feature set, with its store."""

    study: Study
    features: FeatureSet
    folder: Path

    @classmethod
    def open(
        cls,
        features: Path | None,
        folder: Path,
        sizes: str,
        seeds: int,
        ridge: float,
        test_pairs: int,
    ) -> Session:
        """Read the features and check every setting against them; nothing is computed yet.

        Raises:
            InputError: naming the setting, or the file, that cannot be used.
        """
        study = Study(sizes=_parse_sizes(sizes), seeds=seeds, ridge=ridge, test_pairs=test_pairs)
        loaded = shipped_features() if features is None else FeatureSet.load(features)
        study.check_features(loaded)
        return cls(study, loaded, folder)

    @property
    def store(self) -> RecordStore:
        """The record store."""
        return RecordStore(self.folder / "records")

    @cached_property
    def conditions(self) -> dict[str, FeatureSet]:
        """Features by condition; heads are trained once and kept."""
        return condition_features(self.features, self.study.strengths, self.folder / "heads")

    def run(self, jobs: int, progress: Progress) -> int:
        """Make all records and return their number.

        Raises:
            InputError: if the folder cannot be written, before any work, or a record is corrupt.
        """
        positive_integer("jobs", jobs)
        check_writable("store", self.folder)
        self.store.check_writable()
        task = progress.add_task("Align", total=1)
        known = fingerprints(self.conditions)
        progress.advance(task)
        fill_store(self.study, self.conditions, self.store, jobs, progress)
        cells = (
            self.study.measured_cells(known),
            self.study.predicted_cells(known),
            self.study.retrieval_cells(known),
        )
        return sum(map(len, cells))

    def report(self, out: Path) -> Path:
        """Write the report from the records and return its page.

        Raises:
            InputError: if ``out`` cannot be written, or records are missing or corrupt.
        """
        check_writable("out", out)
        if not self.store.root.is_dir():
            # Before the heads are trained, which takes longest of what is left.
            raise InputError(f"store must hold the records of a run, got none in {self.folder}")
        known = fingerprints(self.conditions)
        tables = compare(self.study, known, self.store)
        write_report(
            tables.comparison,
            tables.curves,
            tables.gaps,
            tables.crossovers,
            self._facts(known, tables.terms),
            out,
        )
        return out / "index.html"

    def _facts(self, known: Mapping[str, str], terms: pd.DataFrame) -> dict[str, Any]:
        measured = [self.store.metadata(cell) for cell in self.study.measured_cells(known)]
        environment = measured[0]["environment"]
        retrieval = self.store.read("retrieval", self.study.retrieval_cells(known))
        d_v, d_t = (self.features.image.shape[-1], self.features.text.shape[-1])
        names = [] if self.features.split is None else sorted(set(self.features.split.tolist()))
        return {
            "features": self.features.name,
            "fingerprint": known,
            "d_v": d_v,
            "d_t": d_t,
            "images": {name: int(self.features.rows(name).size) for name in names},
            "recall": {
                str(condition): _recall_lines(part)
                for condition, part in retrieval.groupby("condition", sort=False)
            },
            "ridge": self.study.ridge,
            "seeds": self.study.seeds,
            "test_pairs": self.study.test_pairs,
            "seconds": {
                "measuring, over all cells": round(
                    sum(record["environment"]["seconds"] for record in measured)
                )
            },
            "device": environment["device"],
            "versions": {name: environment[name] for name in ("python", "numpy", "scipy")},
            "code": self.study.measured_cells(known)[0].code,
            "date": max(record["created"] for record in measured)[:10],
            "terms": terms,
        }


def _recall_lines(part: pd.DataFrame) -> list[str]:
    value = dict(zip(part["metric"], part["value"], strict=True))
    lines = []
    for way in ("text_to_image", "image_to_text"):
        recalls = {name: v for name, v in value.items() if str(name).startswith(way)}
        ks = "/".join(str(name).partition("@")[2] for name in recalls)
        shares = " / ".join(f"{v:.3f}" for v in recalls.values())
        lines.append(f"{way.replace('_', ' ')} R@{ks} {shares}")
    cosines = f"cosine {value['matched']:.3f} matched, {value['mismatched']:.3f} mismatched"
    return [*lines, f"{cosines}, AUC {value['auc']:.3f}"]


def _parse_sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"sizes must be integers separated by commas, got {text!r}") from error
