"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from experiments.token_attention import REAL
from experiments.token_attention import Config as Tokens
from experiments.token_objects import POPULATIONS
from experiments.token_objects import Config as Objects
from fusiontheory.typing import Integers

__all__ = ["BASE", "Config", "Folds", "Run"]


@dataclass(frozen=True)
class Run:
    """How networks are trained at one place of the search, or beside its choice.

    Attributes:
        rate, decay, scale: learning rate, weight decay, factor on the initial weights.
        epochs, patience: at most so many, and so many without a better one.
        width: of query, key and answer.
    """

    rate: float = 1e-2
    decay: float = 1e-4
    scale: float = 1.0
    epochs: int = 60
    patience: int = 20
    width: int = 64


BASE = Run()
"""Where every search starts: what earlier studies chose for `token-bilinear`."""


@dataclass(frozen=True)
class Folds(Tokens):
    """The real tokens in folds: no test image of one is in another, and none chooses anywhere.

    The images to choose on are the same in all folds, and none of them is trained or tested on.
    """

    real_images: tuple[int, int, int] = (608, 92, 200)

    def real_rows(self, pool: Integers, seed: int) -> list[Integers]:
        """Return the rows of a fold to train, to choose and to test on."""
        _, dev, test = self.real_images
        order = np.random.default_rng(self.entropy).permutation(pool)
        chosen, rest = order[:dev], np.roll(order[dev:], -seed * test)
        return [rest[test:], chosen, rest[:test]]


@dataclass(frozen=True)
class Config:
    """Populations, networks, the search, and what stands beside its choice.

    Attributes:
        populations: the real one of `experiments.token_attention`, and those of
            `experiments.token_objects` with images of their own.
        networks: names of token networks; the heads of the same names are their kernels.
        n: training pairs.
        draws: of images; folds of the real ones.
        seeds: initial weights that are trained at the choice.
        rates, decays, scales: the ladders that the search climbs, from `BASE`.
        ridges: of kernels that are chosen on dev pairs, over the mean of K(x, x).
        tangent_draws: the first so many draws have tangent kernels.
        entropy: root of all random numbers.
    """

    populations: tuple[str, ...] = (REAL, *POPULATIONS)
    networks: tuple[str, ...] = ("token-bilinear", "token-mlp")
    n: int = 4096
    draws: int = 4
    seeds: int = 3
    rates: tuple[float, ...] = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
    decays: tuple[float, ...] = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    scales: tuple[float, ...] = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
    ridges: tuple[float, ...] = tuple(float(10 ** (k / 2)) for k in range(-4, 6))
    tangent_draws: int = 2
    entropy: int = 17_0017

    def of(self, population: str) -> Tokens:
        """Return the settings of the study that a population is of, with draws of this one."""
        source: Tokens = Objects() if population in POPULATIONS else Folds()
        return replace(
            source,
            heads=self.networks,
            sizes=(self.n,),
            seeds=self.draws,
            real_seeds=self.draws,
            entropy=self.entropy,
        )

    def ladder(self, name: str) -> tuple[float, ...]:
        """Return the values that a setting of `Run` may take in the search, in their order."""
        ladders = {"rate": self.rates, "decay": self.decays, "scale": self.scales}
        return ladders[name]
