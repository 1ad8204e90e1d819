"""How near is the slope of q from 500 images to that from 6000?

What scores vary by is the share 1 + (dq / dlog kappa) / q of q. ``python -m
experiments.foreign_features.slope`` writes ``slope.csv``: that share for the bilinear features of
each population as differences of q say it, as the closed form does, and as both weighted
(`fusiontheory.signal.signal_curve`), and from many images, as differences.
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
from fusiontheory.synthetic import FOREIGN, ForeignSample
from fusiontheory.typing import Array

__all__ = ["main", "shares"]

_PURPOSE = 7003
_MANY, _FEW, _SAMPLES = 6000, 500, 2
# Effective ridges over the trace, about those of 128, 512 and 2048 pairs at a ridge of 0.1.
_RIDGES = (8e-3, 1.6e-3, 2.5e-4)
# Less signal than this has no slope that matters.
_LEAST = 0.05
# So large an error of q leaves the closed form alone.
_NOISE = 1e6


def main() -> pd.DataFrame:
    """Return a row a population, sample and ridge; copies need groups and are left out."""
    rows = []
    for name, population in FOREIGN.items():
        if population.kind == "duplicates":
            continue
        rng = np.random.default_rng(population_seed(Config().seed, name, _PURPOSE))
        q, many = (x[0] for x in shares(population.draw(_MANY, rng)))
        for sample in range(_SAMPLES):
            _, found = shares(population.draw(_FEW, rng))
            place = {"population": name, "kind": population.kind, "sample": sample}
            rows += [
                {
                    **place,
                    "ridge": ridge,
                    "many": many[k],
                    "differences": found[0, k],
                    "closed": found[1, k],
                    "weighted": found[2, k],
                }
                for k, ridge in enumerate(_RIDGES)
                if q[k] > _LEAST
            ]
    return pd.DataFrame(rows)


def shares(sample: ForeignSample) -> tuple[Array, Array]:
    """Return q and its share by differences, in closed form and weighted, (3, ridges) each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        # A diagnosis is not asked for.
        found = replace(Moments.from_features(sample.image, sample.text), source=None)
        moments = centred(found).moments
    own = moments.signal
    trace = moments.image_eigenvalues.sum() * moments.text_eigenvalues.sum()
    q, share = [], []
    for error in (0 * own.known_error, _NOISE * own.grid[-1] / own.grid, own.known_error):
        value, slope = replace(own, known_error=error)(trace * np.array(_RIDGES))
        q.append(value)
        share.append(1 + np.divide(slope, value, out=-np.ones_like(value), where=value > 0))
    return np.array(q), np.array(share)


if __name__ == "__main__":
    arguments(__doc__)
    write_side_table(Path(__file__).with_name("slope.csv"), main(), main)
