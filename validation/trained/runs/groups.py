"""The groups of runs of each cell: its features, its pairs, its members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fusiontheory.data import FeatureSet, Pairs
from fusiontheory.training import (
    IndexedPairs,
    Member,
    MemberGroup,
    PairDataset,
    TrainingSettings,
    placed_groups,
    unit_logit_scale,
)
from validation.trained.design import (
    TrainedCell,
    TrainedStudy,
    controlled_features,
    held_out_pairs,
    noisy_features,
    scaled_features,
    training_pairs,
)

__all__ = ["CellGroups", "derived_features"]

# Feature sets that are kept, and the datasets on them: those of one block of cells.
_KEPT = 6


def derived_features(
    study: TrainedStudy, features: FeatureSet, cell: TrainedCell, arrays: bool = True
) -> FeatureSet:
    """Return what a cell is trained on: its condition's control, its noise and its scaling.

    Args:
        study: with the conditions.
        features: of the condition without its control, of unit norm.
        cell: which.
        arrays: with False, the arrays are those of ``features`` under the fingerprint of what is
            derived: enough to find records.
    """
    control = study.conditions[cell.condition].control
    x = controlled_features(features, control, study.entropy, arrays)
    x = noisy_features(x, cell.noise, study.renormalise, study.entropy, arrays)
    return scaled_features(x, cell.variant.scaling, cell.variant.texts, arrays)


class CellGroups:
    """Makes the groups of cells, on features and pairs that cells share.

    Args:
        study: with all settings.
        conditions: features by strength, of unit norm.
        kind: of device, "cpu" or "cuda"; it need not be there to find records.
    """

    def __init__(
        self, study: TrainedStudy, conditions: Mapping[str, FeatureSet], kind: str = "cpu"
    ) -> None:
        """Keep nothing yet."""
        self._study, self._conditions, self._kind = study, conditions, kind
        self._features: dict[object, FeatureSet] = {}
        self._datasets: dict[object, PairDataset] = {}
        self._seeds: dict[str, int] = {}

    def base(self, cell: TrainedCell) -> FeatureSet:
        """Return the features of a cell's condition without its control."""
        control = self._study.conditions[cell.condition].control
        return self._conditions[cell.condition.removesuffix(f"-{control}")]

    def named(self, cell: TrainedCell) -> list[MemberGroup]:
        """Return the groups of a cell, enough to find their records and not to train them."""
        return self._groups(cell, arrays=False)

    def whole(self, cell: TrainedCell) -> list[MemberGroup]:
        """Return the groups of a cell, ready to be trained."""
        return self._groups(cell, arrays=True)

    def seeds(self, group: MemberGroup) -> list[int]:
        """Return the seed, of its cell, of each member of a group made here."""
        return [self._seeds[member.describe()] for member in group.members]

    def _groups(self, cell: TrainedCell, arrays: bool) -> list[MemberGroup]:
        variant = cell.variant
        settings = variant.settings(self._study.training)
        members = []
        for rate in variant.learning_rates:
            for decay in variant.weight_decays:
                for seed in cell.seeds:
                    member = self._member(cell, seed, rate, decay, settings, arrays)
                    self._seeds[member.describe()] = seed
                    members.append(member)
        return placed_groups(variant.architecture(cell.head), members, settings, self._kind)

    def _member(
        self,
        cell: TrainedCell,
        seed: int,
        rate: float | None,
        decay: float | None,
        settings: TrainingSettings,
        arrays: bool,
    ) -> Member:
        weights, order = cell.variant.seeds(seed)
        # A value that is the setting's own makes the same run, and the same record.
        rate = None if rate == settings.learning_rate else rate
        decay = None if decay == settings.weight_decay else decay
        data = self._longest(cell, seed, arrays).first(cell.n)
        scale = cell.variant.init_scale
        if cell.variant.unit_logits:
            sides = (data.image.shape[-1], data.text.shape[-1])
            scale = unit_logit_scale(cell.variant.architecture(cell.head), *sides)
        return Member(data, weights, rate, decay, scale, order)

    def _longest(self, cell: TrainedCell, seed: int, arrays: bool) -> PairDataset:
        variant = cell.variant
        derived = (cell.condition, cell.noise, variant.scaling, variant.texts == "mean", arrays)
        if derived not in self._features:
            if len(self._features) == _KEPT:
                self._features.clear()
                self._datasets.clear()
            self._features[derived] = derived_features(self._study, self.base(cell), cell, arrays)
        own = seed if variant.data_seed is None else variant.data_seed
        key = (derived, variant.texts, variant.pairs, own)
        if key not in self._datasets:
            self._datasets[key] = self._dataset(self._features[derived], cell, own)
        return self._datasets[key]

    def _dataset(self, features: FeatureSet, cell: TrainedCell, seed: int) -> PairDataset:
        variant = cell.variant
        if variant.texts == "set":
            # Pairs of images and whole sets of captions.
            one = replace(features, text=features.text[:, :1])
            sets = [training_pairs(self._study, one, seed, variant.pairs)]
            sets += held_out_pairs(self._study, one)
            return _caption_sets(cell.condition, features, *sets)
        train = training_pairs(self._study, features, seed, variant.pairs)
        held_out = held_out_pairs(self._study, features)
        return PairDataset.from_features(features, train, *held_out, name=cell.condition)


def _caption_sets(
    name: str, features: FeatureSet, train: Pairs, dev: Pairs, test: Pairs
) -> PairDataset:
    """Return pairs of an image and all captions of an image, (captions, d_t) each."""

    def indexed(pairs: Pairs) -> IndexedPairs:
        return IndexedPairs(pairs.image, pairs.text, pairs.label.astype(np.float32))

    rows = np.arange(len(features))
    source = f"{features.fingerprint} caption sets"
    pairs = (indexed(train), indexed(dev), indexed(test))
    return PairDataset(name, features.image, features.text, rows, *pairs, source)
