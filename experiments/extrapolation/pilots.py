"""Pilots: so many images with one text each, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.extrapolation.config import Config
from fusiontheory.data import FeatureSet, Pairs, draw_pairs
from fusiontheory.typing import Single
from validation.conditions import condition_features
from validation.data import shipped_features

__all__ = ["Pilot", "conditions"]

# Alignment heads of earlier runs, found again; not part of the repository.
_HEADS_FOUND = Path(__file__).parents[2] / ".cache" / "heads"


@dataclass(frozen=True, eq=False)
class Pilot:
    """n0 images with one text each, the orders of their pairs, and the seed of the test pairs."""

    image: Single
    text: Single
    draws: list[Pairs]
    test_seed: np.random.SeedSequence

    @classmethod
    def of(cls, config: Config, features: FeatureSet, n0: int, repeat: int) -> Pilot:
        """Return one pilot, the same images in each condition."""
        root = np.random.SeedSequence(config.seed, spawn_key=(n0, repeat))
        pick, test_seed, *orders = root.spawn(2 + config.orders)
        image, text = _pilot(features, n0, np.random.default_rng(pick))
        draws = [draw_pairs(np.arange(n0), 1, n0, order) for order in orders]
        return cls(image, text, draws, test_seed)


def _pilot(features: FeatureSet, n0: int, rng: np.random.Generator) -> tuple[Single, Single]:
    """Return n0 training images and one text of each."""
    chosen = rng.choice(features.rows("train"), n0, replace=False)
    caption = rng.integers(features.text.shape[1], size=n0)
    return features.image[chosen], features.text[chosen, caption]


def conditions(config: Config) -> dict[str, FeatureSet]:
    """Return the shipped features of each condition."""
    return condition_features(shipped_features(), config.strengths, _HEADS_FOUND)
