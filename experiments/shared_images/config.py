"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.interval_coverage import Config as Coverage
from experiments.interval_coverage import Population
from fusiontheory.typing import Array

__all__ = ["CASES", "POPULATIONS", "RIDGE", "Case", "Config", "captioned"]

RIDGE = 0.1
POPULATIONS = {population.name: population for population in Coverage().populations}
# Of a caption's own part, relative to what the captions of one image share.
_CAPTION_NOISE = 0.7


@dataclass(frozen=True)
class Case:
    """n training pairs of so many images with so many captions; ``draws`` training sets."""

    population: str
    images: int
    captions: int
    n: int
    draws: int


CASES = (
    Case("flat", 128, 1, 128, 300),
    Case("mild", 128, 1, 128, 300),
    Case("unit norm", 128, 1, 128, 300),
    Case("flat", 512, 1, 512, 60),
    Case("mild", 512, 1, 512, 60),
    Case("unit norm", 512, 1, 512, 60),
    Case("mild", 256, 1, 512, 40),
    Case("unit norm", 256, 1, 512, 40),
    Case("mild", 512, 3, 512, 40),
    Case("mild", 128, 3, 512, 60),
    Case("unit norm", 128, 3, 512, 60),
    Case("mild", 64, 5, 512, 60),
    Case("unit norm", 64, 5, 512, 60),
)


@dataclass(frozen=True)
class Config:
    """Cases, images whose moments predict, pairs that test, and the seed."""

    cases: tuple[Case, ...] = CASES
    images_for_moments: int = 12_000
    test_pairs: int = 2000
    seed: int = 5


def captioned(
    population: Population, images: int, captions: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return image (images, d_v) and text (images, captions, d_t) features.

    With several captions each is the population's text and noise of its own.
    """
    v, t = population.draw(images, rng)
    if captions == 1:
        return v, t[:, None]
    own = rng.standard_normal((images, captions, t.shape[1])) / np.sqrt(t.shape[1])
    text = (t[:, None] + _CAPTION_NOISE * own) / np.sqrt(1 + _CAPTION_NOISE**2)
    if population.shape == "unit norm":
        text /= np.linalg.norm(text, axis=2, keepdims=True)
    return v, text
