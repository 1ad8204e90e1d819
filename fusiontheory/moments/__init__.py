"""Moments of paired features: all that the predicted curves know of the data."""

from fusiontheory.moments.diagnosis import Diagnosis, diagnose
from fusiontheory.moments.diagnosis_items import EFFECTS, LOGARITHMIC
from fusiontheory.moments.directions import on_shared_directions
from fusiontheory.moments.feature_shape import FeatureShape
from fusiontheory.moments.gaussian import (
    GaussianPairs,
    checked_gaussian,
    debiased_cross,
    gaussian_surrogate,
)
from fusiontheory.moments.groups import check_groups, independent_images, representatives
from fusiontheory.moments.hidden_dependence import halves_dependence, kernel_dependence
from fusiontheory.moments.means import Centred, centred
from fusiontheory.moments.near_duplicates import find_duplicates
from fusiontheory.moments.paired import Moments
from fusiontheory.moments.sample import MOST_IMAGES, SampledPairs
from fusiontheory.moments.second import (
    checked_features,
    cross_power,
    dot_product_moments,
    eigenbasis,
)
from fusiontheory.moments.source import PairSource
from fusiontheory.moments.span import in_own_span
from fusiontheory.moments.trust import (
    Calibration,
    Trust,
    calibration,
    calibration_of,
    ranges,
    read_calibration,
    scaled,
    trust,
)

__all__ = [
    "EFFECTS",
    "LOGARITHMIC",
    "MOST_IMAGES",
    "Calibration",
    "Centred",
    "Diagnosis",
    "FeatureShape",
    "GaussianPairs",
    "Moments",
    "PairSource",
    "SampledPairs",
    "Trust",
    "calibration",
    "calibration_of",
    "centred",
    "check_groups",
    "checked_features",
    "checked_gaussian",
    "cross_power",
    "debiased_cross",
    "diagnose",
    "dot_product_moments",
    "eigenbasis",
    "find_duplicates",
    "gaussian_surrogate",
    "halves_dependence",
    "in_own_span",
    "independent_images",
    "kernel_dependence",
    "on_shared_directions",
    "ranges",
    "read_calibration",
    "representatives",
    "scaled",
    "trust",
]
