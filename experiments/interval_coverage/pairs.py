"""Pairs of which no two share an image."""

from __future__ import annotations

import numpy as np

from experiments.interval_coverage.config import Population
from fusiontheory.solvers import PairFeatures

__all__ = ["fresh_pairs"]


def fresh_pairs(population: Population, n: int, rng: np.random.Generator) -> PairFeatures:
    """Return n pairs of 3 n / 2 images, each used once."""
    half = n // 2
    v, t = (x.astype(np.float32) for x in population.draw(n + half, rng))
    # The last half of the texts belongs to images that no pair has.
    return PairFeatures(v[:n], np.concatenate([t[:half], t[n:]]), np.repeat([1.0, -1.0], half))
