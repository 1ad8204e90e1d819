"""Measured twin of the signals of token orders."""

from __future__ import annotations

from typing import Literal

import numpy as np

from fusiontheory.checks import positive_integer
from fusiontheory.constraints import checked
from fusiontheory.synthetic import TokenPairs
from fusiontheory.tokens import IMAGE_ORDERS, TEXT_ORDERS
from fusiontheory.typing import Array

__all__ = ["simulate_token_signal"]


@checked
def simulate_token_signal(
    pairs: TokenPairs,
    image: Literal["mean", "covariance"],
    text: Literal["query", "pair"],
    *,
    images: int,
    seed: int,
) -> tuple[Array, Array]:
    """Return the cross-covariance of an order over drawn pairs, and its standard errors.

    Args:
        pairs: the distribution.
        image, text: names of the order's parts.
        images: number of drawn pairs, at least 2.
        seed: of the draw.

    Returns:
        Two arrays of a row for each image feature and a column for each text feature.

    Raises:
        InputError: for fewer than 2 images.

    Source: the measured twin of `fusiontheory.synthetic.TokenPairs.cross_covariance`.

    Example:
        >>> pairs = TokenPairs(d=2)
        >>> mean, error = simulate_token_signal(pairs, "mean", "query", images=4000, seed=0)
        >>> bool((abs(mean - pairs.cross_covariance("mean", "query")) < 5 * error).all())
        True
    """
    count = positive_integer("images", images, minimum=2)
    tokens, texts = pairs.draw(count, seed)
    v, t = IMAGE_ORDERS[image](tokens, None), TEXT_ORDERS[text](texts)
    v, t = v - v.mean(axis=0), t - t.mean(axis=0)
    mean = v.T @ t / (count - 1)
    square = (v**2).T @ t**2 / count
    return mean, np.sqrt(np.maximum(square - mean**2, 0.0) / count)
