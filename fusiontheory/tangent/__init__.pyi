from .adam import adam_scales, gradient_rms, signal_growth
from .coordinates import CoordinateMoments
from .curve import expand_network, predict_network_curve, tangent_head
from .expansion import BLOCKS, KernelExpansion, expand_kernel, expansion_model
from .kernel import expected_tangent_kernel, tangent_kernel
from .random_metric import MatchedMetric

__all__ = [
    "BLOCKS",
    "CoordinateMoments",
    "KernelExpansion",
    "MatchedMetric",
    "adam_scales",
    "expand_kernel",
    "expand_network",
    "expansion_model",
    "expected_tangent_kernel",
    "gradient_rms",
    "predict_network_curve",
    "signal_growth",
    "tangent_head",
    "tangent_kernel",
]
