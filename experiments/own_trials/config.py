"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

from fusiontheory.synthetic import FOREIGN

__all__ = ["TRUTH", "Config", "chosen_populations"]

TRUTH = "foreign_features"
"""The study whose measured accuracies are the truth."""


def chosen_populations(each: int) -> tuple[str, ...]:
    """Return the first populations of every kind."""
    kinds: dict[str, list[str]] = {}
    for name, population in FOREIGN.items():
        kinds.setdefault(population.kind, []).append(name)
    return tuple(name for names in kinds.values() for name in names[:each])


@dataclass(frozen=True)
class Config:
    """Populations, heads, sizes and samples.

    Attributes:
        populations: names in `fusiontheory.synthetic.FOREIGN`: the first two of every kind.
        heads: predicted, and tried.
        images: rows of a sample.
        sample: number of the sample of each population; no other study has drawn it.
        sizes: training pairs.
        ridge: the fixed one.
        seed: of `experiments.foreign_features`, whose populations and truth these are.
    """

    populations: tuple[str, ...] = chosen_populations(2)
    heads: tuple[str, ...] = ("concat-mlp", "bilinear")
    images: tuple[int, ...] = (500, 3000)
    sample: int = 20
    sizes: tuple[int, ...] = (128, 512, 2048)
    ridge: float = 0.1
    seed: int = 20261130
