"""Moments of paired features: all that the predicted curves know of the data."""

from fusiontheory.moments.gaussian import (
    GaussianPairs,
    checked_gaussian,
    debiased_cross,
    gaussian_surrogate,
)
from fusiontheory.moments.groups import independent_images
from fusiontheory.moments.means import centred
from fusiontheory.moments.paired import Moments
from fusiontheory.moments.sample import SampledPairs
from fusiontheory.moments.second import (
    checked_features,
    cross_power,
    dot_product_moments,
    eigenbasis,
)

__all__ = [
    "GaussianPairs",
    "Moments",
    "SampledPairs",
    "centred",
    "checked_features",
    "checked_gaussian",
    "cross_power",
    "debiased_cross",
    "dot_product_moments",
    "eigenbasis",
    "gaussian_surrogate",
    "independent_images",
]
