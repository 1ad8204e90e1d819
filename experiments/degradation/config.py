"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fusiontheory.simulate import SimulationGrid
from fusiontheory.synthetic import SyntheticConfig


@dataclass(frozen=True)
class Config:
    """Targets, degradations of the text features, heads, sample sizes and the ridge."""

    dimension: int = 16
    correlation: float = 0.6
    noise: float = 0.25
    # Concatenation approximates best at 0.2, as in the paper's aligned case, and worst at 0.8.
    targets: tuple[tuple[str, float | None], ...] = (
        ("additive-led", 0.2),
        ("interaction-led", 0.8),
        ("matching", None),
    )
    # Of t alone, after the labels are made. Noise is in units of a coordinate's deviation.
    levels: tuple[tuple[str, tuple[float, ...]], ...] = (
        ("noise", (0.0, 0.25, 0.5, 1.0, 2.0)),
        ("rotation", (0.0, 0.25, 0.5, 0.75, 1.0)),
        ("shuffling", (0.0, 0.2, 0.4, 0.6, 0.8)),
        ("dropping", (0.0, 2.0, 4.0, 8.0, 12.0)),
    )
    # The bilinear head interpolates up to n = 256.
    n: tuple[int, ...] = (64, 256, 1024)
    seeds: int = 10
    # Features have trace 1. Near the best ridge of the bilinear head, as in experiments/crossover.
    ridge: float = 1.0
    test_rows: int = 2048

    def heads(self, target: str) -> tuple[str, ...]:
        """Return the heads that are run on a target."""
        if target == "matching":
            return ("bilinear", "additive", "dot-product", "concat-mlp")
        return ("additive", "bilinear", "sum")

    def gaps(self, target: str) -> tuple[tuple[str, str], ...]:
        """Return the pairs of a concatenation (or dot product) and the fusion it is held against.

        The gap is the first one's risk less the second's.
        """
        if target == "matching":
            return tuple((head, "bilinear") for head in ("additive", "concat-mlp", "dot-product"))
        return ("additive", "bilinear"), ("additive", "sum")

    def settings(self, target: str, kind: str, level: float) -> SyntheticConfig:
        """Return pairs, target and degraded text features."""
        given: dict[str, Any] = {
            "pairs.d_v": self.dimension,
            "pairs.d_t": self.dimension,
            "pairs.correlation": self.correlation,
        }
        share = dict(self.targets)[target]
        if share is None:
            given |= {"target.kind": "matching"}
        else:
            given |= {"target.interaction": share, "target.noise": self.noise}
        field = {
            "noise": "sigma_t",
            "rotation": "rotation_t",
            "shuffling": "shuffle_t",
            "dropping": "drop_t",
        }[kind]
        value: float | int = level
        if kind == "noise":
            value = level / self.dimension**0.5
        elif kind == "dropping":
            value = int(level)
        return SyntheticConfig.from_settings(given | {f"degradation.{field}": value})

    @property
    def cases(self) -> list[tuple[str, float]]:
        """Every degradation and level; level 0 is the same of each and comes once."""
        rest = [(kind, level) for kind, levels in self.levels for level in levels[1:]]
        return [("none", 0.0), *rest]

    def grid(self, target: str) -> SimulationGrid:
        """Return every degradation and level of a target with every head, n and seed."""
        configs = [
            self.settings(target, "noise" if kind == "none" else kind, level)
            for kind, level in self.cases
        ]
        return SimulationGrid(
            configs=tuple(configs),
            heads=self.heads(target),
            n=self.n,
            seeds=tuple(range(self.seeds)),
            ridges=(self.ridge,),
            test_rows=self.test_rows,
            predict="none",  # predicted, and stored, before anything is measured
            study=target,
        )
