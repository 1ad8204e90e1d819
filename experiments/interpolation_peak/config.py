"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fusiontheory.synthetic import SharedLatentPairs, SyntheticConfig, Target

Head = Literal["additive", "bilinear"]


@dataclass(frozen=True)
class Config:
    """Dimension, ridges, sample sizes and draws of the study."""

    d: int = 24
    noise: float = 0.25
    # Over the trace of the head's covariance; the last is the best, s^2 tr / b^2.
    ridges: tuple[float, ...] = (0.0, 0.001, 0.01, 0.25)
    # n over the number of features, 48 and 576.
    ratios: tuple[float, ...] = (
        0.25,
        0.5,
        0.75,
        0.875,
        0.9375,
        1.0,
        1.0625,
        1.125,
        1.25,
        1.5,
        2.0,
        4.0,
        8.0,
    )
    draws: tuple[tuple[Head, int], ...] = (("additive", 400), ("bilinear", 60))
    targets: int = 4
    seed: int = 71200

    def features(self, head: Head) -> int:
        """Return the number of features, d_v + d_t or d_v d_t."""
        return 2 * self.d if head == "additive" else self.d**2

    @property
    def counts(self) -> list[tuple[Head, int]]:
        """Return each head with its number of features."""
        return [(head, self.features(head)) for head, _ in self.draws]

    def trace(self, head: Head) -> float:
        """Return the trace of the covariance of the head's features; each modality has trace 1."""
        return 2.0 if head == "additive" else 1.0

    def sizes(self, head: Head) -> tuple[int, ...]:
        """Return the n that are run."""
        return tuple(round(ratio * self.features(head)) for ratio in self.ratios)

    def configurations(self, head: Head) -> tuple[SyntheticConfig, ...]:
        """Return flat features with each of the targets, which the head can represent."""
        pairs = SharedLatentPairs(self.d, self.d)
        return tuple(
            SyntheticConfig(pairs, Target(kind=head, noise=self.noise, seed=seed))
            for seed in range(self.targets)
        )
