"""The tangent kernel of a network at its parameters, and what it predicts."""

from fusiontheory.tangent.coordinates import CoordinateMoments
from fusiontheory.tangent.curve import expand_network, predict_network_curve, tangent_head
from fusiontheory.tangent.expansion import BLOCKS, KernelExpansion, expand_kernel, expansion_model
from fusiontheory.tangent.kernel import expected_tangent_kernel, tangent_kernel
from fusiontheory.tangent.random_metric import MatchedMetric

__all__ = [
    "BLOCKS",
    "CoordinateMoments",
    "KernelExpansion",
    "MatchedMetric",
    "expand_kernel",
    "expand_network",
    "expansion_model",
    "expected_tangent_kernel",
    "predict_network_curve",
    "tangent_head",
    "tangent_kernel",
]
