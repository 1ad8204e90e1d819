"""Networks tied to the coordinates of v and t: dot product and Hadamard product.

They can see which coordinate of v meets which of t, and change when either is rotated alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from fusiontheory.checks import equal_dimensions, positive_integer
from fusiontheory.networks.base import FusionNetwork

__all__ = ["DotProduct", "Hadamard"]


class DotProduct(FusionNetwork):
    """scale (v . t) + bias: two parameters, from 1 and 0.

    Raises:
        InputError: if d_v and d_t differ.

    Example:
        >>> DotProduct(2, 2)(torch.ones(1, 2), torch.ones(1, 2)).item()
        2.0
    """

    name: ClassVar[str] = "dot-product"

    def __init__(self, d_v: int, d_t: int) -> None:
        """Start from a scale of 1 and a bias of 0."""
        super().__init__(d_v, d_t)
        equal_dimensions(self.name, d_v, d_t)
        self.scale = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, 1)."""
        return self.scale * (image * text).sum(dim=1, keepdim=True) + self.bias


class Hadamard(FusionNetwork):
    """w . (v * t) + b, or w . (P v * Q t) + b with projections to a common width.

    Args:
        d_v, d_t: dimensions of the features.
        width: rows of P and Q, which have no biases; None for no projection.

    Raises:
        InputError: if d_v and d_t differ and no width is given.

    Example:
        >>> sum(p.numel() for p in Hadamard(512, 512).parameters())
        513
    """

    name: ClassVar[str] = "hadamard"

    def __init__(self, d_v: int, d_t: int, width: int | None = None) -> None:
        """Draw the weights."""
        super().__init__(d_v, d_t)
        self.image: nn.Module = nn.Identity()
        self.text: nn.Module = nn.Identity()
        if width is None:
            equal_dimensions(f"{self.name} without a width", d_v, d_t)
        else:
            positive_integer("width", width)
            self.image = nn.Linear(d_v, width, bias=False)
            self.text = nn.Linear(d_t, width, bias=False)
        self.classifier = nn.Linear(width or d_v, 1)

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, 1)."""
        logits: Tensor = self.classifier(self.image(image) * self.text(text))
        return logits

    @classmethod
    def at_width(cls, size: int, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Project to ``size`` coordinates."""
        return {**settings, "width": size}
