"""The feature sets of the study: one for each strength of alignment, encoders held fixed."""

from __future__ import annotations

import os
from collections.abc import Mapping

from fusiontheory.contrastive import align, cached_contrastive_heads
from fusiontheory.features import FeatureSet
from fusiontheory.moments import Moments

__all__ = ["condition_features", "condition_moments"]


def condition_features(
    features: FeatureSet, strengths: Mapping[str, float], folder: str | os.PathLike[str]
) -> dict[str, FeatureSet]:
    """Return the features of each condition, centred and at unit norm.

    Args:
        features: with the splits align, train and test.
        strengths: alignment strength by name; heads are trained only if one is above 0.
        folder: where trained heads are kept.

    Raises:
        InputError: as `fusiontheory.contrastive.align` does.
    """
    aligned = any(strength > 0 for strength in strengths.values())
    heads = cached_contrastive_heads(features, folder=folder) if aligned else None
    return {name: align(features, heads, strength) for name, strength in strengths.items()}


def condition_moments(features: FeatureSet, strength: float | None) -> Moments:
    """Return the moments that predictions may know: of the training images, never of dev or test.

    At strength 0 nothing but a mean was fitted on the align images, and they count too. Features
    that are taken as given (None) may lack them.
    """
    rows = features.rows("align", "train") if strength == 0 else features.rows("train")
    return Moments.from_features(features.image[rows], features.text[rows])
