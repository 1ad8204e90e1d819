"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HEADS", "Config"]

HEADS = (
    "image-only",
    "text-only",
    "concat-linear",
    "bilinear",
    "interaction",
    "additive-quadratic",
    "concat-mlp",
    "rbf-both",
)


@dataclass(frozen=True)
class Config:
    """Worlds, pilots and training sets.

    Attributes:
        worlds: synthetic ones.
        sets: whether the labelled sets of the shared folder take part.
        pilots: (items, how many) of each task.
        large: items of a pilot that every seventh task has besides.
        jobs: processes; no result depends on it.
        training_sets: (items, how many) from which a truth is measured.
        target: n of the choice.
        pool, test: items of a synthetic world that training sets are drawn from, and that judge.
    """

    worlds: int = 200
    sets: bool = True
    pilots: tuple[tuple[int, int], ...] = ((60, 1), (100, 2), (300, 1))
    large: int = 1000
    training_sets: tuple[tuple[int, int], ...] = ((50, 2), (100, 2), (200, 1), (400, 1), (800, 1))
    target: int = 800
    pool: int = 1600
    test: int = 1000
    jobs: int = 2

    @property
    def sizes(self) -> list[int]:
        """Sizes at which curves are judged."""
        return [n for n, _ in self.training_sets]
