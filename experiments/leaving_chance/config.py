"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

from fusiontheory.data import FeatureSet
from fusiontheory.training import TrainingSettings
from validation.data import shipped_features
from validation.trained import TrainedStudy, Trial

__all__ = ["Config"]


@dataclass(frozen=True)
class Config:
    """Head, condition, n and the settings that are tried.

    Attributes:
        head: the network.
        condition: aligned, or unaligned.
        n: training pairs.
        trials: learning rate, weight decay, and whether initial logits have a spread of one.
    """

    head: str = "token-attention"
    condition: str = "aligned"
    n: int = 4096
    trials: tuple[Trial, ...] = (
        Trial(1e-2, 0.0, False),
        Trial(1e-2, 0.0, True),
        Trial(3e-2, 0.0, True),
    )

    @property
    def study(self) -> TrainedStudy:
        """The study of trained heads with this head alone."""
        return TrainedStudy(
            strengths={self.condition: float(self.condition == "aligned")},
            sizes=(self.n,),
            heads=(self.head,),
            training=TrainingSettings(dtype="bfloat16"),
        )

    def features(self) -> FeatureSet:
        """Return the features that are shipped with the project."""
        return shipped_features()
