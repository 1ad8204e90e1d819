"""Networks on the concatenation [v; t]: linear, and the multilayer perceptron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from fusiontheory.networks.base import FusionNetwork, hidden_widths, mlp, scaled_hidden

__all__ = ["ConcatLinear", "ConcatMLP"]


class ConcatLinear(FusionNetwork):
    """w . [v; t] + b, additive: at chance on matching at any number of pairs.

    Example:
        >>> sum(p.numel() for p in ConcatLinear(512, 512).parameters())
        1025
    """

    name: ClassVar[str] = "concat-linear"

    def __init__(self, d_v: int, d_t: int) -> None:
        """Draw the weights."""
        super().__init__(d_v, d_t)
        self.layers = mlp(d_v + d_t, (), 1)

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, 1)."""
        logits: Tensor = self.layers(torch.cat([image, text], dim=1))
        return logits


class ConcatMLP(FusionNetwork):
    """ReLU network on [v; t], any depth; by default 1024-256-128-2 at d_v = d_t = 512.

    Args:
        d_v, d_t: dimensions of the features.
        hidden: widths of the hidden layers.
        outputs: 1 logit, or 2 whose difference is the logit.

    Source: Zhou & Xie, arXiv:2606.01207 (295,554 parameters).

    Example:
        >>> sum(p.numel() for p in ConcatMLP(512, 512).parameters())
        295554
    """

    name: ClassVar[str] = "concat-mlp"
    HIDDEN: ClassVar[tuple[int, ...]] = (256, 128)

    def __init__(
        self, d_v: int, d_t: int, hidden: Sequence[int] = HIDDEN, outputs: int = 2
    ) -> None:
        """Draw the weights."""
        super().__init__(d_v, d_t)
        self.layers = mlp(d_v + d_t, hidden, outputs)

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, outputs)."""
        logits: Tensor = self.layers(torch.cat([image, text], dim=1))
        return logits

    @classmethod
    def at_width(cls, size: int, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Scale all hidden layers together; ``size`` is the width of the last one."""
        hidden = hidden_widths(settings.get("hidden", cls.HIDDEN))
        if not hidden:
            return super().at_width(size, settings)
        return {**settings, "hidden": scaled_hidden(hidden, size)}
