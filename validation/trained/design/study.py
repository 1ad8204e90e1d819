"""What is trained: conditions, sizes, heads, seeds, noise, and the settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from fusiontheory.checks import InputError, non_negative, positive_integer
from fusiontheory.data import FeatureSet, check_disjoint, most_pairs
from fusiontheory.networks import NETWORKS
from fusiontheory.training import TrainingSettings
from validation.trained.design.ablations import ABLATIONS
from validation.trained.design.condition import CONTROLS, Condition
from validation.trained.design.noise import Noise
from validation.trained.design.search_grid import Trial
from validation.trained.design.variant import FIXED, PUBLISHED, Variant

__all__ = ["MAIN_HEADS", "PARTS", "TrainedCell", "TrainedStudy"]

PARTS = (
    *("grid", "fixed", "noise", "controls", "search", "ablations"),
    *("fixed-noise", "fixed-between"),
)
"""Of the declared study: grid, noise, controls and ablations are at the published setting; fixed,
fixed-noise and fixed-between (strengths of alignment between the ends) at the fixed one. What a
search widens, and the part "tuned", come after and depend on what it found."""

MAIN_HEADS = ("concat-mlp", "cross-attention", "bilinear", "dot-product")

_STRENGTHS = MappingProxyType(
    {
        "unaligned": 0.0,
        "strength-0.25": 0.25,
        "strength-0.5": 0.5,
        "strength-0.75": 0.75,
        "aligned": 1.0,
    }
)
_NOISY_SIDES = ("both", "image", "text")
# What the claims need first.
_ENDS = ("aligned", "unaligned")


@dataclass(frozen=True)
class TrainedCell:
    """One head on one feature set at one n, trained with every seed.

    Attributes:
        condition: its name.
        head: name of the network.
        n: training pairs.
        noise: on the features.
        variant: how it is trained, if not at the published setting.
        seeds: of the runs.
    """

    condition: str
    head: str
    n: int
    noise: Noise = field(default_factory=Noise)
    variant: Variant = PUBLISHED
    seeds: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Return its name, as reports of missing cells have it."""
        return f"{self.condition}, {self.head}, n = {self.n}{self.noise}{self.variant.words}"

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.seeds) * self.variant.runs


