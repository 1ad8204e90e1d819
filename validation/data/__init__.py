"""The shipped features and tokens; README.md and TOKENS.md beside this are their data cards."""

from __future__ import annotations

from pathlib import Path

from fusiontheory.data import FeatureSet, TokenSet
from validation.data.build import (
    SPLIT_SEED,
    encoder_features,
    lines,
    principal_scores,
    stored_array,
)

__all__ = [
    "SHIPPED_FILE",
    "SHIPPED_TOKENS",
    "SPLIT_SEED",
    "encoder_features",
    "lines",
    "principal_scores",
    "shipped_features",
    "shipped_tokens",
    "stored_array",
]

SHIPPED_FILE = Path(__file__).with_name("flickr8k.safetensors")
"""Written by ``python -m validation.data.build``."""
SHIPPED_TOKENS = Path(__file__).with_name("flickr8k-tokens.safetensors")
"""Written by ``python -m validation.extract.build_tokens``."""


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


def shipped_tokens() -> TokenSet:
    """Return the tokens of the 1000 official test images of Flickr8k, and their captions.

    Image (1000, 49, 64), the 7 x 7 cells of ResNet18's third layer; text (1000, 5, 384). Their
    ids are those of the test split of `shipped_features`; the splits align, train, dev and test
    are of their own.

    Raises:
        InputError: if the file is missing or damaged.

    >>> tokens = shipped_tokens()
    >>> tokens.image.shape, tokens.text.shape, len(tokens.rows("test"))
    ((1000, 49, 64), (1000, 5, 384), 200)
    """
    return TokenSet.load(SHIPPED_TOKENS)
