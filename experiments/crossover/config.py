"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.simulate import SimulationGrid

CELL = ["ridge", "correlation", "interaction"]


@dataclass(frozen=True)
class Config:
    """Cells of the phase diagram, heads, sample sizes and ridges."""

    dimension: int = 32
    cells: int = 20
    # At 1 half of the products would have no variance.
    largest_correlation: float = 0.95
    noise: float = 0.25
    # Products number 1024, so that the bilinear head interpolates below n = 1024.
    n: tuple[int, ...] = (128, 256, 512, 1024, 1536, 2048, 4096, 8192)
    seeds: int = 5
    # Features have trace 1. The first ridge is nearly none. The second is the best one of the
    # bilinear head, noise and misfit over target, at the interaction share 5/8; 1 to one digit.
    ridges: tuple[float, ...] = (0.001, 1.0)
    heads: tuple[str, ...] = ("additive", "bilinear")
    shown_n: tuple[int, ...] = (512, 2048, 8192)

    @property
    def correlations(self) -> list[float]:
        """Canonical correlation of every coordinate, the alignment axis."""
        return [float(x) for x in np.linspace(0.0, self.largest_correlation, self.cells).round(6)]

    @property
    def interactions(self) -> list[float]:
        """Share of the target's variance that is bilinear."""
        return [float(x) for x in np.linspace(0.0, 1.0, self.cells).round(6)]

    def grid(self) -> SimulationGrid:
        """Return every cell with every head, n, seed and ridge."""
        base = {
            "pairs.d_v": self.dimension,
            "pairs.d_t": self.dimension,
            "target.kind": "mix",
            "target.noise": self.noise,
        }
        vary = {
            "pairs.correlation": self.correlations,
            "target.interaction": self.interactions,
        }
        return SimulationGrid.of(
            base,
            vary,
            heads=self.heads,
            n=self.n,
            seeds=self.seeds,
            ridges=self.ridges,
            predict="none",  # predicted, and stored, before anything is measured
            study="crossover",
        )
