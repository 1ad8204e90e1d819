"""What the theory of now says of one sample of 500 images of each population, beside the tables.

``predictions.csv`` is of the theory before its last mend. Until it is made anew,
``python -m experiments.foreign_features.few_images`` writes ``few_images.csv``: a row a prediction
of the first sample of 500 images, ``before`` as it is stored there, with what was measured and
whether the stored calibration trusts it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.foreign_features.__main__ import STUDY
from experiments.foreign_features.calibrate import CELL
from experiments.foreign_features.predict import predicted, samples
from experiments.foreign_features.summary import judged_cells
from experiments.study import Records
from fusiontheory.store import Cell, code_version

__all__ = ["main"]

_IMAGES, _SAMPLE = 500, 0
_KEPT = ["kind", "measured", "se", "trusted", "extra"]


def main() -> pd.DataFrame:
    """Return the rows; intervals as the theory gives them, and whether they hold."""
    config = STUDY.config
    records = Records(STUDY.records, f"{STUDY.name}_predicted")
    shared = {name: getattr(config, name) for name in ("sizes", "ridge", "heads", "seed")}
    code = code_version(predicted)
    cells = [
        Cell(records.name, {**place, **shared}, features=place["population"], code=code)
        for place in samples(config)
        if place["images"] == _IMAGES and place["sample"] == _SAMPLE
    ]
    found = records.computed(cells, predicted)
    found["ridge"] = found["kind"]
    stored = judged_cells(STUDY.tables())
    stored = stored[stored["sample"] == _SAMPLE]
    ends = ["predicted", "low", "high"]
    both = found[[*CELL, *ends]].merge(
        stored[[*CELL, *ends, *_KEPT]], on=CELL, suffixes=("", "_before"), validate="1:1"
    )
    for name in ("", "_before"):
        outside = np.maximum(
            both[f"low{name}"] - both["measured"], both["measured"] - both[f"high{name}"]
        )
        both[f"error{name}"] = both[f"predicted{name}"] - both["measured"]
        both[f"holds{name}"] = outside <= 2 * both["se"]
        both[f"wide_holds{name}"] = outside - both["extra"] <= 2 * both["se"]
    return both


if __name__ == "__main__":
    path = Path(__file__).with_name("few_images.csv")
    main().to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
