"""The moments of a condition, of the images that predictions may know."""

from __future__ import annotations

from fusiontheory.data import FeatureSet
from fusiontheory.moments import Moments
from validation.conditions import fitted_rows

__all__ = ["condition_moments"]


def condition_moments(features: FeatureSet, strength: float | None) -> Moments:
    """Return the moments that predictions may know: of the training images, never of dev or test.

    At strength 0, and of features as given, nothing but a mean was fitted on the align images, and
    they count too.
    """
    rows = features.rows("train") if strength else fitted_rows(features)
    return Moments.from_features(features.image[rows], features.text[rows])
