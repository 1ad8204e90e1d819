"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from fusiontheory.training import TrainingSettings
from validation.data import principal_scores, stored_array
from validation.trained import TrainedStudy

__all__ = ["FILES", "SPLITS", "Config"]

FILES = MappingProxyType({"layer3": "resnet18_layer3_256.npy", "mobilenet": "mobilenetv2_1280.npy"})
"""Image encoders, ResNet18 through its third layer and MobileNetV2, and the file of each."""
_TEXT = "minilm_384.npy"

SPLITS = MappingProxyType({"align": 3000, "train": 3091, "dev": 1000, "test": 1000})
"""Images of each split, as many as in the shipped features, and other ones."""
_STRENGTHS = MappingProxyType({"unaligned": 0.0, "aligned": 1.0})


@dataclass(frozen=True)
class Config:
    """Encoders, conditions, heads, sizes and seeds.

    Attributes:
        encoders: names in `FILES`.
        strengths: of alignment, by the name of the condition.
        heads: networks that are predicted and trained.
        sizes: training pairs at the published and the fixed setting.
        tuned: training pairs at which the tuned setting is predicted.
        measured: settings that are trained.
        seeds: of training pairs, weights and order.
        dimension: at most so many principal components of an encoder, fitted on align images.
        split_seed: which images are in which split.
    """

    encoders: tuple[str, ...] = tuple(FILES)
    strengths: Mapping[str, float] = field(default_factory=lambda: {**_STRENGTHS})
    heads: tuple[str, ...] = ("bilinear", "concat-mlp")
    sizes: tuple[int, ...] = (512, 1024, 2048, 4096, 8192)
    tuned: tuple[int, ...] = (1024, 4096)
    measured: tuple[str, ...] = ("fixed", "published", "tuned")
    seeds: int = 3
    dimension: int = 384
    split_seed: int = 17_0007

    def study(self, setting: str) -> TrainedStudy:
        """Return what is trained at a setting."""
        return TrainedStudy(
            strengths=dict(self.strengths),
            sizes=self.tuned if setting == "tuned" else self.sizes,
            heads=self.heads,
            seeds=self.seeds,
            training=TrainingSettings(dtype="bfloat16"),
        )

    def features(self, encoder: str) -> FeatureSet:
        """Return the features of an encoder with the captions' sentence embeddings.

        Raises:
            InputError: if the environment does not name the folder of the encoders' outputs.
        """
        folder = os.environ.get("FUSIONTHEORY_SHARED")
        if folder is None:
            raise InputError(
                "FUSIONTHEORY_SHARED must name the folder that has data/features with the outputs"
                f" of the encoders, {', '.join(FILES.values())} and {_TEXT}; it is not set"
            )
        source = Path(folder) / "data" / "features"
        images = sum(SPLITS.values())
        split = split_of(images, self.split_seed)
        image = stored_array(source / FILES[encoder], images)
        if image.shape[1] > self.dimension:
            image = principal_scores(image, split == "align", self.dimension)
        text = stored_array(source / _TEXT, images)
        return FeatureSet(
            image.astype(np.float32), text.astype(np.float32), split=split, name=encoder
        )


def split_of(images: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Return the split of each image, at random.

    >>> names, counts = np.unique(split_of(8091, 0), return_counts=True)
    >>> dict(zip(names.tolist(), counts.tolist(), strict=True)) == dict(SPLITS)
    True
    """
    # The words of a SeedSequence are the same in every NumPy; Generator.permutation may change.
    words = np.random.SeedSequence(seed).generate_state(images, np.uint64)
    order = np.argsort(words, kind="stable")
    split = np.empty(images, dtype="<U5")
    split[order] = np.repeat(list(SPLITS), list(SPLITS.values()))
    return split
