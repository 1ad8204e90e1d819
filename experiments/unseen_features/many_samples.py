"""Twenty moment samples of 500 images of each population, in place of the sealed six.

``python -m experiments.unseen_features.many_samples [MINUTES]`` predicts samples that have no
record yet, for so many minutes at most, and writes ``many_samples.csv`` once there are all: the
table of what is asked and found, over these and the sealed ones. They were predicted when the truth
was known, with the theory and the calibration that the sealed ones have.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.foreign_features import targets
from experiments.side_tables import arguments, write_side_table
from experiments.study import Records
from experiments.unseen_features.__main__ import STUDY
from experiments.unseen_features.predict import predicted
from experiments.unseen_features.summary import judged
from fusiontheory.store import Cell, RecordStore, code_version

__all__ = ["IMAGES", "SAMPLES", "TABLE", "main"]

SAMPLES, IMAGES = 20, 500
"""Moment samples of each population, and images of each."""

TABLE = Path(__file__).with_name("many_samples.csv")
"""What was found."""


def main(minutes: float = np.inf) -> pd.DataFrame:
    """Return what is asked and found over all samples; empty if the time was up before."""
    config, tables = STUDY.config, STUDY.tables()
    shared = {name: getattr(config, name) for name in ("heads", "sizes", "ridge", "seed")}
    records = Records(STUDY.records, f"{STUDY.name}_many")
    code = code_version(predicted)
    cells = [
        Cell(
            records.name,
            {"population": name, "images": IMAGES, "sample": sample, **shared},
            features=name,
            code=code,
        )
        for sample in range(config.samples, SAMPLES)
        for name in config.populations
    ]
    end = time.monotonic() + 60 * minutes
    missing = RecordStore(records.root).missing(cells)
    for done, cell in enumerate(missing):
        if time.monotonic() > end:
            print(f"{len(missing) - done} of {len(cells)} samples are left")
            return pd.DataFrame()
        records.computed([cell], predicted)
    more = records.computed(cells, predicted)
    more["ridge"] = more["kind"]
    sealed = tables["predictions.csv"]
    every = pd.concat([sealed, more[list(sealed)]], ignore_index=True)
    return targets(judged({**tables, "predictions.csv": every}))


if __name__ == "__main__":
    found = main(*arguments(__doc__, {"minutes": float}, minutes=np.inf))
    if not found.empty:
        write_side_table(TABLE, found, main)
