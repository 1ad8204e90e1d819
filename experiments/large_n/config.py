"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fusiontheory.data import FeatureSet
from validation.conditions import condition_features
from validation.data import shipped_features

__all__ = ["Config"]

# Alignment heads of earlier runs, found again; not part of the repository.
_HEADS_FOUND = Path(__file__).parents[2] / ".cache" / "heads"


@dataclass(frozen=True)
class Config:
    """Conditions, sizes, and on which images heads are tested.

    Attributes:
        strengths: alignment strength by condition.
        splits: images to test on, by condition; heads of alignment are trained on "align".
        sizes: numbers of training pairs, drawn from the train images as in the main job.
        ridge: about the best one of concat-mlp.
        seeds: training sets.
        entropy: root of all random numbers; the same training pairs as in the main job.
    """

    strengths: tuple[tuple[str, float], ...] = (("unaligned", 0.0), ("aligned", 1.0))
    splits: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("unaligned", ("test", "dev", "align")),
        ("aligned", ("test", "dev")),
    )
    sizes: tuple[int, ...] = (2048, 4096, 8192)
    ridge: float = 0.02
    seeds: int = 3
    entropy: int = 2606_01207

    def conditions(self) -> dict[str, FeatureSet]:
        """Return the shipped features of each condition."""
        return condition_features(shipped_features(), dict(self.strengths), _HEADS_FOUND)
