"""Fusion heads: those with a kernel, one entry each in ``HEADS``."""

from fusiontheory.heads.kernels import (
    linear_kernel,
    product_kernel,
    relu_tangent_coefficients,
    relu_tangent_kernel,
)
from fusiontheory.heads.registry import GAP_HEADS, HEADS, Head, find_head

__all__ = [
    "GAP_HEADS",
    "HEADS",
    "Head",
    "find_head",
    "linear_kernel",
    "product_kernel",
    "relu_tangent_coefficients",
    "relu_tangent_kernel",
]
