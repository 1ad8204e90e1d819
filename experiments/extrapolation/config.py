"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Config:
    """Pilots, what is foretold, and how the pilot's own learning curve is measured."""

    strengths: Mapping[str, float] = field(
        default_factory=lambda: {"unaligned": 0.0, "aligned": 1.0}
    )
    heads: tuple[str, ...] = ("bilinear", "concat-mlp", "dot-product")
    # n0: pairs, and images that they are made of, one text each.
    pilots: tuple[int, ...] = (256, 512, 1024)
    repeats: int = 5
    factors: tuple[int, ...] = (2, 4, 8)
    ridge: float = 0.1
    # Sizes of nested subsets of the pilot: nine, a factor of sqrt 2 apart.
    halvings: float = 4.0
    points: int = 9
    # Orders of the pilot's images and texts, each with its pairs and nested subsets of them.
    orders: int = 4
    test_pairs: int = 10_000
    seed: int = 9502

    @property
    def keys(self) -> list[str]:
        """Return the names that tell pilots apart."""
        return ["condition", "n0", "pilot"]

    @property
    def cases(self) -> list[dict[str, Any]]:
        """Return the settings of every pilot in every condition."""
        names = ("heads", "factors", "ridge", "seed")
        shared = {name: getattr(self, name) for name in names}
        return [
            {"condition": name, "n0": n0, "pilot": repeat, **shared}
            for repeat in range(self.repeats)
            for n0 in self.pilots
            for name in self.strengths
        ]

    def subsets(self, n0: int) -> list[int]:
        """Return the even sizes of the subsets, up to n0 itself.

        Example:
            >>> Config().subsets(256)
            [16, 22, 32, 46, 64, 90, 128, 182, 256]
        """
        exponents = [-self.halvings * (1 - k / (self.points - 1)) for k in range(self.points)]
        return [2 * round(n0 * 2**exponent / 2) for exponent in exponents]
