"""How a cell is trained: the three settings, a search, or an ablation.

*published*: Adam at 1e-3, as the paper is understood; the intercept lags behind the logits.
*fixed*: the same with a threshold set from the training scores. *tuned*: what a search chose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fusiontheory.checks import InputError
from fusiontheory.training import Architecture, TrainingSettings

__all__ = ["FIXED", "PUBLISHED", "Variant", "levels"]


@dataclass(frozen=True)
class Variant:
    """What differs from the study's published setting; the default is that setting.

    Attributes:
        setting: "published", "fixed", "search", "tuned", or the name of an ablation.
        level: of the ablation.
        learning_rates, weight_decays: each combination is trained; None is that of the setting.
        training: fields of `TrainingSettings` that differ, with their values.
        network: settings of the network that differ.
        parameters: about how many the network shall have; None for its own width.
        init_scale: factor on the initial weights.
        unit_logits: in its place the factor at which initial logits have a spread of one
            (`fusiontheory.training.unit_logit_scale`).
        scaling, texts: of `validation.trained.design.scaling.scaled_features`.
        pairs: of `validation.trained.design.draws.training_pairs`.
        data_seed: of the pairs, for all seeds; None: each seed has its own.
        order_seed: of the order of the pairs, for all seeds; None: each seed has its own.
        weight_seed: of the initial weights, for all seeds; None: each seed has its own.

    Example:
        >>> Variant("optimiser", "sgd", training=(("optimiser", "sgd"),)).words
        ', optimiser sgd'
    """

    setting: str = "published"
    level: str = ""
    learning_rates: tuple[float | None, ...] = (None,)
    weight_decays: tuple[float | None, ...] = (None,)
    training: tuple[tuple[str, Any], ...] = ()
    network: tuple[tuple[str, Any], ...] = ()
    parameters: int | None = None
    init_scale: float = 1.0
    unit_logits: bool = False
    scaling: str = "unit"
    pairs: str = "drawn"
    texts: str = "captions"
    data_seed: int | None = None
    order_seed: int | None = None
    weight_seed: int | None = None

    @property
    def words(self) -> str:
        """The end of a cell's name; empty for the published setting."""
        if self.setting == "published":
            return ""
        return f", {self.setting} {self.level}".rstrip()

    @property
    def runs(self) -> int:
        """Runs of each seed."""
        return len(self.learning_rates) * len(self.weight_decays)

    def settings(self, published: TrainingSettings) -> TrainingSettings:
        """Return the training settings.

        Raises:
            InputError: for a field or a value that they do not have.
        """
        try:
            return replace(published, **dict(self.training))
        except TypeError as error:
            raise InputError(f"training must name settings of training: {error}") from error

    def architecture(self, head: str) -> Architecture:
        """Return the network of a head."""
        return Architecture(head, dict(self.network), self.parameters)

    def seeds(self, seed: int) -> tuple[int, int | None]:
        """Return the seeds of the weights and of the order of the pairs."""
        weights = seed if self.weight_seed is None else self.weight_seed
        if self.order_seed is None:
            return weights, None if self.weight_seed is None else seed
        return weights, self.order_seed


PUBLISHED = Variant()
"""The published setting."""

FIXED = Variant("fixed", training=(("threshold", "scores"),))
"""The published setting with a sound threshold."""


def levels(setting: str, named: Sequence[tuple[str, dict[str, Any]]]) -> list[Variant]:
    """Return the variants of one ablation, one a level.

    >>> [variant.level for variant in levels("init-scale", [("3", {"init_scale": 3.0})])]
    ['3']
    """
    return [Variant(setting, level, **fields) for level, fields in named]