@dataclass(frozen=True)
class TrainedStudy:
    """Settings of the study of trained heads.

    At one condition, n and seed all heads have the same training pairs; all runs share dev and
    test pairs. The n pairs of a seed are the first of its longest draw.

    Attributes:
        strengths: alignment strength in [0, 1] by the name of the condition; None: as given.
        sizes: numbers of training pairs, even, increasing.
        smaller: further numbers below these, without noise, controls and ablations: what forecasts
            to larger n start from.
        heads: names of networks.
        seeds: number of seeds; each draws training pairs, weights and the order of pairs.
        sigmas: noise, standard deviation in each coordinate, above 0.
        main_heads: trained with noise and under controls.
        small: training pairs with noise, under controls and in ablations.
        renormalise: bring noisy features back to unit norm.
        controls: of `CONTROLS`, each made of the aligned and the unaligned condition.
        search_rates, search_decays: learning rates and weight decays tried with one seed of its
            own, for every head alike; from there the search goes on until the best one on dev
            pairs is at no edge (`further_trials`), which is then trained with all seeds.
        search_whole: largest n at which the whole grid is tried; beyond, a search starts from
            what was chosen at the size before.
        search_epochs, search_patience: of the search and of the tuned setting.
        ablations: heads, and the levels they are trained at.
        dev_pairs, test_pairs: drawn once from the dev and the test images.
        training: the published setting, for every head: what we assume, as what we have of the
            paper does not give it.
        entropy: root of all seeds.

    Raises:
        InputError: for an unknown head, a strength outside [0, 1], sizes that are odd or do not
            increase, or a number that is not positive.

    Example:
        >>> len(TrainedStudy(heads=("bilinear",), sizes=(2048, 4096)).cells("grid"))
        10
    """

    strengths: Mapping[str, float | None] = field(default_factory=lambda: dict(_STRENGTHS))
    sizes: tuple[int, ...] = (2048, 4096, 8192, 16384)
    smaller: tuple[int, ...] = ()
    heads: tuple[str, ...] = tuple(NETWORKS)
    seeds: int = 5
    sigmas: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    main_heads: tuple[str, ...] = MAIN_HEADS
    small: int = 2048
    renormalise: bool = True
    controls: tuple[str, ...] = CONTROLS
    search_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    search_decays: tuple[float, ...] = (0.0, 1e-4, 1e-3, 3e-3)
    search_whole: int = 8192
    search_epochs: int = 60
    search_patience: int = 20
    ablations: tuple[tuple[tuple[str, ...], tuple[Variant, ...]], ...] = ABLATIONS
    dev_pairs: int = 2000
    test_pairs: int = 10_000
    training: TrainingSettings = field(default_factory=lambda: TrainingSettings(dtype="bfloat16"))
    entropy: int = 2606_01207

    def __post_init__(self) -> None:
        """Check every setting."""
        if not self.strengths:
            raise InputError("strengths must name at least one condition, got none")
        for name, strength in self.strengths.items():
            if strength is not None and not 0 <= non_negative(f"strength of {name}", strength) <= 1:
                raise InputError(f"strength of {name} must be from 0 to 1, got {strength}")
        for head in (*self.heads, *self.main_heads):
            if head not in NETWORKS:
                raise InputError(f"heads must be among {', '.join(NETWORKS)}, got {head!r}")
        if not self.sizes or list(self.sizes) != sorted({*self.sizes}):
            raise InputError(f"sizes must increase, got {list(self.sizes)}")
        if self.smaller and [*self.smaller] != sorted({*self.smaller} - {*self.sizes}):
            raise InputError(f"smaller must increase and have none of sizes, got {self.smaller}")
        for name in ("sizes", "smaller", "small", "dev_pairs", "test_pairs"):
            value = getattr(self, name)
            for n in value if isinstance(value, tuple) else (value,):
                if positive_integer(name, n, minimum=2) % 2:
                    raise InputError(f"{name} must be even, half matched, got {n}")
        positive_integer("seeds", self.seeds)
        for sigma in self.sigmas:
            if non_negative("sigmas", sigma) == 0:
                raise InputError("sigmas must be above 0, the grid has no noise, got 0")
        for control in self.controls:
            Condition(None, control)

    @property
    def ends(self) -> tuple[str, ...]:
        """The conditions with noise, controls, search and ablations: no strength between."""
        ends = tuple(name for name in _ENDS if name in self.strengths)
        return ends or tuple(self.strengths)

    @property
    def conditions(self) -> dict[str, Condition]:
        """Every condition by name: the strengths, and the controls of both ends."""
        plain = {name: Condition(strength) for name, strength in self.strengths.items()}
        return plain | {
            f"{name}-{control}": Condition(self.strengths[name], control)
            for control in self.controls
            for name in self.ends
        }

    @property
    def search_seed(self) -> int:
        """The seed of the search, of its own."""
        return 1000

    def least_trials(self, n: int) -> int:
        """Return the number of settings that the search of one head at n starts from."""
        whole = len(self.search_rates) * len(self.search_decays)
        return whole if n <= self.search_whole else 1

    def started_from(self, n: int) -> int | None:
        """Return the size whose search starts from the choice at n; None if that has its grid."""
        sizes = (*self.smaller, *self.sizes)
        larger = [size for size in sizes if size > n]
        return larger[0] if larger and larger[0] > self.search_whole else None

    @property
    def tuning(self) -> tuple[tuple[str, Any], ...]:
        """What differs from the published setting in the search and the tuned setting."""
        return (
            ("threshold", "scores"),
            ("epochs", self.search_epochs),
            ("patience", self.search_patience),
        )

    def check_features(self, features: FeatureSet) -> None:
        """Refuse features on which the study cannot run, before anything is computed.

        Raises:
            InputError: if a split is missing, two splits share images, or a number of pairs is
                beyond what the texts of a split allow.
        """
        names = ["train", "dev", "test"]
        if any(strength is not None for strength in self.strengths.values()):
            names.insert(0, "align")
        rows = {name: features.rows(name) for name in names}
        check_disjoint(**rows)
        captions = features.text.shape[1]
        for name, wanted, split in (
            ("sizes", max(*self.sizes, self.small), "train"),
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
        """Return the cells of a part, or of all of `PARTS`, in the order they are trained in.

        Raises:
            InputError: for an unknown part.
        """
        makers = dict(
            zip(
                PARTS,
                (
                    *(self._grid, self._fixed, self._noise),
                    *(self._controls, self._search, self._ablations),
                    *(self._fixed_noise, self._fixed_between),
                ),
                strict=True,
            )
        )
        if part is not None and part not in makers:
            raise InputError(f"part must be one of {', '.join(PARTS)}, got {part!r}")
        parts = PARTS if part is None else (part,)
        return [cell for name in parts for cell in makers[name]()]

    def tuned_cells(self, chosen: Mapping[tuple[str, str, int], Variant]) -> list[TrainedCell]:
        """Return the cells trained with all seeds at what the search chose.

        Args:
            chosen: by condition, head and n (`validation.trained.runs.search.choices`).
        """
        return [
            self._cell(*place, variant=chosen[place])
            for cell in self.cells("fixed")
            if (place := (cell.condition, cell.head, cell.n)) in chosen
        ]

    def _cell(
        self,
        condition: str,
        head: str,
        n: int,
        noise: Noise | None = None,
        variant: Variant = PUBLISHED,
    ) -> TrainedCell:
        seeds = tuple(range(self.seeds))
        return TrainedCell(condition, head, n, noise or Noise(), variant, seeds)

    def _grid(self) -> Iterator[TrainedCell]:
        between = [name for name in self.strengths if name not in self.ends]
        for conditions in (self.ends, between):
            for condition, head, n in self._in_order(conditions):
                yield self._cell(condition, head, n)

    def _fixed(self) -> Iterator[TrainedCell]:
        for condition, head, n in self._in_order(self.ends):
            yield self._cell(condition, head, n, variant=FIXED)

    def _fixed_between(self) -> Iterator[TrainedCell]:
        between = [name for name in self.strengths if name not in self.ends]
        for condition, head, n in self._in_order(between):
            yield self._cell(condition, head, n, variant=FIXED)

    def _in_order(self, conditions: Sequence[str]) -> Iterator[tuple[str, str, int]]:
        """Yield condition, head and n, the main heads and few pairs first."""
        sizes = (*self.smaller, *self.sizes) if conditions == self.ends else self.sizes
        first = [head for head in self.main_heads if head in self.heads]
        others = [head for head in self.heads if head not in first]
        for heads in (first, others):
            for n in sizes:
                for condition in conditions:
                    yield from ((condition, head, n) for head in heads)

    def _noise(self, variant: Variant = PUBLISHED) -> Iterator[TrainedCell]:
        for condition in self.ends:
            for side in _NOISY_SIDES:
                for sigma in self.sigmas:
                    for head in self.main_heads:
                        yield self._cell(condition, head, self.small, Noise(sigma, side), variant)

    def _fixed_noise(self) -> Iterator[TrainedCell]:
        return self._noise(FIXED)

    def _controls(self) -> Iterator[TrainedCell]:
        for name, condition in self.conditions.items():
            if condition.control:
                for head in self.heads:
                    yield self._cell(name, head, self.small)

    def _search(self) -> Iterator[TrainedCell]:
        for condition, head, n in self._in_order(self.ends):
            if n <= self.search_whole:
                yield self._searched(condition, head, n, self.search_rates, self.search_decays)

    def _searched(
        self,
        condition: str,
        head: str,
        n: int,
        rates: tuple[float, ...],
        decays: tuple[float, ...],
        unit_logits: bool = False,
    ) -> TrainedCell:
        variant = Variant("search", "", rates, decays, self.tuning, unit_logits=unit_logits)
        return TrainedCell(condition, head, n, Noise(), variant, (self.search_seed,))

    def trial_cell(self, condition: str, head: str, n: int, trial: Trial) -> TrainedCell:
        """Return the cell of one trial of a search beyond its grid."""
        rates, decays = (trial.learning_rate,), (trial.weight_decay,)
        return self._searched(condition, head, n, rates, decays, trial.unit_logits)

    def _ablations(self) -> Iterator[TrainedCell]:
        for heads, variants in self.ablations:
            for variant in variants:
                for condition in self.ends:
                    for head in heads:
                        yield self._cell(condition, head, self.small, variant=variant)
