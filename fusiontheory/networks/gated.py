"""Gated fusion: a mixture of projected image and text, weighted by both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from fusiontheory.checks import positive_integer
from fusiontheory.networks.base import FusionNetwork

__all__ = ["GatedFusion"]


class GatedFusion(FusionNetwork):
    """w . (g * P v + (1 - g) * Q t) + b with g = sigmoid(G [v; t]); P, Q and G have biases.

    Args:
        d_v, d_t: dimensions of the features.
        width: rows of P, Q and G.

    Source: Arevalo et al., Gated multimodal units, arXiv:1702.01992 (there with tanh of the
    projections).

    Example:
        >>> sum(p.numel() for p in GatedFusion(512, 512, width=128).parameters())
        262657
    """

    name: ClassVar[str] = "gated"

    def __init__(self, d_v: int, d_t: int, width: int = 128) -> None:
        """Draw the weights."""
        super().__init__(d_v, d_t)
        positive_integer("width", width)
        self.image = nn.Linear(d_v, width)
        self.text = nn.Linear(d_t, width)
        self.gate = nn.Linear(d_v + d_t, width)
        self.classifier = nn.Linear(width, 1)

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, 1)."""
        gate = torch.sigmoid(self.gate(torch.cat([image, text], dim=1)))
        mixed = gate * self.image(image) + (1 - gate) * self.text(text)
        logits: Tensor = self.classifier(mixed)
        return logits

    @classmethod
    def at_width(cls, size: int, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Take ``size`` as the width."""
        return {**settings, "width": size}
