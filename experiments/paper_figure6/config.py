"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fusiontheory.simulate import SimulationGrid
from fusiontheory.synthetic import SyntheticConfig


@dataclass(frozen=True)
class Panel:
    """One target, aligned or not.

    Attributes:
        target: "story", whose interaction goes as the modalities align, or "matching".
        condition: "aligned" or "unaligned".
        correlation: canonical correlation of every coordinate.
        interaction: bilinear share of the target's variance; of the story only.
        attention: the head that stands for the paper's attention.
        misfit: eps_concat - eps_attention as the paper has it, 0 when aligned.
    """

    target: str
    condition: str
    correlation: float
    interaction: float | None
    attention: str
    misfit: float


PANELS = (
    Panel("story", "aligned", 0.9, 0.0, "sum", 0.0),
    Panel("story", "unaligned", 0.0, 0.8, "sum", 0.8),
    # The additive head is at chance, risk 1, so that the misfit is what the bilinear head gains.
    Panel("matching", "aligned", 0.9, None, "bilinear", 0.0),
    Panel("matching", "unaligned", 0.3, None, "bilinear", float("nan")),
)


@dataclass(frozen=True)
class Config:
    """Heads, sample sizes and the ridge."""

    dimension: int = 32
    noise: float = 0.25
    n: tuple[int, ...] = (128, 256, 512, 1024, 2048, 4096, 8192)
    seeds: int = 10
    # Features have trace 1: a tenth of what the bilinear head's noise asks for is little ridge.
    ridge: float = 0.01
    test_rows: int = 8192
    points_per_octave: int = 3

    @property
    def fine_n(self) -> list[int]:
        """Sample sizes of the predicted lines, the measured ones among them."""
        octaves = float(np.log2(self.n[-1] / self.n[0]))
        points = np.linspace(0, octaves, round(octaves * self.points_per_octave) + 1)
        return [round(float(n)) for n in self.n[0] * 2.0**points]

    def heads(self, target: str) -> tuple[str, ...]:
        """Return the heads that are run on a target."""
        return ("additive", "bilinear", "sum") if target == "story" else ("additive", "bilinear")

    def settings(self, panel: Panel) -> SyntheticConfig:
        """Return pairs and target of a panel."""
        given: dict[str, Any] = {
            "pairs.d_v": self.dimension,
            "pairs.d_t": self.dimension,
            "pairs.correlation": panel.correlation,
        }
        if panel.target == "matching":
            return SyntheticConfig.from_settings(given | {"target.kind": "matching"})
        return SyntheticConfig.from_settings(
            given | {"target.interaction": panel.interaction, "target.noise": self.noise}
        )

    def grid(self, target: str) -> SimulationGrid:
        """Return both conditions of a target with every head, n and seed."""
        return SimulationGrid(
            configs=tuple(self.settings(panel) for panel in PANELS if panel.target == target),
            heads=self.heads(target),
            n=self.n,
            seeds=tuple(range(self.seeds)),
            ridges=(self.ridge,),
            test_rows=self.test_rows,
            predict="none",  # predicted, and stored, before anything is measured
            study=target,
        )
