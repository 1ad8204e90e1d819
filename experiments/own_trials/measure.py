"""The truth: what trained heads reach on fresh corpora, of `experiments.foreign_features`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from experiments.own_trials.config import TRUTH, Config

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]

_TABLE = Path(__file__).parents[1] / TRUTH / "measured.csv"


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return the measured accuracies beside the cells that were predicted."""
    del predicted, records
    found = pd.read_csv(_TABLE, dtype={"ridge": str})
    chosen = found["population"].isin(config.populations) & found["head"].isin(config.heads)
    return {"results.csv": found[chosen][["population", "head", "ridge", "n", "measured", "se"]]}
