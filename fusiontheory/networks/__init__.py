"""Trainable fusion networks (PyTorch), one entry each in ``NETWORKS``.

A network is added in one file of this folder and by one entry in ``registry.py``.
"""

import fusiontheory.torch_needed  # noqa: F401

# isort: split
from fusiontheory.networks.attention import attend
from fusiontheory.networks.base import FusionNetwork
from fusiontheory.networks.query_attention import with_mask
from fusiontheory.networks.registry import (
    NETWORKS,
    TOKEN_NETWORKS,
    build_network,
    with_parameters,
)

__all__ = [
    "NETWORKS",
    "TOKEN_NETWORKS",
    "FusionNetwork",
    "attend",
    "build_network",
    "with_mask",
    "with_parameters",
]
