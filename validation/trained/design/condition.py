"""Conditions of the study: how the features are aligned, and the controls that undo it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.checks import InputError, non_negative
from fusiontheory.data import FeatureSet
from fusiontheory.store import code_version
from fusiontheory.typing import Integers, Single

__all__ = ["CONTROLS", "Condition", "controlled_features"]

CONTROLS = ("rotated", "shuffled")
"""What is done to the texts: one random rotation of all, or captions dealt to other images."""


@dataclass(frozen=True)
class Condition:
    """Where the features of a condition come from.

    Attributes:
        strength: of alignment, in [0, 1] (`fusiontheory.alignment.align`); None for features
            that are taken as they are given.
        control: one of `CONTROLS`, or "" for none.

    Raises:
        InputError: for a strength outside [0, 1] or an unknown control.

    Example:
        >>> Condition(1.0, "rotated").control
        'rotated'
    """

    strength: float | None
    control: str = ""

    def __post_init__(self) -> None:
        """Check both."""
        if self.strength is not None and non_negative("strength", self.strength) > 1:
            raise InputError(f"strength must be from 0 to 1, got {self.strength}")
        if self.control not in ("", *CONTROLS):
            raise InputError(f"control must be one of {', '.join(CONTROLS)}, got {self.control!r}")


def controlled_features(
    features: FeatureSet, control: str, entropy: int, arrays: bool = True
) -> FeatureSet:
    """Return the features under a control; image features and splits stay as they are.

    "rotated" turns all texts by one random rotation: dot products with images go, while lengths,
    angles among texts, and canonical correlations with images stay exactly. "shuffled" deals the
    captions of each image to another image of its split: all that image and text share goes, and
    everything within a modality stays.

    Args:
        features: of all splits.
        control: one of `CONTROLS`, or "" for none.
        entropy: of the rotation, or of the deal.
        arrays: with False, the features as they are under the fingerprint of what is derived.

    Raises:
        InputError: for an unknown control.
    """
    known = Condition(None, control)
    if not known.control:
        return features
    recipe = [control, entropy, code_version(_rotation)]
    if not arrays:
        return features.derived(None, None, recipe)
    rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(3,)))
    if control == "rotated":
        text = features.text @ _rotation(features.text.shape[-1], rng)
    else:
        text = features.text[_deal(features, rng)]
    return features.derived(None, text, recipe)


def _rotation(d: int, rng: np.random.Generator) -> Single:
    # Signs as Mezzadri (arXiv:math-ph/0609050) has them: without, QR is not uniform.
    q, r = np.linalg.qr(rng.standard_normal((d, d)))
    return (q * np.sign(np.diag(r))).astype(np.float32)


def _deal(features: FeatureSet, rng: np.random.Generator) -> Integers:
    """Return the row whose captions each image gets: of its split, and never its own."""
    split = np.zeros(len(features)) if features.split is None else features.split
    rows = np.arange(len(features))
    for name in np.unique(split):
        pool = rng.permutation(np.flatnonzero(split == name))
        rows[pool] = np.roll(pool, 1)
    return rows
