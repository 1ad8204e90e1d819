"""scikit-learn estimators of the fusion heads for labelled pairs; needs scikit-learn.

`FusionClassifier` and `FusionRegressor` are the names to import; in full they are
`FusionRidgeClassifier` and `FusionRidgeRegressor`, as `fusiontheory.training` has a
`FusionClassifier` of trained networks.
"""

from fusiontheory.estimators.fusion import (
    FusionRidgeClassifier,
    FusionRidgeRegressor,
    learning_curve,
)
from fusiontheory.estimators.ridge import fit_ridge

FusionClassifier = FusionRidgeClassifier
FusionRegressor = FusionRidgeRegressor

__all__ = [
    "FusionClassifier",
    "FusionRegressor",
    "FusionRidgeClassifier",
    "FusionRidgeRegressor",
    "fit_ridge",
    "learning_curve",
]
