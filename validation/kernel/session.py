"""From features to records, and from records to the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from rich.progress import Progress

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.data import FeatureSet
from fusiontheory.heads import RIDGES
from fusiontheory.store import RecordStore, check_writable
from validation.conditions import Features, caution, condition_features, features_of
from validation.kernel.cells import measured_cells, predicted_cells, retrieval_cells, search_cells
from validation.kernel.compare import Comparison, MissingRecords, compare
from validation.kernel.fill import fill_store, fingerprints, searched_ridges
from validation.kernel.fit import fit_study
from validation.kernel.report import write_report
from validation.kernel.runs import Run, note_run, noted_runs
from validation.kernel.study import BEST, Study

__all__ = ["Session", "parse_ridge", "parse_sizes"]


@dataclass(frozen=True)
class Session:
    """One study with its features and its store.

    Attributes:
        study: conditions and settings.
        features: one set for all conditions, or one for each.
        folder: of records and trained heads.
        told: further facts for the report, by name.
        asked: noted in the store when it is run, for reports to come; None: not noted.
        devices: to measure on, by their own names; none: NumPy.
    """

    study: Study
    features: Features
    folder: Path
    told: Mapping[str, Any] = field(default_factory=dict)
    asked: Run | None = None
    devices: tuple[str, ...] = ()

    @classmethod
    def open(
        cls,
        run: Run,
        folder: Path,
        features: FeatureSet | None = None,
        devices: tuple[str, ...] = (),
    ) -> Session:
        """Read the features and check every setting against them; nothing is computed yet.

        Args:
            run: what is asked for.
            folder: of records and trained heads.
            features: those of the run, if they are read already.
            devices: to measure on, by their own names; none: NumPy.

        Raises:
            InputError: naming the setting, or the file, that cannot be used.
        """
        loaded = run.load() if features is None else features
        study = run.study()
        study.check_features(loaded)
        asked = replace(run, fingerprint=loaded.fingerprint)
        return cls(study, loaded, folder, asked=asked, devices=devices)

    @classmethod
    def as_given(
        cls, study: Study, features: Mapping[str, FeatureSet], folder: Path
    ) -> tuple[Session, list[str]]:
        """Return the study on features as given, fitted to them, and what was left out.

        Args:
            study: whose numbers count; conditions and strengths are those of ``features``.
            features: by condition.
            folder: of records.

        Raises:
            InputError: if features have no splits, or as `validation.kernel.fit.fit_study` does.
        """
        given = replace(study, strengths=dict.fromkeys(features))
        fitted, said = fit_study(given, features)
        for one in features.values():
            fitted.check_features(one)
        small = caution(features)
        told = ({} if small is None else {"caution": small}) | ({"left out": said} if said else {})
        return cls(fitted, features, folder, told), said

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
        if self.asked is not None:
            # Before the work: the report of a run that was killed says that records are missing.
            note_run(self.folder, self.asked)
        task = progress.add_task("Align", total=1)
        known = fingerprints(self.conditions)
        progress.advance(task)
        fill_store(self.study, self.conditions, self.store, jobs, progress, self.devices)
        ridges = searched_ridges(self.study, known, self.store)
        cells = (
            measured_cells(self.study, known, ridges),
            search_cells(self.study, known),
            predicted_cells(self.study, known),
            retrieval_cells(self.study, known),
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
        try:
            tables = compare(self.study, known, self.store)
        except MissingRecords as error:
            runs = "; ".join(map(str, noted_runs(self.folder)))
            raise InputError(f"{error}; run so far: {runs}" if runs else str(error)) from error
        write_report(
            tables.comparison,
            tables.curves,
            tables.gaps,
            tables.crossovers,
            {**self._facts(known, tables), **self.told},
            out,
            tables.ridges,
        )
        return out / "index.html"

    def _facts(self, known: Mapping[str, str], tables: Comparison) -> dict[str, Any]:
        cells = measured_cells(self.study, known, searched_ridges(self.study, known, self.store))
        measured = [self.store.metadata(cell) for cell in cells]
        environment = measured[0]["environment"]
        return {
            **self._feature_facts(),
            "fingerprint": known,
            "recall": self._recall(known),
            "ridge": _ridge_fact(self.study.ridge),
            "seeds": self.study.seeds,
            "test_pairs": self.study.test_pairs,
            "seconds": {
                "measuring, over all cells": round(
                    sum(record["environment"]["seconds"] for record in measured)
                )
            },
            "device": environment["device"],
            "versions": {name: environment[name] for name in ("python", "numpy", "scipy")},
            "code": cells[0].code,
            "date": max(record["created"] for record in measured)[:10],
            "terms": tables.terms,
            "aligned": self.study.aligned,
            "own": self.study.aligned not in self.study.strengths,
        }

    def _feature_facts(self) -> dict[str, Any]:
        """Return what the features are; the published orders are of the aligned dimensions."""
        sources = {name: features_of(self.features, name) for name in self.study.strengths}
        first = next(iter(sources.values()))
        main = sources.get(self.study.aligned, first)
        splits = [] if first.split is None else sorted({*first.split.tolist()})
        facts = {
            "features": main.name,
            "d_v": main.image.shape[-1],
            "d_t": main.text.shape[-1],
            "images": {name: int(first.rows(name).size) for name in splits},
        }
        if isinstance(self.features, FeatureSet):
            return facts
        told = {
            name: f"{one.name}, {one.image.shape[-1]} + {one.text.shape[-1]} dimensions, as given"
            for name, one in sources.items()
        }
        return {**facts, "features": told}

    def _recall(self, known: Mapping[str, str]) -> dict[str, list[str]]:
        cells = retrieval_cells(self.study, known)
        if not cells:
            return {}
        retrieval = self.store.read("retrieval", cells)
        return {
            str(condition): _recall_lines(part)
            for condition, part in retrieval.groupby("condition", sort=False)
        }


def _ridge_fact(ridge: float | str) -> float | str:
    if ridge != BEST:
        return ridge
    return (
        f"the best of {len(RIDGES)}, {RIDGES[0]:g} to {RIDGES[-1]:g} times the mean of K(x, x):"
        " measured, of highest accuracy on dev pairs; predicted, of highest predicted accuracy"
    )


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


def parse_sizes(text: str) -> tuple[int, ...]:
    """Return the numbers of a list with commas.

    Raises:
        InputError: if one is no integer.

    >>> parse_sizes("256,512")
    (256, 512)
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"sizes must be integers separated by commas, got {text!r}") from error


def parse_ridge(text: str) -> float | str:
    """Return "best", or the number of a text.

    Raises:
        InputError: if it is neither.

    >>> parse_ridge("best"), parse_ridge("0.1")
    ('best', 0.1)
    """
    if text == BEST:
        return BEST
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"ridge must be a number above 0 or {BEST}, got {text!r}") from error
