"""Ridge regression as measured: nested sizes, kernels, least norm, low rank."""

from fusiontheory.solvers.kernel_ridge import (
    Measured,
    PairFeatures,
    gather,
    measure_curve,
    measure_ridges,
)
from fusiontheory.solvers.least_norm import fit_bilinear_ridge, fit_linear_ridge
from fusiontheory.solvers.low_rank import fit_low_rank
from fusiontheory.solvers.nested import NormalEquations, blockwise_gram, dual_ridge, primal_ridge

__all__ = [
    "Measured",
    "NormalEquations",
    "PairFeatures",
    "blockwise_gram",
    "dual_ridge",
    "fit_bilinear_ridge",
    "fit_linear_ridge",
    "fit_low_rank",
    "gather",
    "measure_curve",
    "measure_ridges",
    "primal_ridge",
]
