"""Fusion heads: those with a kernel, one entry each in ``HEADS`` or ``HEADS_BY_CHOICE``."""

from fusiontheory.heads.directions import SharedDirections
from fusiontheory.heads.kernels import (
    linear_kernel,
    product_kernel,
    relu_tangent_coefficients,
    relu_tangent_kernel,
)
from fusiontheory.heads.labelled import PILOT_HEADS, PilotHead, Views, find_pilot_head, head_names
from fusiontheory.heads.registry import (
    GAP_HEADS,
    HEADS,
    HEADS_BY_CHOICE,
    OTHER_HEAD_NAMES,
    RIDGES,
    Head,
    find_head,
    heads_for,
)

__all__ = [
    "GAP_HEADS",
    "HEADS",
    "HEADS_BY_CHOICE",
    "OTHER_HEAD_NAMES",
    "PILOT_HEADS",
    "RIDGES",
    "Head",
    "PilotHead",
    "SharedDirections",
    "Views",
    "find_head",
    "find_pilot_head",
    "head_names",
    "heads_for",
    "linear_kernel",
    "product_kernel",
    "relu_tangent_coefficients",
    "relu_tangent_kernel",
]
