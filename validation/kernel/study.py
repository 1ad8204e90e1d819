"""What is predicted and measured: the settings of the study and its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fusiontheory.checks import InputError, non_negative, positive_integer
from fusiontheory.data import FeatureSet, check_disjoint, most_pairs
from fusiontheory.heads import HEADS, find_head
from fusiontheory.solvers import PRECISIONS

__all__ = ["BEST", "ONE_DIMENSION", "Study", "check_strengths"]

BEST = "best"
"""As ridge: each head at each n with its own, chosen on dev pairs."""

ONE_DIMENSION = tuple(head.name for head in HEADS.values() if head.equal_dimensions)
"""Heads that need image and text vectors of one dimension."""


@dataclass(frozen=True)
class Study:
    """Settings of predictions and measurements.

    Attributes:
        strengths: alignment strength in [0, 1] by the name of the condition; None: features as
            given, with no heads trained to align them.
        aligned: the condition that the published claims are about.
        unequal: conditions whose image and text vectors differ in dimension: the heads of
            `ONE_DIMENSION` and retrieval are left out there.
        heads: names of fusion heads.
        sizes: numbers of training pairs, even, increasing.
        seeds: number of seeds; each draws its own pairs, the same for all heads and conditions.
        ridge: delta of K + delta I for every head; or "best", for each head and n the one of
            highest accuracy on dev pairs (`validation.kernel.search`).
        test_pairs: number of test pairs; twice the test texts, so that every text is in one
            matched and one mismatched pair.
        curve_points: sizes at which the curves are predicted, besides ``sizes``.
        entropy: root of all seeds.
        precision: of measurements on a device (`fusiontheory.solvers.PRECISIONS`); None: NumPy.

    Raises:
        InputError: for an unknown head or precision, a strength outside [0, 1], sizes that are odd
            or do not increase, or a number that is not positive.

    Example:
        >>> Study(seeds=5).sizes
        (256, 512, 1024, 2048, 4096, 8192)
    """

    strengths: Mapping[str, float | None] = field(
        default_factory=lambda: {"unaligned": 0.0, "aligned": 1.0}
    )
    aligned: str = "aligned"
    unequal: frozenset[str] = frozenset()
    heads: tuple[str, ...] = tuple(HEADS)
    sizes: tuple[int, ...] = (256, 512, 1024, 2048, 4096, 8192)
    seeds: int = 10
    ridge: float | str = BEST
    test_pairs: int = 10_000
    curve_points: int = 49
    entropy: int = 2606_01207
    precision: str | None = None

    def __post_init__(self) -> None:
        """Check every setting."""
        check_strengths(self.strengths)
        for head in self.heads:
            find_head(head)
        if not self.sizes or list(self.sizes) != sorted({*self.sizes}):
            raise InputError(f"sizes must increase, got {list(self.sizes)}")
        for name, value in [*(("sizes", n) for n in self.sizes), ("test_pairs", self.test_pairs)]:
            if positive_integer(name, value, minimum=2) % 2:
                raise InputError(f"{name} must be even, half matched, got {value}")
        positive_integer("seeds", self.seeds)
        positive_integer("curve_points", self.curve_points, minimum=2)
        if self.precision not in (None, *PRECISIONS):
            raise InputError(
                f"precision must be one of {', '.join(PRECISIONS)}, got {self.precision!r}"
            )
        if self.ridge == BEST:
            return
        if isinstance(self.ridge, str):
            raise InputError(f"ridge must be a number above 0 or {BEST}, got {self.ridge!r}")
        if non_negative("ridge", self.ridge) == 0:
            raise InputError("ridge must be above 0 to measure, got 0")

    def check_features(self, features: FeatureSet) -> None:
        """Refuse features on which the study cannot run, before anything is computed.

        Raises:
            InputError: if a split is missing (align only where strengths are numbers), two splits
                share images, or a size is beyond what the texts of a split allow.
        """
        given = all(strength is None for strength in self.strengths.values())
        needed = ("train", "test") if given else ("align", "train", "test")
        rows = {name: features.rows(name) for name in needed}
        check_disjoint(**rows)
        captions = features.text.shape[1]
        for name, wanted, split in (
            ("sizes", max(self.sizes), "train"),
            ("test_pairs", self.test_pairs, "test"),
        ):
            most = most_pairs(rows[split].size, captions)
            if wanted > most:
                raise InputError(
                    f"{name} must be at most {most}, twice the {rows[split].size} {split} images"
                    f" x {captions} texts, got {wanted}"
                )

    def heads_of(self, condition: str) -> tuple[str, ...]:
        """Return the heads that a condition can have.

        >>> Study(unequal=frozenset({"unaligned"})).heads_of("unaligned")
        ('concat-linear', 'concat-mlp', 'bilinear')
        """
        left_out = ONE_DIMENSION if condition in self.unequal else ()
        return tuple(head for head in self.heads if head not in left_out)

    def strength_of(self, condition: str) -> float | None:
        """Return the strength of a condition, as a cell holds it."""
        strength = self.strengths[condition]
        return None if strength is None else float(strength)


def check_strengths(strengths: Mapping[str, float | None]) -> None:
    """Check strengths of alignment by condition; None is "as given".

    Raises:
        InputError: if there is no condition, or a strength outside [0, 1].

    >>> check_strengths({"far": 2.0})
    Traceback (most recent call last):
    fusiontheory.checks.InputError: strength of far must be from 0 to 1, got 2.0
    """
    if not strengths:
        raise InputError("strengths must name at least one condition, got none")
    for name, strength in strengths.items():
        if strength is not None and non_negative(f"strength of {name}", strength) > 1:
            raise InputError(f"strength of {name} must be from 0 to 1, got {strength}")
