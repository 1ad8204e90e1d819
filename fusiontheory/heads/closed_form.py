"""The fusion heads: for each, its kernel (to measure) and its model of matching (to predict).

A head is added here by one entry in ``HEADS``; curves, measurements, report and command line
follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import InputError
from fusiontheory.kernel_signal import kernel_signal
from fusiontheory.kernels import (
    linear_kernel,
    product_kernel,
    relu_tangent_coefficients,
    relu_tangent_kernel,
)
from fusiontheory.matching import MatchingModel
from fusiontheory.metric_scores import metric_law
from fusiontheory.moments import Moments
from fusiontheory.score_curve import kernel_law
from fusiontheory.shared_blocks import product_block, tangent_blocks
from fusiontheory.spectrum import Spectrum

__all__ = ["HEADS", "Head", "Terms", "find_head"]

_Array = NDArray[Any]


@dataclass(frozen=True)
class Terms:
    """Which terms of the theory a prediction has; all of them unless one is left out on purpose.

    Without any, a curve follows from the second moments of v and of t and their
    cross-covariance alone.

    Attributes:
        lanczos_steps: how the covariance of matched pairs enters (`lanczos_signal`): 2, 1, or
            0 for not at all.
        self_blocks: whether functions of one modality alone, and the length of [v; t], help
            those of both (`fusiontheory.ritz_signal`).
        mixed_orders: whether the third and fourth order of the tangent kernel carry signal.
        score_law: whether accuracy is that of held-out scores and leverages
            (`fusiontheory.score_law`), or of normal scores and the mean leverage.

    Raises:
        InputError: if ``lanczos_steps`` is not 0, 1 or 2.

    Example:
        >>> Terms(lanczos_steps=0, mixed_orders=False)
        Terms(lanczos_steps=0, self_blocks=True, mixed_orders=False, score_law=True)
    """

    lanczos_steps: int = 2
    self_blocks: bool = True
    mixed_orders: bool = True
    score_law: bool = True

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.lanczos_steps not in (0, 1, 2):
            raise InputError(f"lanczos_steps must be 0, 1 or 2, got {self.lanczos_steps!r}")

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions of `fusiontheory.ritz_signal` that these terms add."""
        alone = ("image_pair", "text_pair", "image", "text", "length") if self.self_blocks else ()
        return (*alone, "witness") if self.mixed_orders else alone


@dataclass(frozen=True)
class Head:
    """One fusion of two modalities, trained by ridge regression with a free intercept.

    Attributes:
        name: as on the command line and in records.
        summary: one line for people.
        gram: (image, text, image', text') -> kernel matrix (n, n'), rows (n, d_v) and (n, d_t).
        model: what matching looks like to the head, from the moments of the features.
        features: (image, text) -> explicit features (n, p) where p is small, with
            ``gram`` = features features'; None where only the kernel is affordable.
    """

    name: str
    summary: str
    gram: Callable[[_Array, _Array, _Array, _Array], _Array]
    model: Callable[[Moments, Terms], MatchingModel]
    features: Callable[[_Array, _Array], _Array] | None = None


