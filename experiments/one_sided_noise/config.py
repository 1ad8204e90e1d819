"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.degraded_networks import ENDS, NoisyNetworks
from validation.trained import TrainedCell

__all__ = ["SIDES", "Config"]

SIDES = ("image", "text")


@dataclass(frozen=True)
class Config(NoisyNetworks):
    """As `experiments.degraded_networks`, with noise on images or on texts and no controls."""

    heads: tuple[str, ...] = ("concat-mlp", "bilinear")

    def cells(self) -> dict[str, list[TrainedCell]]:
        """Return the cells of each side, at both ends, all at the fixed setting."""
        noisy = [cell for cell in self.study.cells("fixed-noise") if cell.condition in ENDS]
        return {side: [cell for cell in noisy if cell.noise.side == side] for side in SIDES}
