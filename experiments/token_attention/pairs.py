"""The pairs of a seed, the same for kernels and networks."""

from __future__ import annotations

import numpy as np

from experiments.token_attention.config import Config, Drawn
from fusiontheory.data import Pairs, draw_pairs

__all__ = ["pairs_of"]


def pairs_of(config: Config, drawn: Drawn, seed: int) -> tuple[Pairs, Pairs, Pairs]:
    """Return the training, dev and test pairs of a seed."""
    seeds = np.random.SeedSequence([config.entropy, seed]).spawn(3)
    captions = drawn.text.shape[1]
    counts = [max(config.sizes)]
    for rows in (drawn.dev, drawn.test):
        most = config.test_pairs if captions == 1 else config.real_test_pairs
        counts.append(min(most, 2 * rows.size * captions))
    splits = drawn.train, drawn.dev, drawn.test
    made = [draw_pairs(r, captions, n, s) for r, n, s in zip(splits, counts, seeds, strict=True)]
    return made[0], made[1], made[2]
