"""Errors and intervals over many moment samples of each population, not the three of the study.

``python -m experiments.foreign_features.many_samples [MINUTES]`` predicts samples that have no
record yet, for so many minutes at most, and writes ``many_samples.csv`` once there are all: a row a
cell (population, images, groups, head, ridge, n), over its samples. Of `POPULATIONS`: the first of
each kind, and two that came nearest to a bar without a warning. Ranges and widths are those
that the three samples of other populations make; the truth is that of ``measured.csv``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.foreign_features.__main__ import STUDY
from experiments.foreign_features.calibrate import CELL, judged
from experiments.foreign_features.config import SAMPLE, Config
from experiments.foreign_features.diagnoses import predicted_and_diagnosed
from experiments.foreign_features.predict import samples
from experiments.side_tables import arguments, write_side_table
from experiments.study import Records
from fusiontheory.store import Cell, RecordStore, code_version
from fusiontheory.synthetic import FOREIGN

__all__ = ["HEADS", "POPULATIONS", "SAMPLES", "main", "over_samples"]

SAMPLES = 20
"""Moment samples of each population and number of images."""

HEADS = ("concat-mlp", "bilinear", "dot-product")
POPULATIONS = (
    *reversed({FOREIGN[name].kind: name for name in reversed(FOREIGN)}.values()),
    "frames_2",
    "views_6",
)
_TABLE = Path(__file__).with_name("many_samples.csv")


def main(minutes: float = np.inf) -> None:
    """Predict, and write the table if nothing is missing."""
    config = replace(STUDY.config, samples=SAMPLES, heads=HEADS, populations=POPULATIONS)
    records = Records(STUDY.records, f"{STUDY.name}_many")
    store, end = RecordStore(records.root), time.monotonic() + 60 * minutes
    cells = list(_cells(config, records.name))
    missing = store.missing(cells)
    for done, cell in enumerate(missing):
        if time.monotonic() > end:
            print(f"{len(missing) - done} of {len(cells)} samples are left")
            return
        store.write(cell, predicted_and_diagnosed(cell))
    found = store.read(records.name, cells)
    found["ridge"] = found["kind"]
    tables = STUDY.tables()
    more = {
        "predictions.csv": found[[*CELL, "sample", "predicted", "low", "high"]],
        "measured.csv": tables["measured.csv"],
        "diagnoses.csv": found.drop_duplicates([*SAMPLE, "groups"]),
    }
    drop = [name for name in more["predictions.csv"] if name not in [*SAMPLE, "groups"]]
    more["diagnoses.csv"] = more["diagnoses.csv"].drop(columns=drop)
    write_side_table(_TABLE, over_samples(judged(tables, more)), over_samples)


def _cells(config: Config, study: str) -> Iterator[Cell]:
    shared = {name: getattr(config, name) for name in ("sizes", "ridge", "heads", "seed")}
    code = code_version(predicted_and_diagnosed)
    for place in sorted(samples(config), key=lambda place: place["images"]):
        yield Cell(study, {**place, **shared}, features=place["population"], code=code)


def over_samples(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row a cell, apart where samples are warned and where not.

    Columns: ``trusted``; ``samples``, how many are so; ``error``, predicted less measured, of their
    mean; ``spread``, its standard deviation over samples; ``absolute``, the mean absolute error;
    ``holds``, the share of widened intervals that come within two standard errors of the truth.
    """
    outside = (
        np.maximum(table["low"] - table["measured"], table["measured"] - table["high"])
        - table["extra"]
    )
    table = table.assign(holds=outside <= 2 * table["se"], absolute=table["error"].abs())
    grouped = table.groupby([*CELL, "trusted"], sort=False)
    return grouped.agg(
        samples=("error", "size"),
        error=("error", "mean"),
        spread=("error", "std"),
        absolute=("absolute", "mean"),
        holds=("holds", "mean"),
        measured=("measured", "first"),
        se=("se", "first"),
    ).reset_index()


if __name__ == "__main__":
    main(*arguments(__doc__, {"minutes": float}, minutes=np.inf))
