"""Trainable fusion networks (PyTorch), one entry each in ``NETWORKS``.

A network is added in one file of this folder and by one entry in ``registry.py``.
"""

from fusiontheory.heads.networks.base import FusionNetwork
from fusiontheory.heads.networks.registry import NETWORKS, build_network, with_parameters

__all__ = ["NETWORKS", "FusionNetwork", "build_network", "with_parameters"]
