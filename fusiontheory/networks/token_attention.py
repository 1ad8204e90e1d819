"""Cross-attention between several tokens of each modality: the one with a bilinear term."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.networks.attention import CrossAttentionLayer
from fusiontheory.networks.base import FusionNetwork, mlp

__all__ = ["TokenCrossAttention"]

_HEADS = 4


class TokenCrossAttention(FusionNetwork):
    """Image tokens ask text tokens; their mean answer goes to a ReLU classifier.

    The tokens of a vector (B, d) are its ``chunks`` equal consecutive pieces, so that the
    network is tied to the coordinates. Real tokens (B, tokens, d / chunks), any number of them,
    are taken as they are; with ``chunks=1`` their dimension is d. There are no positions: the
    order of the text tokens does not matter, nor does that of the image tokens.

    Args:
        d_v, d_t: dimensions of the features, multiples of ``chunks``.
        chunks: tokens that a vector is cut into.
        width: of query, key, value and attention output.
        heads: divides ``width``.
        hidden: hidden widths of the classifier.
        outputs: 1 logit, or 2 whose difference is the logit.

    Raises:
        InputError: for dimensions that are not multiples of ``chunks``.

    Example:
        >>> import torch
        >>> network = TokenCrossAttention(512, 256, chunks=8)
        >>> network(torch.zeros(2, 512), torch.zeros(2, 256)).shape
        torch.Size([2])
        >>> network(torch.zeros(2, 50, 64), torch.zeros(2, 9, 32)).shape
        torch.Size([2])
    """

    name: ClassVar[str] = "token-attention"

    def __init__(
        self,
        d_v: int,
        d_t: int,
        chunks: int = 8,
        width: int = 64,
        heads: int = _HEADS,
        hidden: Sequence[int] = (64,),
        outputs: int = 1,
    ) -> None:
        """Draw the weights."""
        super().__init__(d_v, d_t)
        self.chunks = positive_integer("chunks", chunks)
        if d_v % chunks or d_t % chunks:
            raise InputError(f"chunks must divide d_v and d_t, got {chunks} for {d_v} and {d_t}")
        self.attention = CrossAttentionLayer(d_v // chunks, d_t // chunks, width, heads)
        self.classifier = mlp(width, hidden, outputs)

    def check(self, image: Tensor, text: Tensor) -> None:
        """Raise InputError unless each is (B, d) or (B, tokens, d / chunks)."""
        for side, rows, d in (("image", image, self.d_v), ("text", text, self.d_t)):
            size = d if rows.ndim == 2 else d // self.chunks
            if rows.ndim not in (2, 3) or rows.shape[-1] != size:
                raise InputError(
                    f"{side} must have shape (B, {d}) or (B, tokens, {d // self.chunks}),"
                    f" got {tuple(rows.shape)}"
                )
        if len(image) != len(text):
            raise InputError(
                f"image and text must have one row per pair, got {len(image)} and {len(text)}"
            )

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, outputs)."""
        answers = self.attention(self._tokens(image), self._tokens(text))
        logits: Tensor = self.classifier(answers.mean(dim=1))
        return logits

    def _tokens(self, rows: Tensor) -> Tensor:
        return rows if rows.ndim == 3 else rows.reshape(len(rows), self.chunks, -1)

    @classmethod
    def at_width(cls, size: int, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Give each head ``size`` coordinates; chunks and classifier stay."""
        return {**settings, "width": size * settings.get("heads", _HEADS)}
