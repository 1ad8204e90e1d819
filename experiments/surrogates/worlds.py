"""Training and test pairs of each world."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from experiments.surrogates.config import STRENGTHS, Config
from experiments.surrogates.law import CaptionLaw
from fusiontheory.data import FeatureSet, draw_pairs, normalise
from fusiontheory.solvers import PairFeatures, gather
from fusiontheory.typing import Single
from validation.conditions import condition_features
from validation.data import shipped_features

__all__ = ["Worlds", "at_unit_norm", "worlds_of"]

# Alignment heads of earlier runs, found again; not part of the repository.
_HEADS_FOUND = Path(__file__).parents[2] / ".cache" / "heads"

_TRAIN, _TEST, _FEATURES, _FRESH = 0, 1, 2, 3  # spawn keys of a seed


@dataclass(frozen=True, eq=False)
class Worlds:
    """Features of one condition, and what is drawn with their moments.

    Attributes:
        config: of the study.
        features: shipped, of the condition.
        law: with the moments of those images that predictions may know.
    """

    config: Config
    features: FeatureSet
    law: CaptionLaw

    def pairs(self, world: str, seed: int, n: int) -> tuple[PairFeatures, PairFeatures]:
        """Return n training pairs and the test pairs of a world.

        Test pairs share images in every world: that changes their spread, not their mean.
        """
        features = self.features if world.startswith("real") else self.surrogate(seed)
        if world.endswith("unit"):
            features = at_unit_norm(features)
        rng = _seed(self.config, seed, _TEST)
        captions = features.text.shape[1]
        test_pairs = draw_pairs(features.rows("test"), captions, self.config.test_pairs, rng)
        test = gather(features.image, features.text, test_pairs)
        if world == "real, fresh":
            return self._real_fresh(seed, n), test
        if world == "gaussian, fresh":
            rng_fresh = np.random.default_rng(_seed(self.config, seed, _FRESH))
            image, text = self.law.draw(n + n // 2, 1, rng_fresh)
            return _fresh(image, text[:, 0], n), test
        drawn = draw_pairs(features.rows("train"), captions, n, _seed(self.config, seed, _TRAIN))
        return gather(features.image, features.text, drawn), test

    @lru_cache(maxsize=1)  # noqa: B019 - two of them live as long as the run
    def surrogate(self, seed: int) -> FeatureSet:
        """Return Gaussian features with as many images, captions and splits."""
        rng = np.random.default_rng(_seed(self.config, seed, _FEATURES))
        images, captions, _ = self.features.text.shape
        return FeatureSet(*self.law.draw(images, captions, rng), split=self.features.split)

    def _real_fresh(self, seed: int, n: int) -> PairFeatures:
        rng = np.random.default_rng(_seed(self.config, seed, _FRESH))
        rows = rng.permutation(self.features.rows("train"))[: n + n // 2]
        caption = rng.integers(self.features.text.shape[1], size=len(rows))
        return _fresh(self.features.image[rows], self.features.text[rows, caption], n)


def worlds_of(config: Config) -> dict[str, Worlds]:
    """Return the shipped features of each condition, and what is drawn with their moments."""
    conditions = condition_features(shipped_features(), STRENGTHS, _HEADS_FOUND)
    by_name = {}
    for name, features in conditions.items():
        # Of the same images as `condition_moments`.
        splits = ("align", "train") if STRENGTHS[name] == 0 else ("train",)
        rows = features.rows(*splits)
        law = CaptionLaw.of_features(features.image[rows], features.text[rows])
        by_name[name] = Worlds(config, features, law)
    return by_name


def at_unit_norm(features: FeatureSet) -> FeatureSet:
    """Return every feature divided by its length."""
    image, text = (
        normalise(x, name).astype(np.float32)
        for name, x in (("image", features.image), ("text", features.text))
    )
    return FeatureSet(image, text, split=features.split)


def _fresh(image: Single, text: Single, n: int) -> PairFeatures:
    """Return n pairs, alternately matched and mismatched, of 3 n / 2 images, each used once."""
    half = n // 2
    v, t = np.empty((n, image.shape[1]), np.float32), np.empty((n, text.shape[1]), np.float32)
    v[::2], t[::2] = image[:half], text[:half]
    v[1::2], t[1::2] = image[half:n], text[n : n + half]
    return PairFeatures(v, t, np.tile([1.0, -1.0], half))


def _seed(config: Config, seed: int, purpose: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(config.entropy, spawn_key=(seed, purpose))
