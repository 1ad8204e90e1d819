"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from experiments.degraded_networks import NoisyNetworks
from validation.trained import TrainedCell

__all__ = ["Config"]


@dataclass(frozen=True)
class Config(NoisyNetworks):
    """As `experiments.degraded_networks`: strong noise on both sides, at every n, more seeds."""

    heads: tuple[str, ...] = ("concat-mlp", "cross-attention")
    predicted: tuple[str, ...] = ("concat-mlp",)
    sigmas: tuple[float, ...] = (0.2, 0.5)
    sizes: tuple[int, ...] = (2048, 4096, 8192, 16384)
    strengths: Mapping[str, float] = field(default_factory=lambda: {"aligned": 1.0})
    seeds: int = 10

    def cells(self) -> dict[str, list[TrainedCell]]:
        """Return the cells of each n, aligned, all at the fixed setting."""
        return {
            f"n = {n}": [
                cell
                for cell in replace(self, noisy=n).study.cells("fixed-noise")
                if cell.noise.side == "both"
            ]
            for n in self.sizes
        }
