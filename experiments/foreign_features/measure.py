"""What heads really reach, what the library says of each sample, and whether that is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.foreign_features.calibrate import SAID, judged
from experiments.foreign_features.config import Config
from experiments.foreign_features.diagnoses import diagnoses
from experiments.foreign_features.truth import truth

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return the truth, a diagnosis of each sample, and every cell under the others' calibration.

    The last is a row for each prediction: whether it is trusted, and by how much its interval is
    widened, as the calibration says that all other populations make.
    """
    found = {"measured.csv": truth(config, records), "diagnoses.csv": diagnoses(config, records)}
    results = judged({**predicted, **found})
    return {**found, "results.csv": results[SAID]}
