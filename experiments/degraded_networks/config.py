"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from fusiontheory.data import FeatureSet
from fusiontheory.training import TrainingSettings
from validation.data import shipped_features
from validation.trained import TrainedCell, TrainedStudy

__all__ = ["ENDS", "Config"]

ENDS = ("aligned", "unaligned")
_STRENGTHS = MappingProxyType(
    {
        "unaligned": 0.0,
        "strength-0.25": 0.25,
        "strength-0.5": 0.5,
        "strength-0.75": 0.75,
        "aligned": 1.0,
    }
)


@dataclass(frozen=True)
class Config:
    """Heads, noise, strengths of alignment, sizes and seeds.

    Attributes:
        heads: networks that are trained.
        predicted: those of them that Adam's metric says something of; the others are trained on
            aligned features alone, as the claims ask.
        sigmas: noise on both sides, standard deviation in each coordinate.
        noisy: training pairs under noise and under controls.
        sizes: training pairs at strengths of alignment between the ends.
        strengths: of alignment, by the name of the condition.
        seeds: of training pairs, weights and order.
    """

    heads: tuple[str, ...] = ("concat-mlp", "cross-attention", "bilinear")
    predicted: tuple[str, ...] = ("concat-mlp", "bilinear")
    sigmas: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    noisy: int = 2048
    sizes: tuple[int, ...] = (2048, 4096)
    strengths: Mapping[str, float] = field(default_factory=lambda: {**_STRENGTHS})
    seeds: int = 3

    @property
    def study(self) -> TrainedStudy:
        """The study of trained heads with these settings."""
        return TrainedStudy(
            strengths=dict(self.strengths),
            sizes=self.sizes,
            heads=self.heads,
            main_heads=self.heads,
            seeds=self.seeds,
            sigmas=self.sigmas,
            small=self.noisy,
            training=TrainingSettings(dtype="bfloat16"),
        )

    def features(self) -> FeatureSet:
        """Return the features that are shipped with the project."""
        return shipped_features()

    def cells(self) -> dict[str, list[TrainedCell]]:
        """Return the cells of each part, all at the fixed setting.

        They are "clean", "noise" and "controls", at both ends, and "between", without noise.
        """
        study = self.study
        clean = [cell for cell in study.cells("fixed") if cell.n == self.noisy]
        fixed = clean[0].variant
        parts = {
            "clean": clean,
            "noise": [cell for cell in study.cells("fixed-noise") if cell.noise.side == "both"],
            "controls": [replace(cell, variant=fixed) for cell in study.cells("controls")],
            "between": study.cells("fixed-between"),
        }
        return {
            part: [c for c in cells if c.head in self.predicted or c.condition == ENDS[0]]
            for part, cells in parts.items()
        }
