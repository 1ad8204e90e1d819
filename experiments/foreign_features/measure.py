"""What heads really reach, what the library says of each sample, and whether that is right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from experiments.foreign_features.calibrate import SAID, judged
from experiments.foreign_features.config import SAMPLE, Config
from experiments.foreign_features.predict import groups_of, sample_of, samples
from experiments.foreign_features.truth import truth
from fusiontheory.moments import EFFECTS, Moments
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["diagnosed", "diagnoses", "measure"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return the truth, a diagnosis of each sample, and every cell under the others' calibration.

    The last is a row for each prediction: whether it is trusted, and by how much its interval is
    widened, as the calibration says that all other populations make.
    """
    found = {"measured.csv": truth(config, records), "diagnoses.csv": diagnoses(config, records)}
    results = judged({**predicted, **found})
    return {**found, "results.csv": results[SAID]}


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
