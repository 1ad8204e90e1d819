"""Bilinear networks, v^T W t + b: of full rank, and of low rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from fusiontheory.checks import positive_integer
from fusiontheory.networks.base import FusionNetwork, uniform

__all__ = ["Bilinear", "LowRankBilinear"]


class Bilinear(FusionNetwork):
    """v^T W t + b with W of shape (d_v, d_t); its tangent kernel is (v.v')(t.t') + 1.

    Example:
        >>> sum(p.numel() for p in Bilinear(512, 512).parameters())
        262145
    """

    name: ClassVar[str] = "bilinear"

    def __init__(self, d_v: int, d_t: int) -> None:
        """Draw the weights."""
        super().__init__(d_v, d_t)
        self.weight = uniform(d_v, d_t, fan_in=d_v * d_t)
        self.bias = nn.Parameter(torch.zeros(1))

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, 1)."""
        return ((image @ self.weight) * text).sum(dim=1, keepdim=True) + self.bias


class LowRankBilinear(FusionNetwork):
    """v^T U V^T t + b with U (d_v, r) and V (d_t, r).

    U and V count r (d_v + d_t) parameters, of which r^2 change nothing (U A, V A^-T).

    Args:
        d_v, d_t: dimensions of the features.
        rank: r, at least 1; above min(d_v, d_t) it adds parameters and no functions.

    Example:
        >>> sum(p.numel() for p in LowRankBilinear(512, 512, rank=16).parameters())
        16385
    """

    name: ClassVar[str] = "low-rank"

    def __init__(self, d_v: int, d_t: int, rank: int = 16) -> None:
        """Draw the weights."""
        super().__init__(d_v, d_t)
        positive_integer("rank", rank)
        self.image = uniform(d_v, rank, fan_in=d_v)
        self.text = uniform(d_t, rank, fan_in=d_t)
        self.bias = nn.Parameter(torch.zeros(1))

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, 1)."""
        return ((image @ self.image) * (text @ self.text)).sum(dim=1, keepdim=True) + self.bias

    @classmethod
    def at_width(cls, size: int, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Take ``size`` as the rank."""
        return {**settings, "rank": size}
