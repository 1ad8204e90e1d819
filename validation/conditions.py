"""The feature sets of the study: strengths of alignment of one set, or several sets as given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import InputError
from fusiontheory.contrastive import align, cached_contrastive_heads
from fusiontheory.features import FeatureSet, normalise
from fusiontheory.moments import Moments

__all__ = [
    "Features",
    "as_given",
    "check_same_images",
    "condition_features",
    "condition_moments",
    "features_of",
    "fitted_rows",
]

Features = FeatureSet | Mapping[str, FeatureSet]
"""One feature set for all conditions, or one of its own for each, by name."""


def features_of(features: Features, condition: str) -> FeatureSet:
    """Return the features that a condition starts from.

    Raises:
        InputError: if the condition has none.

    >>> one = FeatureSet(np.eye(2), np.eye(2))
    >>> features_of(one, "aligned") is features_of({"aligned": one}, "aligned")
    True
    """
    if isinstance(features, FeatureSet):
        return features
    if condition not in features:
        raise InputError(f"features must be given for {condition}, got {', '.join(features)}")
    return features[condition]


def condition_features(
    features: Features, strengths: Mapping[str, float | None], folder: str | os.PathLike[str]
) -> dict[str, FeatureSet]:
    """Return the features of each condition, centred and at unit norm.

    Args:
        features: with the splits align (where a strength is a number), train and test.
        strengths: alignment strength by name, None for `as_given`; heads are trained only for
            strengths above 0.
        folder: where trained heads are kept.

    Raises:
        InputError: as `fusiontheory.contrastive.align` and `as_given` do.
    """
    found = {}
    for name, strength in strengths.items():
        source = features_of(features, name)
        if strength is None:
            found[name] = as_given(source)
        else:
            heads = cached_contrastive_heads(source, folder=folder) if strength > 0 else None
            found[name] = align(source, heads, strength)
    return found


def as_given(features: FeatureSet) -> FeatureSet:
    """Return the features less the mean vector of each side, at unit norm; nothing is trained.

    Means are over the images that may be fitted to, align and train; of texts, over all of them.

    Args:
        features: image (n, d_v) and text (n, captions, d_t), with the split train.

    Raises:
        InputError: if there are no train images, or a vector is its mean.

    >>> given = as_given(FeatureSet(np.eye(3), np.eye(3)[:, :2] + 1, split=["train"] * 3))
    >>> np.linalg.norm(given.image, axis=1).round(6).tolist(), given.text.shape
    ([1.0, 1.0, 1.0], (3, 1, 2))
    """
    rows = fitted_rows(features)
    image, text = (
        _centred(name, getattr(features, name), rows).astype(np.float32)
        for name in ("image", "text")
    )
    return features.derived(image, text, ["as given"])


def fitted_rows(features: FeatureSet) -> NDArray[np.int64]:
    """Return the rows of the images that may be fitted to: align, where there are any, and train.

    Raises:
        InputError: if there are no train images.
    """
    has_align = features.split is not None and "align" in features.split
    return features.rows(*(("align", "train") if has_align else ("train",)))


def condition_moments(features: FeatureSet, strength: float | None) -> Moments:
    """Return the moments that predictions may know: of the training images, never of dev or test.

    At strength 0, and of features as given, nothing but a mean was fitted on the align images, and
    they count too.
    """
    rows = features.rows("train") if strength else fitted_rows(features)
    return Moments.from_features(features.image[rows], features.text[rows])


def check_same_images(features: Mapping[str, FeatureSet]) -> None:
    """Check that all conditions have the same images in the same splits, so that pairs are shared.

    Raises:
        InputError: naming the first two conditions that differ, and in what.

    >>> check_same_images({"a": FeatureSet(np.eye(2), np.eye(2)),
    ...                    "b": FeatureSet(np.eye(3), np.eye(3))})
    Traceback (most recent call last):
    fusiontheory.checks.InputError: conditions must have the same images, got 2 in a and 3 in b; \
make both from one corpus
    """
    names = list(features)
    first = features[names[0]]
    for name in names[1:]:
        other = features[name]
        what = None
        if len(first) != len(other):
            what = f"images, got {len(first)} in {names[0]} and {len(other)} in {name}"
        elif not np.array_equal(first.ids, other.ids):
            what = f"images, got other ids in {name} than in {names[0]}"
        elif first.text.shape[1] != other.text.shape[1]:
            counts = first.text.shape[1], other.text.shape[1]
            what = f"number of captions, got {counts[0]} in {names[0]} and {counts[1]} in {name}"
        elif _splits(first) != _splits(other):
            what = f"splits, got others in {name} than in {names[0]}"
        if what is not None:
            raise InputError(f"conditions must have the same {what}; make both from one corpus")


def _splits(features: FeatureSet) -> list[str] | None:
    return None if features.split is None else features.split.tolist()


def _centred(name: str, x: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    mean = x[rows].reshape(-1, x.shape[-1]).mean(axis=0, dtype=np.float64)
    return normalise(np.asarray(x, dtype=np.float64) - mean, f"{name} less its mean")
