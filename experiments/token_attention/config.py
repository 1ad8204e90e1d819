"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.synthetic import TokenPairs
from fusiontheory.tokens import TOKEN_HEADS
from fusiontheory.typing import Array, Integers
from validation.data import shipped_tokens

__all__ = ["POPULATIONS", "REAL", "Config", "Drawn"]

POPULATIONS = {
    "4 tokens, balance 0": TokenPairs(tokens=4, balance=0.0),
    "4 tokens, balance 1": TokenPairs(tokens=4, balance=1.0),
    "9 tokens, balance 0.5": TokenPairs(tokens=9, balance=0.5),
}
REAL = "ResNet18 grid"
"""The shipped tokens: 49 cells in the first 16 of their 64 coordinates."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Tokens and texts of one seed, and the rows of its splits.

    Attributes:
        tokens: (N, m, d).
        text: (N, captions, p).
        train, dev, test: rows.
    """

    tokens: Array
    text: Array
    train: Integers
    dev: Integers
    test: Integers


@dataclass(frozen=True)
class Config:
    """Populations, heads, sample sizes and repetitions.

    Attributes:
        heads: names of token heads.
        sizes: numbers of training pairs.
        seeds, real_seeds: repetitions on made-up and on real tokens; each has its own images.
        images: of a made-up draw: to train on, to choose on, to test on.
        real_images: likewise of the 900 shipped images that no component was fitted on.
        dimension: coordinates that are kept of real tokens and of real texts.
        test_pairs, real_test_pairs: of each seed.
        networks: names of token networks.
        trained: populations on which they are trained, at the largest size.
        trained_seeds: the first so many.
        rates, decays: of the networks, chosen on dev pairs.
        epochs, patience: of the networks.
        entropy: root of all random numbers.
    """

    heads: tuple[str, ...] = tuple(TOKEN_HEADS)
    sizes: tuple[int, ...] = (512, 1024, 2048, 4096)
    seeds: int = 3
    real_seeds: int = 6
    images: tuple[int, int, int] = (2048, 1000, 3000)
    real_images: tuple[int, int, int] = (640, 60, 200)
    dimension: int = 16
    test_pairs: int = 6000
    real_test_pairs: int = 2000
    networks: tuple[str, ...] = ("token-bilinear", "token-mlp")
    trained: tuple[str, ...] = ("4 tokens, balance 0", "4 tokens, balance 1", REAL)
    trained_seeds: int = 3
    rates: tuple[float, ...] = (3e-3, 1e-2)
    decays: tuple[float, ...] = (1e-4, 1e-3)
    epochs: int = 60
    patience: int = 20
    entropy: int = 17_0006

    @property
    def populations(self) -> tuple[str, ...]:
        """All of them, the real one last."""
        return (*POPULATIONS, REAL)

    def seeds_of(self, population: str) -> int:
        """Return the number of repetitions."""
        return self.real_seeds if population == REAL else self.seeds

    def draw(self, population: str, seed: int) -> Drawn:
        """Return the images of a seed; no image is in two of its splits."""
        if population == REAL:
            return self._real(seed)
        counts = np.cumsum(self.images)
        # Another draw for each seed and population.
        number = 1000 * seed + list(POPULATIONS).index(population)
        tokens, text = POPULATIONS[population].draw(int(counts[-1]), self.entropy + number)
        rows = np.split(np.arange(counts[-1]), counts[:-1])
        return Drawn(tokens, text[:, None], *rows)

    def real_rows(self, pool: Integers, seed: int) -> list[Integers]:
        """Return the rows of a seed to train, to choose and to test on, of the real images."""
        order = np.random.default_rng([self.entropy, seed]).permutation(pool)
        return np.split(order, np.cumsum(self.real_images)[:-1])

    def _real(self, seed: int) -> Drawn:
        shipped = shipped_tokens()
        train, dev, test = self.real_rows(shipped.rows("train", "dev", "test"), seed)
        tokens = shipped.image[..., : self.dimension].astype(np.float64)
        text = shipped.text.astype(np.float64)
        # Principal components of the texts, of the training images alone.
        own = text[train].reshape(-1, text.shape[-1])
        centre = own.mean(axis=0)
        _, vectors = np.linalg.eigh(np.cov(own.T))
        return Drawn(
            tokens,
            (text - centre) @ vectors[:, : -self.dimension - 1 : -1],
            *map(np.sort, (train, dev, test)),
        )
