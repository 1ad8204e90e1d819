"""Heads that read an image's tokens and a text, by what their read-out sees of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, finite_array
from fusiontheory.constraints import checked
from fusiontheory.data import Prepared, checked_mask, checked_tokens, normalise
from fusiontheory.tokens.orders import IMAGE_ORDERS, TEXT_ORDERS
from fusiontheory.typing import AnyArray, Array

__all__ = ["TOKEN_HEADS", "TokenHead", "find_token_head"]


@checked
@dataclass(frozen=True)
class TokenHead:
    """A head of tokens: an ordinary head of `fusiontheory.HEADS` on orders of tokens and text.

    Attributes:
        name: as in tables.
        summary: one line for people.
        image: names from `IMAGE_ORDERS`, side by side the vector v.
        text: names from `TEXT_ORDERS`, side by side the vector t.
        kernel: name of the head whose kernel takes v and t.
    """

    name: str
    summary: str
    image: tuple[str, ...]
    text: tuple[str, ...]
    kernel: str

    def features(
        self,
        tokens: ArrayLike | Sequence[AnyArray],
        text: ArrayLike,
        *,
        mask: ArrayLike | None = None,
        rows: ArrayLike | None = None,
    ) -> Prepared:
        """Return v (n, .) and t (n, captions, .) that ``kernel`` takes, centred and at unit norm.

        Each order is centred and brought to a mean squared length of 1 before the orders of a
        side are put side by side.

        Args:
            tokens: (n, m, d) of n images.
            text: (n, p), or (n, captions, p).
            mask: (n, m), true where a token counts; needed where images have different numbers.
            rows: images that means and scales are of, such as those of training; None: all.

        Raises:
            InputError: as `fusiontheory.data.checked_tokens` does; for numbers of images that
                differ; and for a head that reads how tokens differ where every image has one.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> tokens, text = rng.standard_normal((9, 4, 3)), rng.standard_normal((9, 5))
            >>> [x.shape for x in find_token_head("token-pair").features(tokens, text)]
            [(9, 6), (9, 15)]
        """
        texts = finite_array("text", text, (2, 3))
        tokens = checked_tokens(tokens, mask)
        images = len(tokens)
        if len(texts) != images:
            raise InputError(
                f"tokens and text must be of as many images, got {images} and {len(texts)}"
            )
        self._check_not_blind(tokens, mask)
        kept = slice(None) if rows is None else np.asarray(rows)
        v = [IMAGE_ORDERS[name](tokens, mask) for name in self.image]
        t = [TEXT_ORDERS[name](texts) for name in self.text]
        return Prepared(
            *(
                normalise(np.concatenate([_scaled(x, kept) for x in side], axis=-1), name)
                for name, side in (("image", v), ("text", t))
            )
        )

    def _check_not_blind(self, tokens: ArrayLike, mask: ArrayLike | None) -> None:
        shape = np.shape(tokens)
        if "covariance" not in self.image:
            return
        most = shape[1] if mask is None else int(checked_mask(mask, shape).sum(axis=1).max())
        if most == 1:
            raise InputError(
                f"{self.name} reads how the tokens of an image differ, and every image has one:"
                " attention over one token answers with that token whatever the text asks, so"
                " that this read-out is blind; use token-mean, or give more tokens"
            )


def _scaled(x: Array, rows: Any) -> Array:
    """Return the order less its mean over some images, at a mean squared length of 1 there."""
    own = x[rows].reshape(-1, x.shape[-1])
    centred = x - own.mean(axis=0)
    power = float(((own - own.mean(axis=0)) ** 2).sum(axis=1).mean())
    if not power > 0:
        raise InputError("tokens and text must vary between images, got one that does not")
    return np.asarray(centred / np.sqrt(power))


TOKEN_HEADS = {
    head.name: head
    for head in (
        TokenHead(
            "token-mean",
            "mean (x) t: flat attention, and a read-out bilinear in answer and query",
            *(("mean",), ("query",), "bilinear"),
        ),
        TokenHead(
            "token-answer",
            "Cov_a(x) (x) t: what a linear read-out of the answer alone sees",
            *(("covariance",), ("query",), "bilinear"),
        ),
        TokenHead(
            "token-pair",
            "Cov_a(x) (x) t t^T: what a read-out that sees the query again adds",
            *(("covariance",), ("pair",), "bilinear"),
        ),
        TokenHead(
            "token-bilinear",
            "all products of mean and Cov_a(x) with t and t t^T",
            *(("mean", "covariance"), ("query", "pair"), "bilinear"),
        ),
        TokenHead(
            "token-mlp",
            "wide ReLU network on mean, Cov_a(x), t and t t^T: its tangent kernel",
            *(("mean", "covariance"), ("query", "pair"), "concat-mlp"),
        ),
    )
}
"""Heads of tokens by name; a new one is one more entry."""


@checked
def find_token_head(name: str) -> TokenHead:
    """Return the head of that name.

    Raises:
        InputError: if there is none; the message lists those that there are.

    Example:
        >>> find_token_head("token-mean").kernel
        'bilinear'
    """
    if name in TOKEN_HEADS:
        return TOKEN_HEADS[name]
    raise InputError(f"head must be one of {', '.join(TOKEN_HEADS)}, got {name!r}")
