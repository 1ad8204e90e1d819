"""What the diagnosis says of the features that ship, on which predictions are held against records.

``python -m experiments.foreign_features.shipped`` writes ``shipped.csv``: a row a condition with
every item, of the moments that predictions of `docs/results` are made from. No range may leave
them out (`ranges`).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from experiments.side_tables import arguments, write_side_table
from fusiontheory.moments import EFFECTS
from validation.conditions import condition_features
from validation.data import shipped_features
from validation.moments import condition_moments

__all__ = ["STRENGTHS", "TABLE", "main"]

STRENGTHS = {"unaligned": 0.0, "aligned": 1.0}
"""The conditions."""

TABLE = Path(__file__).with_name("shipped.csv")
"""The values."""


def main(folder: str | Path = ".cache/experiments/heads") -> pd.DataFrame:
    """Return the rows; ``folder`` keeps the trained projections."""
    rows = []
    for name, features in condition_features(shipped_features(), STRENGTHS, folder).items():
        found = condition_moments(features, STRENGTHS[name]).diagnosis
        assert found is not None
        rows.append({"condition": name, **{item: found.values[item] for item in EFFECTS}})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    arguments(__doc__)
    write_side_table(TABLE, main(), main)
