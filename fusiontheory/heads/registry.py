"""The fusion heads, each with its kernel: what measures needs no more.

A head is added here by one entry in ``HEADS``; measurements, report and command line follow. To be
predicted it needs a model of the same name in `fusiontheory.curves.models`. One in
``HEADS_BY_CHOICE`` is measured and predicted where it is asked for by name, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from fusiontheory.checks import InputError, equal_dimensions
from fusiontheory.constraints import checked
from fusiontheory.heads.directions import SharedDirections
from fusiontheory.heads.kernels import linear_kernel, product_kernel, relu_tangent_kernel
from fusiontheory.typing import AnyArray

__all__ = [
    "GAP_HEADS",
    "HEADS",
    "HEADS_BY_CHOICE",
    "OTHER_HEAD_NAMES",
    "RIDGES",
    "Head",
    "find_head",
    "heads_for",
]


@checked
@dataclass(frozen=True)
class Head:
    """One fusion of two modalities, trained by ridge regression with a free intercept.

    Attributes:
        name: as on the command line and in records.
        summary: one line for people.
        gram: (image, text, image', text') -> kernel matrix (n, n'), rows (n, d_v) and (n, d_t).
        features: (image, text) -> explicit features (n, p) where p is small, with
            ``gram`` = features features'; None where only the kernel is affordable.
        fit: matched features of the training images, (n, d_v) and (n, captions, d_t), -> the head
            whose kernel is made from them; None for a kernel that needs none.
        equal_dimensions: whether d_v = d_t is needed.
    """

    name: str
    summary: str
    gram: Callable[[AnyArray, AnyArray, AnyArray, AnyArray], AnyArray]
    features: Callable[[AnyArray, AnyArray], AnyArray] | None = None
    fit: Callable[[AnyArray, AnyArray], Head] | None = None
    equal_dimensions: bool = False

    def fitted(self, image: AnyArray, text: AnyArray) -> Head:
        """Return the head to measure with, from matched features of the training images alone.

        Args:
            image: (n, d_v).
            text: (n, captions, d_t).

        Example:
            >>> import numpy as np
            >>> x = np.random.default_rng(0).standard_normal((50, 4))
            >>> HEADS["bilinear"].fitted(x, x[:, None]) is HEADS["bilinear"]
            True
            >>> find_head("concat-mlp-aligned").fitted(x, x[:, None]).gram(x, x, x, x).shape
            (50, 50)
        """
        return self if self.fit is None else self.fit(image, text)


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
        if known in _ALL:
            return _ALL[known]
    close = get_close_matches(str(name), _ALL, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise InputError(f"head must be one of {', '.join(_ALL)}, got {name!r}{hint}")


def _linear_features(image: AnyArray, text: AnyArray) -> AnyArray:
    features: AnyArray = np.concatenate([image, text], axis=1) / np.sqrt(2)
    return features


def _linear_gram(image: AnyArray, text: AnyArray, image2: AnyArray, text2: AnyArray) -> AnyArray:
    return linear_kernel(image @ image2.T, text @ text2.T)


def _product_gram(image: AnyArray, text: AnyArray, image2: AnyArray, text2: AnyArray) -> AnyArray:
    return product_kernel(image @ image2.T, text @ text2.T)


def _tangent_gram(image: AnyArray, text: AnyArray, image2: AnyArray, text2: AnyArray) -> AnyArray:
    """|x| |x'| K(cos) for x = [v; t] / sqrt(2), in the precision of the features."""
    inner = linear_kernel(image @ image2.T, text @ text2.T)
    norms = np.sqrt(((image**2).sum(1) + (text**2).sum(1)) / 2)
    norms2 = np.sqrt(((image2**2).sum(1) + (text2**2).sum(1)) / 2)
    # A zero input has a zero kernel whatever its direction.
    scale = np.outer(norms, norms2)
    cosine = np.divide(inner, scale, out=np.zeros_like(inner), where=scale > 0)
    kernel: AnyArray = relu_tangent_kernel(cosine)
    kernel *= scale
    return kernel


def _dot_features(image: AnyArray, text: AnyArray) -> AnyArray:
    equal_dimensions("dot-product", image.shape[1], text.shape[1])
    scores: AnyArray = np.einsum("nd,nd->n", image, text)[:, None]
    return scores


def _dot_gram(image: AnyArray, text: AnyArray, image2: AnyArray, text2: AnyArray) -> AnyArray:
    gram: AnyArray = _dot_features(image, text) @ _dot_features(image2, text2).T
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
            equal_dimensions=True,
        ),
    )
}


def _unfitted_gram(image: AnyArray, text: AnyArray, image2: AnyArray, text2: AnyArray) -> AnyArray:
    raise InputError(
        "concat-mlp-aligned has a kernel only after it has seen matched training images:"
        " find_head('concat-mlp-aligned').fitted(image, text)"
    )


def _aligned(image: AnyArray, text: AnyArray) -> Head:
    """Return the tangent kernel on the shared directions of these matched features."""
    directions = SharedDirections.fit(image, text)

    def gram(image: AnyArray, text: AnyArray, image2: AnyArray, text2: AnyArray) -> AnyArray:
        first = directions.project(image, text)
        return _tangent_gram(*first, *directions.project(image2, text2))

    return Head(name=_ALIGNED.name, summary=_ALIGNED.summary, gram=gram)


_ALIGNED = Head(
    name="concat-mlp-aligned",
    summary="concat-mlp on the directions that image and text share, found on training images",
    gram=_unfitted_gram,
    fit=_aligned,
)


@checked
def heads_for(d_v: int, d_t: int) -> list[str]:
    """Return the names of `HEADS` that features of these dimensions allow.

    Example:
        >>> heads_for(8, 4)
        ['concat-linear', 'concat-mlp', 'bilinear']
    """
    return [head.name for head in HEADS.values() if d_v == d_t or not head.equal_dimensions]


HEADS_BY_CHOICE = {_ALIGNED.name: _ALIGNED}
"""Heads that are measured and predicted where they are asked for by name."""

_ALL = HEADS | HEADS_BY_CHOICE

OTHER_HEAD_NAMES = {"additive": "concat-linear"}
"""Names that are taken for a head, and the one by which it goes everywhere."""

GAP_HEADS = ("concat-mlp", "bilinear")
"""The gap is the accuracy of the first less that of the second."""

RIDGES: tuple[float, ...] = tuple(float(f"{ridge:.3g}") for ridge in np.geomspace(1e-3, 1e2, 13))
"""Ridges that are tried, as multiples of the mean of K(x, x): 13 from 0.001 to 100."""
