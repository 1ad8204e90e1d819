"""Levels 1 and 2: the risk of ridge regression, from spectra and coefficients."""

from fusiontheory.risk.bias_variance import checked_target, mean_coefficients, prediction_variance
from fusiontheory.risk.concatenation import (
    JointBlocks,
    block_spectrum,
    checked_moment,
    correlated_pairs,
    coupled_products,
)
from fusiontheory.risk.correlated_products import CorrelatedProducts
from fusiontheory.risk.fusion_setting import (
    FusionSetting,
    additive_overlap,
    bilinear_mean,
    bilinear_overlap,
)
from fusiontheory.risk.kernel_sum import (
    KernelSum,
    KernelSumLaw,
    kernel_sum_risk,
    kernel_sum_training_risk,
    union_spectrum,
)
from fusiontheory.risk.least_squares import least_squares_risk, least_squares_training_risk
from fusiontheory.risk.low_rank import (
    LowRankTarget,
    ProjectedBilinear,
    low_rank_dimension,
    low_rank_risk,
)
from fusiontheory.risk.optimal_ridge import (
    OptimalRidge,
    isotropic_optimal_ridge,
    minimise_over_ridge,
    optimal_ridge,
)
from fusiontheory.risk.products import ProductLaw, product_ridge_risk
from fusiontheory.risk.ridge import (
    RidgeSolution,
    effective_ridge,
    overfitting,
    ridge_risk,
    ridge_solution,
    spectrum_risk,
    training_risk,
)
from fusiontheory.risk.sign_labels import SignLabel, SignLabels, score_accuracy, sign_accuracy
from fusiontheory.risk.spectrum import (
    Spectrum,
    learned,
    self_product_eigenvalues,
    unlearned,
)

__all__ = [
    "CorrelatedProducts",
    "FusionSetting",
    "JointBlocks",
    "KernelSum",
    "KernelSumLaw",
    "LowRankTarget",
    "OptimalRidge",
    "ProductLaw",
    "ProjectedBilinear",
    "RidgeSolution",
    "SignLabel",
    "SignLabels",
    "Spectrum",
    "additive_overlap",
    "bilinear_mean",
    "bilinear_overlap",
    "block_spectrum",
    "checked_moment",
    "checked_target",
    "correlated_pairs",
    "coupled_products",
    "effective_ridge",
    "isotropic_optimal_ridge",
    "kernel_sum_risk",
    "kernel_sum_training_risk",
    "learned",
    "least_squares_risk",
    "least_squares_training_risk",
    "low_rank_dimension",
    "low_rank_risk",
    "mean_coefficients",
    "minimise_over_ridge",
    "optimal_ridge",
    "overfitting",
    "prediction_variance",
    "product_ridge_risk",
    "ridge_risk",
    "ridge_solution",
    "score_accuracy",
    "self_product_eigenvalues",
    "sign_accuracy",
    "spectrum_risk",
    "training_risk",
    "union_spectrum",
    "unlearned",
]
