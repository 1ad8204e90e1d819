"""The feature sets of the study: strengths of alignment of one set, or several sets as given."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from fusiontheory.alignment import align, cached_contrastive_heads
from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet, most_pairs, prepare
from fusiontheory.typing import Integers

__all__ = [
    "Features",
    "allowed_pairs",
    "as_given",
    "caution",
    "check_same_images",
    "condition_features",
    "features_of",
    "fitted_rows",
    "fitted_sizes",
    "has_align",
    "unequal_dimensions",
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
        InputError: as `fusiontheory.alignment.align` and `as_given` do.
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
    """Return `fusiontheory.prepare` of the features; nothing is trained.

    Means are over the images that may be fitted to, align and train; of texts, over all of them.

    Args:
        features: image (n, d_v) and text (n, captions, d_t), with the split train.

    Raises:
        InputError: if there are no train images, or a vector is its mean.

    >>> given = as_given(FeatureSet(np.eye(3), np.eye(3)[:, :2] + 1, split=["train"] * 3))
    >>> np.linalg.norm(given.image, axis=1).round(6).tolist(), given.text.shape
    ([1.0, 1.0, 1.0], (3, 1, 2))
    """
    image, text = prepare(features.image, features.text, rows=fitted_rows(features))
    single = image.astype(np.float32), text.astype(np.float32)
    return features.derived(*single, ["as given"])


def fitted_rows(features: FeatureSet) -> Integers:
    """Return the rows of the images that may be fitted to: align, where there are any, and train.

    Raises:
        InputError: if there are no train images.
    """
    return features.rows(*(("align", "train") if has_align(features) else ("train",)))


def has_align(features: FeatureSet) -> bool:
    """Return whether images are set apart to train alignment on.

    >>> has_align(FeatureSet(np.eye(2), np.eye(2), split=["align", "train"]))
    True
    """
    return features.split is not None and "align" in features.split


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


_LEAST = 16
"""Training pairs below which nothing is learned that a study could tell."""

_FEW_TEST_IMAGES = 500
"""Below it an accuracy can be off by more than 2 points, one standard error, by its test images."""


def allowed_pairs(features: FeatureSet, split: str) -> int:
    """Return the most pairs that a split allows: each text once matched and once mismatched.

    Raises:
        InputError: if the split is missing, or has a single image.
    """
    images = features.rows(split).size
    if images < 2:
        raise InputError(f"split {split} must have at least 2 images, got {images}")
    return most_pairs(images, features.text.shape[1])


def fitted_sizes(sizes: Sequence[int], most: int) -> tuple[tuple[int, ...], list[str]]:
    """Return those of the sizes that are at most ``most``, and a line if any are not.

    If none is, they are three powers of 2, the last the largest that is allowed.

    Raises:
        InputError: if not even 16 pairs are allowed.

    >>> fitted_sizes((256, 512, 1024), 700)
    ((256, 512), ['sizes 1024 are left out: the training texts allow 700 pairs'])
    >>> fitted_sizes((256, 512), 200)[0]
    (32, 64, 128)
    """
    if most < _LEAST:
        raise InputError(f"train images must allow at least {_LEAST} pairs, got {most}; add images")
    kept = tuple(n for n in sizes if n <= most)
    if len(kept) == len(sizes):
        return kept, []
    if kept:
        gone = ", ".join(str(n) for n in sizes if n > most)
        return kept, [f"sizes {gone} are left out: the training texts allow {most} pairs"]
    largest = 1 << (most.bit_length() - 1)
    powers = tuple(n for n in (largest // 4, largest // 2, largest) if n >= _LEAST)
    words = ", ".join(map(str, powers))
    return powers, [f"sizes are {words}: the training texts allow {most} pairs"]


def unequal_dimensions(features: Mapping[str, FeatureSet]) -> dict[str, tuple[int, int]]:
    """Return the dimensions of the conditions whose image and text vectors differ in it."""
    dimensions = {
        name: (int(one.image.shape[-1]), int(one.text.shape[-1])) for name, one in features.items()
    }
    return {name: (d_v, d_t) for name, (d_v, d_t) in dimensions.items() if d_v != d_t}


def caution(features: Mapping[str, FeatureSet]) -> str | None:
    """Say in a sentence what few images do to a study; None where there are enough.

    Few are test images below 500, and images to take moments of below the larger dimension.
    """
    first = next(iter(features.values()))
    test, fitted = first.rows("test").size, fitted_rows(first).size
    dimension = max(max(f.image.shape[-1], f.text.shape[-1]) for f in features.values())
    parts = []
    if test < _FEW_TEST_IMAGES:
        # At an accuracy of one half, if the pairs of an image are right or wrong together.
        parts.append(
            f"with {test} test images an accuracy can be off by {50 / test**0.5:.1f} points, one"
            " standard error, whichever the seeds"
        )
    if fitted < dimension:
        parts.append(
            f"predictions rest on {fitted} images, fewer than the {dimension} dimensions, and"
            " their intervals are wide"
        )
    return f"Small corpus: {'; '.join(parts)}." if parts else None
