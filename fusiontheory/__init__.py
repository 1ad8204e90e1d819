"""Predicts which fusion of two modalities learns from fewer samples, and checks it.

>>> import numpy as np
>>> import fusiontheory as ft
>>> rng = np.random.default_rng(0)
>>> shared = rng.standard_normal((500, 8))
>>> image, text = shared + rng.standard_normal((500, 8)), shared
>>> curve = ft.predict_curve("bilinear", ft.Moments.from_features(image, text), [64, 512], ridge=1)
>>> list(curve.columns)
['n', 'risk', 'accuracy', 'accuracy_low', 'accuracy_high']
"""

from fusiontheory.alignment import measure_alignment
from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.curves import alignment_curve, correlation_curve, degradation_curve, predict_curve
from fusiontheory.heads import HEADS, Head
from fusiontheory.matching import Terms, gaussian_matching_curve
from fusiontheory.moments import GaussianPairs, Moments
from fusiontheory.risk import (
    CorrelatedProducts,
    JointBlocks,
    KernelSum,
    LowRankTarget,
    OptimalRidge,
    ProjectedBilinear,
    SignLabels,
    effective_ridge,
    kernel_sum_risk,
    least_squares_risk,
    low_rank_risk,
    optimal_ridge,
    product_ridge_risk,
    ridge_risk,
    sign_accuracy,
    training_risk,
)

__all__ = [
    "HEADS",
    "CorrelatedProducts",
    "GaussianPairs",
    "Head",
    "InputError",
    "JointBlocks",
    "KernelSum",
    "LowRankTarget",
    "Moments",
    "OptimalRidge",
    "ProjectedBilinear",
    "SignLabels",
    "Terms",
    "ValidityWarning",
    "alignment_curve",
    "correlation_curve",
    "degradation_curve",
    "effective_ridge",
    "gaussian_matching_curve",
    "kernel_sum_risk",
    "least_squares_risk",
    "low_rank_risk",
    "measure_alignment",
    "optimal_ridge",
    "predict_curve",
    "product_ridge_risk",
    "ridge_risk",
    "sign_accuracy",
    "training_risk",
]