def find_head(name: str) -> Head:
    """Return the head of that name.

    Raises:
        InputError: if there is none; the message lists those that there are.

    Example:
        >>> find_head("bilinear").summary
        'linear in v (x) t: the product kernel'
    """
    if isinstance(name, str) and name in HEADS:
        return HEADS[name]
    close = get_close_matches(str(name), HEADS, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise InputError(f"head must be one of {', '.join(HEADS)}, got {name!r}{hint}")


def _no_signal(kappa: _Array) -> tuple[_Array, _Array]:
    return np.zeros_like(kappa), np.zeros_like(kappa)


def _linear_features(image: _Array, text: _Array) -> _Array:
    features: _Array = np.concatenate([image, text], axis=1) / np.sqrt(2)
    return features


def _linear_gram(image: _Array, text: _Array, image2: _Array, text2: _Array) -> _Array:
    return linear_kernel(image @ image2.T, text @ text2.T)


def _linear_model(moments: Moments, terms: Terms) -> MatchingModel:
    """Additive features: E[y | v] = E[y | t] = 0 leaves nothing to learn, at any n."""
    del terms
    spectrum = Spectrum.from_eigenvalues(moments.concat_eigenvalues / 2)
    return MatchingModel(spectrum, 0.0, _no_signal, np.zeros_like)


def _product_gram(image: _Array, text: _Array, image2: _Array, text2: _Array) -> _Array:
    return product_kernel(image @ image2.T, text @ text2.T)


def _product_model(moments: Moments, terms: Terms) -> MatchingModel:
    product = np.outer(moments.image_eigenvalues, moments.text_eigenvalues)
    spectrum = Spectrum.from_eigenvalues(product)

    def signal(kappa: _Array) -> tuple[_Array, _Array]:
        return moments.matching_signal(kappa, terms.lanczos_steps)

    return MatchingModel(
        spectrum=spectrum,
        ridge=0.0,
        signal=signal,
        signal_error=moments.matching_error,
        law=kernel_law(moments, {(1, 1): 1.0}, spectrum, signal) if terms.score_law else None,
        shared=cache(lambda: (product_block(moments, 1.0),)),
    )


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


def _tangent_model(moments: Moments, terms: Terms) -> MatchingModel:
    r"""Expand r K(u / r), u = (v.v' + t.t') / 2 and r = E|x|^2, in powers (v.v')^a (t.t')^b.

    Of first and second order are a linear block a_1/2 ([v;t].[v;t]'), two self blocks
    a_2/(4r) (v.v')^2 and (t.t')^2, and the cross block a_2/(2r) (v.v')(t.t'), the only one of the
    three with signal of its own. Order 0 is a constant, which the intercept has, but where lengths
    vary it is |x|: the law of scores has it as a function. The third and fourth order
    are spread over so many features that each of them is far below kappa: they act as ridge.
    What the other blocks add to the signal of the cross block is the gain of
    `fusiontheory.ritz_signal`. Orders above the fourth act as ridge alone.
    """
    lambda_v, lambda_t = moments.image_eigenvalues, moments.text_eigenvalues
    a = relu_tangent_coefficients(4)
    r = float(lambda_v.sum() + lambda_t.sum()) / 2
    orders = {
        (k - b, b): float(a[k] * r ** (1 - k) * comb(k, b) / 2**k)
        for k in range(5)
        for b in range(k + 1)
    }
    spectrum = Spectrum.from_eigenvalues(
        np.concatenate(
            [
                orders[1, 0] * moments.concat_eigenvalues,
                orders[2, 0] * _self_product_eigenvalues(lambda_v),
                orders[0, 2] * _self_product_eigenvalues(lambda_t),
                orders[1, 1] * np.outer(lambda_v, lambda_t).ravel(),
            ]
        )
    )
    signal, error = kernel_signal(moments, orders, terms.lanczos_steps, terms.functions)
    remainder = float(r * (1 - a[0] - a[1] - a[2]))
    law = None
    if terms.score_law:
        law = kernel_law(
            moments,
            orders,
            spectrum,
            signal,
            remainder=remainder,
            functions=terms.functions,
            homogeneous=True,
        )
    return MatchingModel(
        spectrum=spectrum,
        ridge=remainder,
        signal=signal,
        signal_error=error,
        law=law,
        shared=cache(lambda: tangent_blocks(moments, orders, remainder)),
    )


def _self_product_eigenvalues(eigenvalues: _Array) -> _Array:
    """Covariance eigenvalues of v (x) v for Gaussian v: 2 lambda_i lambda_j for i <= j."""
    row, column = np.triu_indices(eigenvalues.size)
    return 2 * eigenvalues[row] * eigenvalues[column]


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


def _dot_model(moments: Moments, terms: Terms) -> MatchingModel:
    """One feature, s = v.t; only its scale and the threshold are learned from the n pairs."""
    if moments.dot_product is None:
        d_v, d_t = moments.dimensions
        raise InputError(
            f"dot-product needs image and text features of one dimension, got {d_v} and {d_t}"
        )
    mean, matched = moments.dot_product.difference, moments.dot_product.matched_variance
    within = (matched + moments.dot_product.mismatched_variance) / 2
    error = np.sqrt(matched / moments.images)

    def signal(kappa: _Array) -> tuple[_Array, _Array]:
        q = mean**2 / (within + kappa)
        return q, -q * kappa / (within + kappa)

    return MatchingModel(
        # Equal features have a constant score: no variance, and no signal.
        spectrum=Spectrum.from_eigenvalues([max(within + mean**2 / 4, np.finfo(np.float64).tiny)]),
        ridge=0.0,
        signal=signal,
        signal_error=lambda kappa: (2 * abs(mean) * error + error**2) / (within + kappa),
        law=metric_law(moments) if terms.score_law else None,
    )


HEADS = {
    head.name: head
    for head in (
        Head(
            name="concat-linear",
            summary="linear in [v; t]",
            gram=_linear_gram,
            model=_linear_model,
            features=_linear_features,
        ),
        Head(
            name="concat-mlp",
            summary="wide three-layer ReLU network on [v; t]: its tangent kernel",
            gram=_tangent_gram,
            model=_tangent_model,
        ),
        Head(
            name="bilinear",
            summary="linear in v (x) t: the product kernel",
            gram=_product_gram,
            model=_product_model,
        ),
        Head(
            name="dot-product",
            summary="scale and threshold on v.t",
            gram=_dot_gram,
            model=_dot_model,
            features=_dot_features,
        ),
    )
}
