"""What the library says of each moment sample; no calibration has a part in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from experiments.foreign_features.config import SAMPLE, Config
from experiments.foreign_features.predict import groups_of, predicted, sample_of, samples
from fusiontheory.moments import EFFECTS, Moments
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records

__all__ = ["diagnosed", "diagnoses", "predicted_and_diagnosed"]


def diagnoses(config: Config, records: Records) -> pd.DataFrame:
    """Return the diagnosis that a sample's moments carry, without and with groups."""
    code = code_version(diagnosed)
    kept = replace(records, name=f"{records.name}_diagnosed")
    cells = [
        Cell(kept.name, {**place, "seed": config.seed}, features=place["population"], code=code)
        for place in samples(config)
    ]
    return kept.computed(cells, diagnosed)[[*SAMPLE, "groups", *EFFECTS]]


def diagnosed(cell: Cell) -> list[dict[str, Any]]:
    """Return the diagnoses of one sample, two where it has copies."""
    sample = sample_of(cell.config["seed"], *(cell.config[name] for name in SAMPLE))
    rows = []
    for groups in groups_of(sample):
        moments = Moments.from_features(sample.image, sample.text, groups=groups)
        assert moments.diagnosis is not None
        rows.append({"groups": groups is not None, **moments.diagnosis.values})
    return rows


def predicted_and_diagnosed(cell: Cell) -> list[dict[str, Any]]:
    """Return the predictions of one sample with its diagnosis in each row."""
    known = {row["groups"]: row for row in diagnosed(cell)}
    return [{**row, **known[row["groups"]]} for row in predicted(cell)]
