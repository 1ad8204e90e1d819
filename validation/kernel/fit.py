"""Fit the numbers of a study to what a corpus has: sizes, test pairs, heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fusiontheory.data import FeatureSet
from validation.conditions import allowed_pairs, check_same_images, fitted_sizes, unequal_dimensions
from validation.kernel.study import ONE_DIMENSION, Study

__all__ = [
    "fit_study",
]


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
