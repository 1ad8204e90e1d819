"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass, field

from experiments.blind_networks import Config as BlindConfig
from fusiontheory.data import FeatureSet
from fusiontheory.training import TrainingSettings
from validation.data import shipped_features
from validation.trained import TrainedStudy

__all__ = ["HEAD", "SHIPPED", "Config"]

HEAD = "bilinear"

SHIPPED = "shipped"
"""The features with whose curves in sight the formula was derived."""


@dataclass(frozen=True)
class Config:
    """Features, sizes, epochs and seeds.

    Attributes:
        sources: the shipped features, and encoders of `experiments.blind_networks`.
        sizes: training pairs.
        epochs: after which logits and bias are read.
        seeds: of pairs, weights and order; no other study has them.
        others: settings of the features that the formula had not seen.
    """

    sources: tuple[str, ...] = (SHIPPED, "layer3", "mobilenet")
    sizes: tuple[int, ...] = (1024, 4096, 8192)
    epochs: tuple[int, ...] = (3, 10, 30)
    seeds: tuple[int, ...] = (301, 302)
    others: BlindConfig = field(default_factory=BlindConfig)

    @property
    def study(self) -> TrainedStudy:
        """Return the study whose programs draw the pairs."""
        return TrainedStudy(strengths=dict(self.others.strengths), sizes=self.sizes, heads=(HEAD,))

    def training(self, epochs: int) -> TrainingSettings:
        """Return the published setting, stopped after so many epochs."""
        return TrainingSettings(epochs=epochs, patience=None)

    def features(self, source: str) -> FeatureSet:
        """Return the features of a source."""
        return shipped_features() if source == SHIPPED else self.others.features(source)
