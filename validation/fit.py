"""Fit the numbers of a study to what a corpus has: sizes, test pairs, heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet, most_pairs
from validation.conditions import check_same_images, fitted_rows
from validation.study import ONE_DIMENSION, Study

__all__ = ["allowed_pairs", "caution", "fit_study", "fitted_sizes", "unequal_dimensions"]

_LEAST = 16
"""Training pairs below which nothing is learned that a study could tell."""

_FEW_TEST_IMAGES = 500
"""Below it an accuracy can be off by more than 2 points, one standard error, by its test images."""


def fit_study(study: Study, features: Mapping[str, FeatureSet]) -> tuple[Study, list[str]]:
    """Return the study with what these features allow, and a line for each thing left out.

    Args:
        study: of conditions that are features as given.
        features: of each condition, of the same images, with the splits train and test.

    Raises:
        InputError: if conditions are of other images, a split is missing, or it has too few
            images for any size.
    """
    check_same_images(features)
    first = next(iter(features.values()))
    sizes, said = fitted_sizes(study.sizes, allowed_pairs(first, "train"))
    most = allowed_pairs(first, "test")
    if study.test_pairs > most:
        said.append(
            f"test pairs are {most} instead of {study.test_pairs}: every test text once matched"
            " and once mismatched"
        )
    unequal = unequal_dimensions(features)
    for name, (d_v, d_t) in unequal.items():
        said.append(
            f"{', '.join(ONE_DIMENSION)} and retrieval are left out on {name}: image and text"
            f" vectors have {d_v} and {d_t} dimensions"
        )
    pairs = min(study.test_pairs, most)
    return replace(study, sizes=sizes, test_pairs=pairs, unequal=frozenset(unequal)), said


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
    found = ", ".join(map(str, powers))
    return powers, [f"sizes are {found}: the training texts allow {most} pairs"]


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
