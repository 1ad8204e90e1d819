"""Ridge regression as measured: nested sizes, kernels, least norm, low rank."""

from fusiontheory.solvers.backend import (
    computing_on,
    device_code,
    device_name,
    devices,
    dual_ridge,
    eigh,
    measure_curve,
    measure_ridges,
)
from fusiontheory.solvers.kernel_ridge import Measured, PairFeatures, gather
from fusiontheory.solvers.least_norm import fit_bilinear_ridge, fit_linear_ridge
from fusiontheory.solvers.low_rank import fit_low_rank
from fusiontheory.solvers.nested import NormalEquations, blockwise_gram, primal_ridge
from fusiontheory.solvers.place import PRECISIONS, Place

__all__ = [
    "PRECISIONS",
    "Measured",
    "NormalEquations",
    "PairFeatures",
    "Place",
    "blockwise_gram",
    "computing_on",
    "device_code",
    "device_name",
    "devices",
    "dual_ridge",
    "eigh",
    "fit_bilinear_ridge",
    "fit_linear_ridge",
    "fit_low_rank",
    "gather",
    "measure_curve",
    "measure_ridges",
    "primal_ridge",
]
