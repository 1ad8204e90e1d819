"""Multi-head attention of one set of tokens to another."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import checked

__all__ = ["CrossAttentionLayer", "attend"]


@checked
def attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Return softmax(Q K^T / sqrt(c)) V of each head, the heads side by side.

    With a single key the softmax is exactly 1: the result is the value, whatever the query, and
    neither query nor key gets a gradient.

    Args:
        query: shape (B, q, w).
        key: shape (B, k, w).
        value: shape (B, k, w).
        heads: divides w; c = w / heads.

    Returns:
        Shape (B, q, w).

    Source: Vaswani et al., arXiv:1706.03762.

    Example:
        >>> value = torch.tensor([[[1.0, 2.0]]])
        >>> attend(torch.randn(1, 3, 2), torch.randn(1, 1, 2), value, heads=1)[0, 2]
        tensor([1., 2.])
    """
    # No tensor has more than four dimensions: compiled attention goes wrong above.
    q, k, v = (x.reshape(*x.shape[:2], heads, -1) for x in (query, key, value))
    scores = torch.einsum("bqhc,bkhc->bhqk", q, k) * float(q.shape[3]) ** -0.5
    mixed = torch.einsum("bhqk,bkhc->bqhc", torch.softmax(scores, dim=3), v)
    return mixed.reshape(*query.shape)


class CrossAttentionLayer(nn.Module):
    """Query, key and value projections, `attend`, and the output projection, all with biases.

    Args:
        d_query: dimension of the tokens that ask.
        d_key: dimension of the tokens that are read.
        width: total width of the heads, and of the output.
        heads: divides ``width``.

    Raises:
        InputError: for a width that the heads do not divide.

    Example:
        >>> layer = CrossAttentionLayer(4, 6, width=8, heads=2)
        >>> layer(torch.zeros(5, 3, 4), torch.zeros(5, 7, 6)).shape
        torch.Size([5, 3, 8])
    """

    def __init__(self, d_query: int, d_key: int, width: int, heads: int) -> None:
        """Draw the weights."""
        super().__init__()
        self.heads = positive_integer("heads", heads)
        if positive_integer("width", width) % heads:
            raise InputError(f"width must be a multiple of heads = {heads}, got {width}")
        self.query = nn.Linear(d_query, width)
        self.key = nn.Linear(d_key, width)
        self.value = nn.Linear(d_key, width)
        self.output = nn.Linear(width, width)

    def forward(self, asking: Tensor, read: Tensor) -> Tensor:
        """Return the attended tokens (B, q, width) of asking (B, q, .) and read (B, k, .)."""
        attended = attend(self.query(asking), self.key(read), self.value(read), self.heads)
        output: Tensor = self.output(attended)
        return output
