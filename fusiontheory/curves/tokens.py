"""Predicted accuracy of heads that read tokens."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fusiontheory.checks import ValidityWarning
from fusiontheory.constraints import checked
from fusiontheory.curves.predict import predict_curve
from fusiontheory.moments import Moments
from fusiontheory.tokens import find_token_head

__all__ = ["predict_token_curve"]

_IMAGES_A_DIMENSION = 4
"""Images for each dimension, from where the sample's own eigenvalues do not mislead."""


@checked
def predict_token_curve(
    head: str,
    tokens: ArrayLike,
    text: ArrayLike,
    n: ArrayLike,
    ridge: float | Literal["best"] = "best",
    *,
    mask: ArrayLike | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Predict test risk and accuracy of image-text matching by a head that reads tokens.

    The head's orders (`fusiontheory.tokens`) are vectors, and its kernel is one that
    `predict_curve` knows: the prediction is that of their moments. Give it the tokens of the images
    that the head is trained on, and no others.

    Args:
        head: one of `fusiontheory.tokens.TOKEN_HEADS`.
        tokens: (N, m, d) of N images.
        text: (N, p), or (N, captions, p).
        n: number of training pairs, one or many.
        ridge: as `predict_curve` takes it.
        mask: (N, m), true where a token counts; needed where images have different numbers.
        settings: others of `predict_curve`, such as ``training_images``.

    Returns:
        As `predict_curve`.

    Raises:
        InputError: as `TokenHead.features` and `predict_curve` do.

    Warns:
        ValidityWarning: where an order has more dimensions than a quarter of the images:
            accuracies were then 2 to 5 points too high.

    Example:
        >>> from fusiontheory.synthetic import TokenPairs
        >>> tokens, text = TokenPairs(d=4).draw(400, seed=0)
        >>> list(predict_token_curve("token-mean", tokens, text, [256], 0.1))[:3]
        ['n', 'risk', 'accuracy']
    """
    own = find_token_head(head)
    v, t = own.features(tokens, text, mask=mask)
    dimensions = max(v.shape[-1], t.shape[-1])
    if _IMAGES_A_DIMENSION * dimensions > len(v):
        warnings.warn(
            f"{head} has {dimensions} dimensions, more than a quarter of the {len(v)} images:"
            " predicted accuracies are likely too high; reduce the tokens' and the texts' own"
            " dimensions, or give more images",
            ValidityWarning,
            stacklevel=2,
        )
    return predict_curve(own.kernel, Moments.from_features(v, np.asarray(t)), n, ridge, **settings)
