"""How near is q of the bilinear features from 500 images to that from 10,000?

``python -m experiments.foreign_features.signal`` writes ``signal.csv``. ``signal-before.csv`` is
the same of the code before the covariance of matched pairs was measured to smaller ridges
(``docs/theory.md``).
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.foreign_features.config import Config, population_seed
from experiments.side_tables import arguments, write_side_table
from fusiontheory.checks import ValidityWarning
from fusiontheory.moments import Moments, centred
from fusiontheory.synthetic import FOREIGN, ForeignSample, find_population
from fusiontheory.typing import Array

__all__ = ["main", "signals"]

_PURPOSE = 7001
_MANY, _FEW, _SAMPLES = 10_000, 500, 2
# Effective ridges over the trace, about those of 128, 512 and 2048 pairs at a ridge of 0.1.
_RIDGES = (8e-3, 1.6e-3, 2.5e-4)


def main() -> pd.DataFrame:
    """Return a row a population, sample and ridge; copies need groups and are left out."""
    rows = []
    for name, population in FOREIGN.items():
        if population.kind == "duplicates":
            continue
        rng = np.random.default_rng(population_seed(Config().seed, name, _PURPOSE))
        known, _ = signals(find_population(name).draw(_MANY, rng))
        for sample in range(_SAMPLES):
            found, error = signals(find_population(name).draw(_FEW, rng))
            place = {"population": name, "kind": population.kind, "sample": sample}
            rows += [
                {**place, "ridge": ridge, "q": q, "error": e, "q_of_many": true}
                for ridge, q, e, true in zip(_RIDGES, found, error, known, strict=True)
            ]
    return pd.DataFrame(rows)


def signals(sample: ForeignSample) -> tuple[Array, Array]:
    """Return q at each ridge and its standard error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        # A diagnosis is not asked for.
        found = replace(Moments.from_features(sample.image, sample.text), source=None)
        moments = centred(found).moments
    trace = moments.image_eigenvalues.sum() * moments.text_eigenvalues.sum()
    kappa = trace * np.array(_RIDGES)
    return moments.signal(kappa)[0], moments.signal.error(kappa)


if __name__ == "__main__":
    arguments(__doc__)
    write_side_table(Path(__file__).with_name("signal.csv"), main(), main)
