"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from fusiontheory.synthetic import SharedLatentPairs
from fusiontheory.typing import Array

Shape = Literal["gaussian", "unit norm", "heavy tails"]


# Of Student's t: variances finite with room, fourth moments of v (x) t as well.
_FREEDOM = 12


@dataclass(frozen=True)
class Population:
    """A law of pairs: Gaussian, or Gaussian pairs changed row by row.

    Attributes:
        name: in the results.
        pairs: the Gaussian pairs.
        shape: "unit norm" divides v and t by their lengths; "heavy tails" multiplies v and t by
            independent lengths, so that each is Student's t with 12 degrees of freedom.
    """

    name: str
    pairs: SharedLatentPairs
    shape: Shape = "gaussian"

    @cached_property
    def _root(self) -> Array:
        model = self.pairs.model()
        joint = np.block([[model.covariance_v, model.cross], [model.cross.T, model.covariance_t]])
        values, vectors = np.linalg.eigh(joint)
        root: Array = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        return root

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return n matched pairs, shapes (n, d_v) and (n, d_t)."""
        rows = rng.standard_normal((n, len(self._root))) @ self._root
        v, t = rows[:, : self.pairs.d_v], rows[:, self.pairs.d_v :]
        if self.shape == "unit norm":
            return v / _lengths(v), t / _lengths(t)
        if self.shape == "heavy tails":
            # Over their own variance, freedom / (freedom - 2), so that second moments stay.
            lengths = np.sqrt((_FREEDOM - 2) / rng.chisquare(_FREEDOM, (2, n, 1)))
            return v * lengths[0], t * lengths[1]
        return v, t


def _lengths(rows: Array) -> Array:
    lengths: Array = np.linalg.norm(rows, axis=1, keepdims=True)
    return lengths


@dataclass(frozen=True)
class Config:
    """Populations, numbers of images and of training pairs, replicates."""

    populations: tuple[Population, ...] = (
        Population(
            "flat",
            SharedLatentPairs(16, 16, correlation=0.5, coordinate_alignment=0.6),
        ),
        Population(
            "mild",
            SharedLatentPairs(32, 32, "power 0.6", "power 0.4", 0.6, coordinate_alignment=0.8),
        ),
        Population(
            "steep",
            SharedLatentPairs(64, 64, "power 1", "power 1", 0.7, latent_rank=16),
        ),
        Population(
            "weak",
            SharedLatentPairs(32, 32, "power 0.8", "power 0.8", 0.3, coordinate_alignment=0.6),
        ),
        Population(
            "unit norm",
            SharedLatentPairs(64, 64, "power 0.5", "power 0.5", 0.6, coordinate_alignment=0.6),
            "unit norm",
        ),
        Population(
            "heavy tails",
            SharedLatentPairs(32, 32, "power 0.6", "power 0.4", 0.6, coordinate_alignment=0.8),
            "heavy tails",
        ),
    )
    heads: tuple[str, ...] = ("bilinear", "concat-mlp", "dot-product")
    images: tuple[int, ...] = (300, 1000, 3000)
    replicates: int = 30
    # All features have second moments of trace 1, so that the ridge is that of the real study.
    ridge: float = 0.1
    # Training pairs, and training sets to measure the mean accuracy with.
    sizes: tuple[int, ...] = (128, 512, 2048)
    seeds: tuple[int, ...] = (240, 96, 36)
    # The same for training sets whose pairs share no image.
    independent_seeds: tuple[int, ...] = (120, 48, 18)
    test_pairs: int = 4000
    # Samples whose mean prediction is the theory's limit.
    limit_samples: int = 6
    limit_images: int = 20_000
    # Until the fourth run 9501: samples and training sets of the fifth had not been seen.
    seed: int = 9601

    def source(self, population: str, purpose: int) -> np.random.SeedSequence:
        """Return the root of a population's random numbers for a purpose, 0 to 3."""
        index = [one.name for one in self.populations].index(population)
        return np.random.SeedSequence(self.seed, spawn_key=(index,)).spawn(4)[purpose]

    def population(self, name: str) -> Population:
        """Return the population of that name."""
        return next(one for one in self.populations if one.name == name)

    def settings(self, *names: str) -> dict[str, Any]:
        """Return settings by name, as a record of what was run has them."""
        return {name: getattr(self, name) for name in names}
