"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Config"]


@dataclass(frozen=True)
class Config:
    """Worlds, pilots and training sets.

    Attributes:
        worlds: synthetic ones, of which those with classes take part.
        first: seed of the first; no other study has these.
        pilots: items of the pilots of each task.
        large, every: items of a pilot that every so many tasks have besides.
        training_sets: (items, how many) from which a truth is measured.
        pool, test: items of a synthetic world that training sets are drawn from, and that judge.
        jobs: processes; no result depends on it.
    """

    worlds: int = 80
    first: int = 60_000
    pilots: tuple[int, ...] = (60, 100, 300)
    large: int = 1000
    every: int = 3
    training_sets: tuple[tuple[int, int], ...] = ((50, 6), (100, 4), (200, 2), (400, 1), (800, 1))
    pool: int = 1600
    test: int = 3000
    jobs: int = 2

    @property
    def sizes(self) -> list[int]:
        """Sizes at which accuracies are judged."""
        return [n for n, _ in self.training_sets]
