"""The pairs of the study: those of each seed for training, and the held-out ones of all runs."""

from __future__ import annotations

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet, Pairs, draw_pairs, most_pairs
from fusiontheory.typing import Integers
from validation.trained.design.study import TrainedStudy

__all__ = ["PAIRS", "held_out_pairs", "training_pairs"]

PAIRS = ("drawn", "distinct", "few-images")
"""Pairs of all training images; pairs of which no two share an image; pairs of one tenth of the
images, each in ten times as many pairs."""

_TRAIN, _HELD_OUT = 0, 1  # spawn keys below the entropy; 2 is of noise, 3 of controls
_FEW = 10


def training_pairs(
    study: TrainedStudy, features: FeatureSet, seed: int, kind: str = "drawn"
) -> Pairs:
    """Return the longest draw of training pairs of a seed, of which n are the first n.

    Args:
        study: with the root of all seeds.
        features: with training images.
        seed: of the draw.
        kind: one of `PAIRS`; all but the first have no more than ``study.small`` pairs.

    Raises:
        InputError: for another kind, or too few images for it.
    """
    root = np.random.SeedSequence(study.entropy, spawn_key=(_TRAIN, seed))
    rows, captions = features.rows("train"), features.text.shape[1]
    if kind == "drawn":
        longest = min(max(*study.sizes, study.small), most_pairs(rows.size, captions))
        return draw_pairs(rows, captions, longest, root)
    if kind not in PAIRS:
        raise InputError(f"kind must be one of {', '.join(PAIRS)}, got {kind!r}")
    chosen, drawn = root.spawn(2)
    order = np.random.default_rng(chosen).permutation(rows)
    if kind == "few-images":
        return draw_pairs(np.sort(order[: rows.size // _FEW]), captions, study.small, drawn)
    return _distinct(order, captions, study.small, drawn)


def held_out_pairs(study: TrainedStudy, features: FeatureSet) -> tuple[Pairs, Pairs]:
    """Return the dev and the test pairs, the same for every run; fewer if texts are fewer."""
    captions = features.text.shape[1]
    seeds = np.random.SeedSequence(study.entropy, spawn_key=(_HELD_OUT,)).spawn(2)

    def pairs(split: str, wanted: int, seed: np.random.SeedSequence) -> Pairs:
        rows = features.rows(split)
        return draw_pairs(rows, captions, min(wanted, most_pairs(rows.size, captions)), seed)

    return pairs("dev", study.dev_pairs, seeds[0]), pairs("test", study.test_pairs, seeds[1])


def _distinct(order: Integers, captions: int, n: int, seed: np.random.SeedSequence) -> Pairs:
    """Return n pairs of 3 n / 2 images, each in one pair, as image or as text's."""
    half = n // 2
    if order.size < 3 * half:
        raise InputError(
            f"study.small must be at most {2 * (order.size // 3)} for distinct pairs of"
            f" {order.size} images, got {n}"
        )
    matched, images, texts = (order[k * half : (k + 1) * half] for k in range(3))
    return Pairs(
        image=np.stack([matched, images], axis=1).ravel(),
        text=np.stack([matched, texts], axis=1).ravel(),
        caption=np.random.default_rng(seed).integers(0, captions, size=n),
        label=np.tile([1.0, -1.0], half),
    )
