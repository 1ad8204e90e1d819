"""By how much do predictions from few images hang on the order of their rows?

Products of sample means need different images in each factor, so that images are cut into folds,
every fifth row into one (`fusiontheory.signal`). Which images meet in a fold is chance, and the
prediction has a part of it. ``python -m experiments.foreign_features.row_order`` predicts the first
sample of one population of each kind with its rows in some orders, and writes ``row_order.csv``: a
row a population, head and n with the spread over orders beside the interval's half-width.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.foreign_features.config import Config
from experiments.foreign_features.predict import sample_of
from experiments.side_tables import arguments, write_side_table
from fusiontheory.checks import ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.moments import Moments
from fusiontheory.synthetic import FOREIGN

__all__ = ["main"]

_IMAGES, _ORDERS, _SEED = 500, 6, 7
_HEADS = ("concat-mlp", "bilinear")


def main() -> pd.DataFrame:
    """Return the rows."""
    config, rng, rows = Config(), np.random.default_rng(_SEED), []
    for name in {population.kind: name for name, population in FOREIGN.items()}.values():
        sample = sample_of(config.seed, name, _IMAGES, 0)
        for _ in range(_ORDERS):
            order = rng.permutation(_IMAGES)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ValidityWarning)
                found = Moments.from_features(sample.image[order], sample.text[order])
                # The interval is the theory's own.
                moments = replace(found, source=None)
                for head in _HEADS:
                    curve = predict_curve(head, moments, config.sizes, config.ridge)
                    rows.append(curve.assign(population=name, head=head))
    table = pd.concat(rows).assign(half=lambda t: (t["accuracy_high"] - t["accuracy_low"]) / 2)
    grouped = table.groupby(["population", "head", "n"], sort=False)
    return grouped.agg(
        orders=("accuracy", "size"), spread=("accuracy", "std"), half=("half", "mean")
    ).reset_index()


if __name__ == "__main__":
    arguments(__doc__)
    write_side_table(Path(__file__).with_name("row_order.csv"), main(), main)
