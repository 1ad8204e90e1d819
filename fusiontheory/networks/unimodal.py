"""Networks that read one modality alone: what a dataset gives away without fusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor

from fusiontheory.networks.base import FusionNetwork, hidden_widths, mlp, scaled_hidden

__all__ = ["ImageOnly", "TextOnly"]


class _Unimodal(FusionNetwork):
    def __init__(
        self, d_v: int, d_t: int, inputs: int, hidden: Sequence[int], outputs: int
    ) -> None:
        super().__init__(d_v, d_t)
        self.layers = mlp(inputs, hidden, outputs)

    @classmethod
    def at_width(cls, size: int, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Scale all hidden layers together; without any (the default) there is no width."""
        hidden = hidden_widths(settings.get("hidden", ()))
        if not hidden:
            return super().at_width(size, settings)
        return {**settings, "hidden": scaled_hidden(hidden, size)}


class ImageOnly(_Unimodal):
    """Linear, or a ReLU network, in v alone.

    Args:
        d_v, d_t: dimensions of the features.
        hidden: widths of the hidden layers, () for a linear network.
        outputs: 1 logit, or 2 whose difference is the logit.

    Example:
        >>> sum(p.numel() for p in ImageOnly(512, 384).parameters())
        513
    """

    name: ClassVar[str] = "image-only"

    def __init__(self, d_v: int, d_t: int, hidden: Sequence[int] = (), outputs: int = 1) -> None:
        """Draw the weights."""
        super().__init__(d_v, d_t, d_v, hidden, outputs)

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, outputs)."""
        del text
        logits: Tensor = self.layers(image)
        return logits


class TextOnly(_Unimodal):
    """Linear, or a ReLU network, in t alone; arguments as for `ImageOnly`.

    Example:
        >>> sum(p.numel() for p in TextOnly(512, 384).parameters())
        385
    """

    name: ClassVar[str] = "text-only"

    def __init__(self, d_v: int, d_t: int, hidden: Sequence[int] = (), outputs: int = 1) -> None:
        """Draw the weights."""
        super().__init__(d_v, d_t, d_t, hidden, outputs)

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, outputs)."""
        del image
        logits: Tensor = self.layers(text)
        return logits
