"""What is trained: conditions, sizes, heads, seeds, noise, and the one fixed setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fusiontheory.checks import InputError, non_negative, positive_integer
from fusiontheory.features import FeatureSet
from fusiontheory.heads.networks import NETWORKS
from fusiontheory.pairs import check_disjoint, most_pairs
from fusiontheory.training import TrainingSettings
from validation.trained.noise import Noise

__all__ = ["MAIN_HEADS", "PARTS", "SETTING", "TrainedCell", "TrainedStudy"]

PARTS = ("grid", "noise")
"""The grid has no noise; the noise part has one n and the heads of ``MAIN_HEADS``."""

MAIN_HEADS = ("concat-mlp", "cross-attention", "bilinear", "dot-product")

SETTING = "fixed: Adam 1e-3, batch 256, 30 epochs, patience 5 on dev accuracy"
"""The setting of the paper is not published in what we have of it; this is what we assume."""

_STRENGTHS = MappingProxyType({"unaligned": 0.0, "aligned": 1.0})
# What the claims need first.
_NOISY_SIDES = ("both", "image", "text")


@dataclass(frozen=True)
class TrainedCell:
    """One head on one feature set at one n, trained with every seed."""

    condition: str
    head: str
    n: int
    noise: Noise = field(default_factory=Noise)

    def __str__(self) -> str:
        """Return its name, as reports of missing cells have it."""
        return f"{self.condition}, {self.head}, n = {self.n}{self.noise}"


@dataclass(frozen=True)
class TrainedStudy:
    """Settings of the study of trained heads.

    At one condition, n and seed all heads have the same training pairs; all runs share dev and
    test pairs. The n pairs of a seed are the first of its longest draw.

    Attributes:
        strengths: alignment strength in [0, 1] by the name of the condition.
        sizes: numbers of training pairs, even, increasing.
        heads: names of networks.
        seeds: number of seeds; each draws training pairs, weights and the order of pairs.
        sigmas: noise, standard deviation in each coordinate, above 0.
        noise_heads: trained with noise.
        noise_size: training pairs with noise.
        renormalise: bring noisy features back to unit norm.
        dev_pairs, test_pairs: drawn once from the dev and the test images.
        training: the fixed setting, for every head.
        entropy: root of all seeds.

    Raises:
        InputError: for an unknown head, a strength outside [0, 1], sizes that are odd or do not
            increase, or a number that is not positive.

    Example:
        >>> len(TrainedStudy(heads=("bilinear",), sizes=(2048, 4096)).cells("grid"))
        4
    """

    strengths: Mapping[str, float] = field(default_factory=lambda: dict(_STRENGTHS))
    sizes: tuple[int, ...] = (2048, 4096, 8192, 16384)
    heads: tuple[str, ...] = tuple(NETWORKS)
    seeds: int = 5
    sigmas: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    noise_heads: tuple[str, ...] = MAIN_HEADS
    noise_size: int = 2048
    renormalise: bool = True
    dev_pairs: int = 2000
    test_pairs: int = 10_000
    training: TrainingSettings = field(default_factory=TrainingSettings)
    entropy: int = 2606_01207

    def __post_init__(self) -> None:
        """Check every setting."""
        for name, strength in self.strengths.items():
            if not 0 <= non_negative(f"strength of {name}", strength) <= 1:
                raise InputError(f"strength of {name} must be from 0 to 1, got {strength}")
        for head in (*self.heads, *self.noise_heads):
            if head not in NETWORKS:
                raise InputError(f"heads must be among {', '.join(NETWORKS)}, got {head!r}")
        if not self.sizes or list(self.sizes) != sorted({*self.sizes}):
            raise InputError(f"sizes must increase, got {list(self.sizes)}")
        for name in ("sizes", "noise_size", "dev_pairs", "test_pairs"):
            value = getattr(self, name)
            for n in value if isinstance(value, tuple) else (value,):
                if positive_integer(name, n, minimum=2) % 2:
                    raise InputError(f"{name} must be even, half matched, got {n}")
        positive_integer("seeds", self.seeds)
        for sigma in self.sigmas:
            if non_negative("sigmas", sigma) == 0:
                raise InputError("sigmas must be above 0, the grid has no noise, got 0")

    def check_features(self, features: FeatureSet) -> None:
        """Refuse features on which the study cannot run, before anything is computed.

        Raises:
            InputError: if a split is missing, two splits share images, or a number of pairs is
                beyond what the texts of a split allow.
        """
        rows = {name: features.rows(name) for name in ("align", "train", "dev", "test")}
        check_disjoint(**rows)
        captions = features.text.shape[1]
        for name, wanted, split in (
            ("sizes", max(*self.sizes, self.noise_size), "train"),
            ("dev_pairs", self.dev_pairs, "dev"),
            ("test_pairs", self.test_pairs, "test"),
        ):
            most = most_pairs(rows[split].size, captions)
            if wanted > most:
                raise InputError(
                    f"{name} must be at most {most}, twice the {rows[split].size} {split} images"
                    f" x {captions} texts, got {wanted}"
                )

    def cells(self, part: str | None = None) -> list[TrainedCell]:
        """Return the cells of a part, or of all, in the order in which they are trained.

        Raises:
            InputError: for an unknown part.
        """
        if part is not None and part not in PARTS:
            raise InputError(f"part must be one of {', '.join(PARTS)}, got {part!r}")
        grid = list(self._grid()) if part != "noise" else []
        return grid + (list(self._noise()) if part != "grid" else [])

    def _grid(self) -> Iterator[TrainedCell]:
        first = [head for head in MAIN_HEADS if head in self.heads]
        others = [head for head in self.heads if head not in first]
        for heads in (first, others):
            for n in self.sizes:
                for condition in reversed(list(self.strengths)):
                    yield from (TrainedCell(condition, head, n) for head in heads)

    def _noise(self) -> Iterator[TrainedCell]:
        for condition in reversed(list(self.strengths)):
            for side in _NOISY_SIDES:
                for sigma in self.sigmas:
                    noise = Noise(sigma, side)
                    for head in self.noise_heads:
                        yield TrainedCell(condition, head, self.noise_size, noise)
