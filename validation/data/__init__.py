"""The shipped features; `validation/data/README.md` is their data card."""

from __future__ import annotations

from pathlib import Path

from fusiontheory.data import FeatureSet
from validation.data.build import SPLIT_SEED, encoder_features, principal_scores

__all__ = [
    "SHIPPED_FILE",
    "SPLIT_SEED",
    "encoder_features",
    "principal_scores",
    "shipped_features",
]

SHIPPED_FILE = Path(__file__).with_name("flickr8k.safetensors")
"""Written by ``python -m validation.data.build``."""


def shipped_features() -> FeatureSet:
    """Return the features of the 8091 Flickr8k images and their captions, checked and decoded.

    Image (8091, 512) and text (8091, 5, 384), of two encoders that never saw each other; the
    splits align, train, dev and test.

    Raises:
        InputError: if the file is missing or damaged.

    >>> features = shipped_features()
    >>> features.image.shape, features.text.shape, len(features.rows("test"))
    ((8091, 512), (8091, 5, 384), 1000)
    """
    return FeatureSet.load(SHIPPED_FILE)
