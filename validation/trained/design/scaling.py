"""Features at another scale, and captions brought together: what some ablations train on."""

from __future__ import annotations

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet, normalise
from fusiontheory.store import code_version
from fusiontheory.typing import Integers, Single

__all__ = ["SCALINGS", "TEXTS", "scaled_features"]

SCALINGS = ("unit", "standardised", "times-sqrt-d")
"""Unit norm; each coordinate at mean 0 and variance 1 over the training images; unit norm times
sqrt(d)."""

TEXTS = ("captions", "mean", "set")
"""One caption a pair; the mean of an image's captions, at unit norm; all its captions, a token
each."""


def scaled_features(
    features: FeatureSet, scaling: str, texts: str, arrays: bool = True
) -> FeatureSet:
    """Return features at a scaling, with one text an image if ``texts`` is "mean".

    Args:
        features: of unit norm; means and variances are those of its training images, of all
            images if it has no splits.
        scaling: one of `SCALINGS`.
        texts: one of `TEXTS`; "set" leaves the captions as they are.
        arrays: with False, values as they are, of the scaled features' shape and fingerprint.

    Raises:
        InputError: for another scaling or kind of texts.

    Example:
        >>> features = FeatureSet(np.eye(4), np.eye(4))
        >>> scaled_features(features, "times-sqrt-d", "captions").image[0].tolist()
        [2.0, 0.0, 0.0, 0.0]
    """
    for name, got, known in (("scaling", scaling, SCALINGS), ("texts", texts, TEXTS)):
        if got not in known:
            raise InputError(f"{name} must be one of {', '.join(known)}, got {got!r}")
    if scaling == "unit" and texts != "mean":
        return features
    recipe = ["scaled", scaling, texts, code_version(_scaled)]
    text = features.text
    if not arrays:
        return features.derived(None, text[:, :1] if texts == "mean" else None, recipe)
    if texts == "mean":
        text = normalise(text.mean(axis=1, keepdims=True)).astype(np.float32)
    rows = features.rows() if features.split is None else features.rows("train")
    image, text = (_scaled(x, rows, scaling) for x in (features.image, text))
    return features.derived(image, text, recipe)


def _scaled(x: Single, rows: Integers, scaling: str) -> Single:
    if scaling == "unit":
        return x
    if scaling == "times-sqrt-d":
        return x * np.float32(np.sqrt(x.shape[-1]))
    known = x[rows].reshape(-1, x.shape[-1]).astype(np.float64)
    spread = known.std(axis=0)
    # Coordinates that never vary, as those of padding, stay 0.
    spread[spread == 0] = 1
    standardised: Single = ((x - known.mean(axis=0)) / spread).astype(np.float32)
    return standardised
