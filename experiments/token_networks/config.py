"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from experiments.token_attention import REAL
from experiments.token_attention import Config as Tokens
from experiments.token_objects import POPULATIONS
from experiments.token_objects import Config as Objects

__all__ = ["Config"]


@dataclass(frozen=True)
class Config:
    """Populations, networks and the search.

    Attributes:
        populations: that are predicted: of `experiments.token_objects`, and the real one of
            `experiments.token_attention`, with the pairs that these studies draw.
        trained: those of them on which networks are trained.
        networks: names of token networks; the heads of the same names are their kernels.
        n: training pairs.
        seeds: the first so many.
        rates, decays: of the networks, chosen on dev pairs.
        epochs, patience: of the networks.
    """

    populations: tuple[str, ...] = (*POPULATIONS, REAL)
    trained: tuple[str, ...] = tuple(POPULATIONS)[:1]
    networks: tuple[str, ...] = ("token-bilinear", "token-mlp")
    n: int = 4096
    seeds: int = 3
    rates: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    decays: tuple[float, ...] = (1e-5, 1e-4, 1e-3)
    epochs: int = 60
    patience: int = 20

    def of(self, population: str) -> Tokens:
        """Return the settings of the study that a population is of, with this search."""
        source: Tokens = Objects() if population in POPULATIONS else Tokens()
        return replace(
            source,
            heads=self.networks,
            networks=self.networks,
            sizes=(self.n,),
            seeds=self.seeds,
            real_seeds=self.seeds,
            trained_seeds=self.seeds,
            rates=self.rates,
            decays=self.decays,
            epochs=self.epochs,
            patience=self.patience,
        )
