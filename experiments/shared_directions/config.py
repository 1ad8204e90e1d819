"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fusiontheory.data import FeatureSet
from validation.conditions import condition_features
from validation.data import shipped_features

__all__ = ["HEADS", "Config"]

# Alignment heads of earlier runs, found again; not part of the repository.
_HEADS_FOUND = Path(__file__).parents[2] / ".cache" / "heads"

HEADS = ("concat-mlp", "concat-mlp-aligned")
"""Both predicted and measured."""


@dataclass(frozen=True)
class Config:
    """Conditions, sample sizes, repetitions, and the network that is trained.

    Attributes:
        strengths: alignment strength by condition.
        sizes: numbers of training pairs.
        trained_sizes: those at which networks are trained.
        seeds: repetitions, each with pairs of its own; one more chooses ridge and decay on dev.
        test_pairs: of each.
        rates, decays: of the networks, chosen on dev pairs.
        epochs, patience: of the networks.
        entropy: root of all random numbers.
    """

    strengths: tuple[tuple[str, float], ...] = (("unaligned", 0.0), ("aligned", 1.0))
    sizes: tuple[int, ...] = (512, 1024, 2048, 4096)
    trained_sizes: tuple[int, ...] = (2048, 4096)
    seeds: int = 3
    test_pairs: int = 10_000
    rates: tuple[float, ...] = (1e-3, 1e-2)
    decays: tuple[float, ...] = (1e-4, 1e-3)
    epochs: int = 60
    patience: int = 20
    entropy: int = 17_0005

    def conditions(self) -> dict[str, FeatureSet]:
        """Return the shipped features of each condition."""
        return condition_features(shipped_features(), dict(self.strengths), _HEADS_FOUND)
