"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

from fusiontheory.synthetic import SharedLatentPairs, SyntheticConfig, Target


@dataclass(frozen=True)
class Config:
    """Dimension, ranks of targets and heads, sample sizes and draws of the study."""

    d: int = 16
    noise: float = 0.25
    # Rank of the target, rank of the head, training sets.
    pairs: tuple[tuple[int, int, int], ...] = (
        (1, 1, 60),
        (2, 2, 40),
        (4, 4, 24),
        (8, 8, 10),
        (16, 16, 12),
        (4, 1, 12),
        (4, 2, 12),
        (4, 8, 10),
        (4, 16, 12),
    )
    full_draws: int = 24
    # The full head has 256 features; without ridge n = 240 is just below its peak.
    n: tuple[int, ...] = (240, 480, 960, 1920, 3840, 7680)
    # Draws of the noise matrix whose largest singular values an over-ranked head fits.
    cone_draws: int = 2000
    seed: int = 61100

    @property
    def best_ridge(self) -> float:
        """Return s^2 tr / b^2 of the full head: products have trace 1, the target power 1."""
        return self.noise

    @property
    def target_ranks(self) -> list[int]:
        """Return the ranks of all targets."""
        return sorted({target for target, _, _ in self.pairs})

    def configuration(self, rank: int) -> SyntheticConfig:
        """Return isotropic features with a target of this rank and power 1."""
        full = rank == self.d
        target = Target(
            kind="bilinear",
            structure="full" if full else "low-rank",
            rank=None if full else rank,
            noise=self.noise,
            seed=rank,
        )
        return SyntheticConfig(SharedLatentPairs(self.d, self.d), target)
