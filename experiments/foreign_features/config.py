"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.synthetic import FOREIGN, find_population

__all__ = ["SAMPLE", "Config", "heads_of", "population_seed"]

SAMPLE = ["population", "images", "sample"]
"""What a moment sample is named by."""


@dataclass(frozen=True)
class Config:
    """Populations, heads, sizes, ridges, samples and seeds.

    Attributes:
        populations: names in `fusiontheory.synthetic.FOREIGN`.
        images: rows that moments are estimated from.
        samples: moment samples of each population and number of images.
        sizes: training pairs.
        ridge: the fixed one, absolute; second moments have a trace of about 1.
        ridges: candidates for the best ridge, in units of the kernel's mean diagonal.
        seeds: training sets of the largest, middle and smallest size, nested.
        selection_seeds: training sets that the measured best ridge is chosen with.
        corpus: rows of the corpus that a training or test set is drawn from.
        test: test pairs of each training set.
    """

    populations: tuple[str, ...] = tuple(FOREIGN)
    heads: tuple[str, ...] = ("concat-mlp", "bilinear", "dot-product", "concat-linear")
    images: tuple[int, ...] = (500, 3000)
    samples: int = 3
    sizes: tuple[int, ...] = (128, 512, 2048)
    ridge: float = 0.1
    ridges: tuple[float, ...] = tuple(np.geomspace(1e-3, 100, 13).tolist())
    seeds: tuple[int, ...] = (32, 10, 4)
    selection_seeds: int = 2
    corpus: int = 3072
    test: int = 3000
    seed: int = 20261130


def heads_of(heads: tuple[str, ...], population: str) -> list[str]:
    """Return the heads that take the population: the dot product needs equal dimensions."""
    image, text = find_population(population).law(2, np.random.default_rng(0))
    equal = image.shape[1] == text.shape[1]
    return [head for head in heads if equal or head != "dot-product"]


def population_seed(seed: int, population: str, purpose: int) -> np.random.SeedSequence:
    """Return the seed of a population's draws for one purpose; it hangs on its name alone."""
    return np.random.SeedSequence(seed, spawn_key=(purpose, *population.encode()))
