"""One text asks the tokens of an image, and a read-out sees the answer and the text again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.networks.base import FusionNetwork, mlp, uniform

__all__ = ["BilinearQueryAttention", "MLPQueryAttention", "with_mask"]

_HEADS = 4


class QueryAttention(FusionNetwork):
    """Softmax attention of a text over image tokens; what reads the answer is a subclass's.

    For each of ``heads`` heads of width c = width / heads

        answer = sum_a p_a W_v x_a,   p = softmax_a(q . W_k x_a / sqrt(c)),   q = W_q t.

    Entries of W_q and W_k are standard normal at first, so that the logits of tokens and texts of
    mean squared length 1 have variance 1: attention attends from the first update on. Drawn as
    PyTorch does, they would have a variance of 1/(9 d_v d_t), flat attention, and W_q and W_k a
    gradient too small to leave it.

    Args:
        d_v: dimension of a token.
        d_t: dimension of the text.
        width: of query, key and answer, all heads together.
        heads: divides ``width``.
        masked: whether tokens have one more coordinate, 1 where a token counts and 0 where it fills
            up a shorter image (`with_mask`).

    Raises:
        InputError: for a width that the heads do not divide.
    """

    def __init__(
        self, d_v: int, d_t: int, width: int = 64, heads: int = _HEADS, masked: bool = False
    ) -> None:
        """Draw the weights."""
        super().__init__(d_v, d_t)
        self.heads = positive_integer("heads", heads)
        self.width = positive_integer("width", width)
        if width % heads:
            raise InputError(f"width must be a multiple of heads = {heads}, got {width}")
        self.masked = masked
        self.query = nn.Parameter(torch.randn(d_t, width))
        self.key = nn.Parameter(torch.randn(d_v, width))
        self.value = uniform(d_v, width, fan_in=d_v)

    def check(self, image: Tensor, text: Tensor) -> None:
        """Raise InputError unless image is (B, m, d_v), one more if masked, and text (B, d_t)."""
        size = self.d_v + self.masked
        if image.ndim != 3 or image.shape[2] != size:
            more = ", the last coordinate the mask" if self.masked else ""
            raise InputError(
                f"image must have shape (B, tokens, {size}){more}, got {tuple(image.shape)}"
            )
        if text.ndim != 2 or text.shape[1] != self.d_t:
            raise InputError(f"text must have shape (B, {self.d_t}), got {tuple(text.shape)}")
        if len(image) != len(text):
            raise InputError(
                f"image and text must have one row per pair, got {len(image)} and {len(text)}"
            )

    def attention_logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return q . W_k x_a / sqrt(c) of each head, (B, heads, m); -inf where no token is."""
        tokens = image[..., : self.d_v]
        key = (tokens @ self.key).reshape(*tokens.shape[:2], self.heads, -1)
        query = (text @ self.query).reshape(len(text), self.heads, -1)
        logits: Tensor = torch.einsum("bhc,bmhc->bhm", query, key) * float(key.shape[3]) ** -0.5
        if not self.masked:
            return logits
        return logits.masked_fill(image[:, None, :, self.d_v] == 0, float("-inf"))

    def answer(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the answers of all heads side by side, (B, width)."""
        shares = torch.softmax(self.attention_logits(image, text), dim=2)
        tokens = image[..., : self.d_v]
        value = (tokens @ self.value).reshape(*tokens.shape[:2], self.heads, -1)
        answers: Tensor = torch.einsum("bhm,bmhc->bhc", shares, value)
        return answers.reshape(len(text), self.width)

    @classmethod
    def at_width(cls, size: int, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Give each head ``size`` coordinates."""
        return {**settings, "width": size * settings.get("heads", _HEADS)}


class BilinearQueryAttention(QueryAttention):
    """The logit is t^T B answer + b: mean (x) t and Cov_a(x) (x) t t^T to first order.

    Arguments as for `QueryAttention`.

    Example:
        >>> network = BilinearQueryAttention(16, 16)
        >>> network(torch.zeros(2, 9, 16), torch.zeros(2, 16)).shape
        torch.Size([2])
    """

    name: ClassVar[str] = "token-bilinear"

    def __init__(
        self, d_v: int, d_t: int, width: int = 64, heads: int = _HEADS, masked: bool = False
    ) -> None:
        """Draw the weights."""
        super().__init__(d_v, d_t, width, heads, masked)
        self.readout = uniform(d_t, width, fan_in=width)
        self.bias = nn.Parameter(torch.zeros(1))

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, 1)."""
        answer = self.answer(image, text)
        return ((text @ self.readout) * answer).sum(dim=1, keepdim=True) + self.bias


class MLPQueryAttention(QueryAttention):
    """A ReLU network reads answer and text side by side.

    Args:
        d_v, d_t, width, heads, masked: as for `QueryAttention`.
        hidden: hidden widths of the read-out.
        outputs: 1 logit, or 2 whose difference is the logit.

    Example:
        >>> network = MLPQueryAttention(16, 16)
        >>> network(torch.zeros(2, 9, 16), torch.zeros(2, 16)).shape
        torch.Size([2])
    """

    name: ClassVar[str] = "token-mlp"

    def __init__(
        self,
        d_v: int,
        d_t: int,
        width: int = 64,
        heads: int = _HEADS,
        masked: bool = False,
        hidden: Sequence[int] = (128,),
        outputs: int = 1,
    ) -> None:
        """Draw the weights."""
        super().__init__(d_v, d_t, width, heads, masked)
        self.readout = mlp(width + d_t, hidden, outputs)

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, outputs)."""
        logits: Tensor = self.readout(torch.cat([self.answer(image, text), text], dim=1))
        return logits


@checked
def with_mask(tokens: Tensor, mask: Tensor) -> Tensor:
    """Return tokens (n, m, d) with their mask (n, m) as one more coordinate, fillers at 0.

    Raises:
        InputError: if the mask is of another shape, or an image has no token.

    Example:
        >>> with_mask(torch.ones(1, 2, 1), torch.tensor([[True, False]]))
        tensor([[[1., 1.],
                 [0., 0.]]])
    """
    if mask.shape != tokens.shape[:2] or not bool(mask.any(dim=1).all()):
        raise InputError(
            f"mask must have shape {tuple(tokens.shape[:2])} and leave every image a token, got"
            f" {tuple(mask.shape)}"
        )
    present = mask[..., None].to(tokens.dtype)
    filled = torch.where(mask[..., None], tokens, torch.zeros_like(tokens))
    return torch.cat([filled, present], dim=2)
