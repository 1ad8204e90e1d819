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

from fusiontheory.checks import InputError
from fusiontheory.curve import predict_curve
from fusiontheory.deterministic_equivalent import (
    ValidityWarning,
    effective_ridge,
    ridge_risk,
    training_risk,
)
from fusiontheory.heads import HEADS, Head, Terms
from fusiontheory.least_squares import least_squares_risk
from fusiontheory.moments import Moments
from fusiontheory.product_risk import product_ridge_risk

__all__ = [
    "HEADS",
    "Head",
    "InputError",
    "Moments",
    "Terms",
    "ValidityWarning",
    "effective_ridge",
    "least_squares_risk",
    "predict_curve",
    "product_ridge_risk",
    "ridge_risk",
    "training_risk",
]
