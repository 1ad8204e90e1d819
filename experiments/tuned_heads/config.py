"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

from fusiontheory.data import FeatureSet
from fusiontheory.training import TrainingSettings
from validation.data import shipped_features
from validation.trained import TrainedStudy

__all__ = ["Config"]

_STRENGTHS = {"aligned": 1.0, "unaligned": 0.0}


@dataclass(frozen=True)
class Config:
    """Heads, where they are tuned, and how many seeds.

    Attributes:
        places: head and condition that are predicted.
        searched: those of them that are searched.
        n: training pairs.
        seeds: of training pairs, weights and order, at what the search chose.
    """

    places: tuple[tuple[str, str], ...] = (
        ("token-attention", "aligned"),
        ("low-rank", "aligned"),
        ("low-rank", "unaligned"),
        ("gated", "aligned"),
        ("gated", "unaligned"),
        ("two-way-attention", "aligned"),
    )
    searched: tuple[tuple[str, str], ...] = places[1:5]
    n: int = 4096
    seeds: int = 3

    def study(self, head: str, condition: str) -> TrainedStudy:
        """Return the study of trained heads with one head at one condition and n."""
        return TrainedStudy(
            strengths={condition: _STRENGTHS[condition]},
            sizes=(self.n,),
            heads=(head,),
            seeds=self.seeds,
            training=TrainingSettings(dtype="bfloat16"),
        )

    def features(self) -> FeatureSet:
        """Return the features that are shipped with the project."""
        return shipped_features()
