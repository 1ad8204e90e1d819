"""The fusion heads, each with its kernel: what measures needs no more.

A head is added here by one entry in ``HEADS``; measurements, report and command line follow. To be
predicted it needs a model of the same name in `fusiontheory.curves.models`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import InputError
from fusiontheory.heads.kernels import linear_kernel, product_kernel, relu_tangent_kernel

__all__ = [
    "GAP_HEADS",
    "HEADS",
    "OTHER_HEAD_NAMES",
    "RIDGES",
    "Head",
    "find_head",
]

_Array = NDArray[Any]


@dataclass(frozen=True)
class Head:
    """One fusion of two modalities, trained by ridge regression with a free intercept.

    Attributes:
        name: as on the command line and in records.
        summary: one line for people.
        gram: (image, text, image', text') -> kernel matrix (n, n'), rows (n, d_v) and (n, d_t).
        features: (image, text) -> explicit features (n, p) where p is small, with
            ``gram`` = features features'; None where only the kernel is affordable.
    """

    name: str
    summary: str
    gram: Callable[[_Array, _Array, _Array, _Array], _Array]
    features: Callable[[_Array, _Array], _Array] | None = None


def find_head(name: str) -> Head:
    """Return the head of that name; a name of `OTHER_HEAD_NAMES` is another for one of these.

    Raises:
        InputError: if there is none; the message lists those that there are.

    Example:
        >>> find_head("bilinear").summary
        'linear in v (x) t: the product kernel'
    """
    if isinstance(name, str):
        known = OTHER_HEAD_NAMES.get(name, name)
        if known in HEADS:
            return HEADS[known]
    close = get_close_matches(str(name), HEADS, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise InputError(f"head must be one of {', '.join(HEADS)}, got {name!r}{hint}")


def _linear_features(image: _Array, text: _Array) -> _Array:
    features: _Array = np.concatenate([image, text], axis=1) / np.sqrt(2)
    return features


def _linear_gram(image: _Array, text: _Array, image2: _Array, text2: _Array) -> _Array:
    return linear_kernel(image @ image2.T, text @ text2.T)


def _product_gram(image: _Array, text: _Array, image2: _Array, text2: _Array) -> _Array:
    return product_kernel(image @ image2.T, text @ text2.T)


def _tangent_gram(image: _Array, text: _Array, image2: _Array, text2: _Array) -> _Array:
    """|x| |x'| K(cos) for x = [v; t] / sqrt(2), in the precision of the features."""
    inner = linear_kernel(image @ image2.T, text @ text2.T)
    norms = np.sqrt(((image**2).sum(1) + (text**2).sum(1)) / 2)
    norms2 = np.sqrt(((image2**2).sum(1) + (text2**2).sum(1)) / 2)
    # A zero input has a zero kernel whatever its direction.
    scale = np.outer(norms, norms2)
    cosine = np.divide(inner, scale, out=np.zeros_like(inner), where=scale > 0)
    kernel: _Array = relu_tangent_kernel(cosine)
    kernel *= scale
    return kernel


def _dot_features(image: _Array, text: _Array) -> _Array:
    if image.shape[1] != text.shape[1]:
        raise InputError(
            "dot-product needs image and text features of one dimension,"
            f" got {image.shape[1]} and {text.shape[1]}"
        )
    scores: _Array = np.einsum("nd,nd->n", image, text)[:, None]
    return scores


def _dot_gram(image: _Array, text: _Array, image2: _Array, text2: _Array) -> _Array:
    gram: _Array = _dot_features(image, text) @ _dot_features(image2, text2).T
    return gram


HEADS = {
    head.name: head
    for head in (
        Head(
            name="concat-linear",
            summary="linear in [v; t]",
            gram=_linear_gram,
            features=_linear_features,
        ),
        Head(
            name="concat-mlp",
            summary="wide three-layer ReLU network on [v; t]: its tangent kernel",
            gram=_tangent_gram,
        ),
        Head(
            name="bilinear",
            summary="linear in v (x) t: the product kernel",
            gram=_product_gram,
        ),
        Head(
            name="dot-product",
            summary="scale and threshold on v.t",
            gram=_dot_gram,
            features=_dot_features,
        ),
    )
}


OTHER_HEAD_NAMES = {"additive": "concat-linear"}
"""Names that are taken for a head, and the one by which it goes everywhere."""

GAP_HEADS = ("concat-mlp", "bilinear")
"""The gap is the accuracy of the first less that of the second."""

RIDGES: tuple[float, ...] = tuple(float(f"{ridge:.3g}") for ridge in np.geomspace(1e-3, 1e2, 13))
"""Ridges that are tried, as multiples of the mean of K(x, x): 13 from 0.001 to 100."""
