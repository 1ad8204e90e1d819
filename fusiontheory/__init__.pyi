# Levels 1 and 2: the risk of kernel ridge regression, in closed form.
from .risk import (
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

# isort: split
# Level 3: from moments of paired features to a learning curve of matching.
from .curves import (
    alignment_curve,
    answer,
    compare,
    correlation_curve,
    degradation_curve,
    forecast_trained,
    predict_curve,
)
from .matching import Terms, gaussian_matching_curve
from .moments import GaussianPairs, Moments

# isort: split
# Measuring: features, pairs, heads, and how well two modalities agree.
from .alignment import measure_alignment
from .data import FeatureSet, draw_pairs, prepare
from .heads import HEADS, Head
from .solvers import measure_curve

# isort: split
# Pictures.
from .plotting import figure6, plot, plot_risk

# isort: split
# From a labelled pilot, or from features alone, to the choice of a fusion.
from .advice import Advice, advise
from .pilot import PilotCurve

# isort: split
# Where a prediction is not to be trusted: heads tried on the images at hand.
from .trial import trial_curve

# isort: split
# Errors.
from .checks import InputError, ValidityWarning

__version__: str

__all__ = [
    "HEADS",
    "Advice",
    "CorrelatedProducts",
    "FeatureSet",
    "GaussianPairs",
    "Head",
    "InputError",
    "JointBlocks",
    "KernelSum",
    "LowRankTarget",
    "Moments",
    "OptimalRidge",
    "PilotCurve",
    "ProjectedBilinear",
    "SignLabels",
    "Terms",
    "ValidityWarning",
    "advise",
    "alignment_curve",
    "answer",
    "compare",
    "correlation_curve",
    "degradation_curve",
    "draw_pairs",
    "effective_ridge",
    "figure6",
    "forecast_trained",
    "gaussian_matching_curve",
    "kernel_sum_risk",
    "least_squares_risk",
    "low_rank_risk",
    "measure_alignment",
    "measure_curve",
    "optimal_ridge",
    "plot",
    "plot_risk",
    "predict_curve",
    "prepare",
    "product_ridge_risk",
    "ridge_risk",
    "sign_accuracy",
    "training_risk",
    "trial_curve",
]
