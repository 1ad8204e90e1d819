"""What matching looks like to each head, from the moments of the features: its model.

A head that is to be predicted has one entry in ``MODELS``, under its name in
`fusiontheory.heads.HEADS`; a head without one can be measured all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import comb

import numpy as np

from fusiontheory.checks import InputError, equal_dimensions
from fusiontheory.constraints import checked
from fusiontheory.curves.shared_blocks import ProductSharing, TangentSharing
from fusiontheory.heads import find_head, relu_tangent_coefficients
from fusiontheory.matching import (
    DotProductScores,
    FunctionSignal,
    KernelScores,
    KernelSignal,
    MatchingModel,
    NormalLaw,
    NoSignal,
    Terms,
    one_feature,
)
from fusiontheory.moments import Moments, centred, on_shared_directions
from fusiontheory.risk import Spectrum, self_product_eigenvalues

__all__ = ["MODELS", "find_model", "mean_diagonal"]


@checked
def find_model(head: str) -> Callable[[Moments, Terms], MatchingModel]:
    """Return what makes the model of the head of that name from moments and terms.

    Raises:
        InputError: if there is no such head, or it has a kernel and no theory; the message lists
            those that can be predicted.

    Example:
        >>> moments = Moments.from_second_moments(np.eye(2), np.eye(2), 0.5 * np.eye(2))
        >>> find_model("bilinear")(moments, Terms()).ridge
        0.0
    """
    if not isinstance(head, str) or head not in MODELS:
        # By another name, unknown, or one that can only be measured.
        name = find_head(head).name
        if name not in MODELS:
            raise InputError(f"head must be one with a model, {', '.join(MODELS)}, got {head!r}")
        head = name
    return MODELS[head]


@checked
def mean_diagonal(head: str, moments: Moments) -> float:
    """Return the mean of the head's K(x, x) over pairs: what a ridge is small or large beside.

    Args:
        head: one of `MODELS`.
        moments: of the features, means included.

    Example:
        >>> moments = Moments.from_second_moments(np.eye(2), np.eye(4), 0.5 * np.eye(2, 4))
        >>> mean_diagonal("bilinear", moments), mean_diagonal("concat-mlp", moments)
        (8.0, 3.0)
    """
    image, text = float(moments.image_eigenvalues.sum()), float(moments.text_eigenvalues.sum())
    head = find_head(head).name
    if head == "concat-mlp-aligned":
        return mean_diagonal("concat-mlp", on_shared_directions(moments))
    if head in ("concat-linear", "concat-mlp"):
        return (image + text) / 2
    if head == "bilinear":
        return image * text
    spectrum = find_model(head)(moments, Terms(score_law=False)).spectrum
    return spectrum.trace


def _linear_model(moments: Moments, terms: Terms) -> MatchingModel:
    """Additive features: E[y | v] = E[y | t] = 0 leaves nothing to learn, at any n."""
    del terms
    spectrum = Spectrum.from_eigenvalues(moments.concat_eigenvalues / 2)
    return MatchingModel(spectrum, 0.0, NoSignal())


def _product_model(moments: Moments, terms: Terms) -> MatchingModel:
    """v (x) t; with means also v and t alone, of weights |E t|^2 and |E v|^2 (`means`)."""
    centre = centred(moments)
    less_means = centre.moments
    alone = {(1, 0): centre.text, (0, 1): centre.image}
    orders = {order: k for order, k in alone.items() if k > 0} | {(1, 1): 1.0}
    values = np.outer(less_means.image_eigenvalues, less_means.text_eigenvalues).ravel()
    if len(orders) > 1:
        values = np.concatenate([centre.joint_eigenvalues(centre.text, centre.image), values])
    spectrum = Spectrum.from_eigenvalues(values)
    functions = ("image", "text") if terms.self_blocks and len(orders) > 1 else ()
    signal = KernelSignal(less_means, orders, terms.lanczos_steps, functions)
    return MatchingModel(
        spectrum=spectrum,
        ridge=0.0,
        signal=signal,
        scores=KernelScores.of(signal, spectrum) if terms.score_law else NormalLaw(),
        sharing=ProductSharing(less_means, centre.text, centre.image),
    )


def _tangent_model(moments: Moments, terms: Terms) -> MatchingModel:
    r"""Expand r K(u / r), u = (v.v' + t.t') / 2 and r = E|x|^2, in powers (v.v')^a (t.t')^b.

    Of first and second order are a linear block a_1/2 ([v;t].[v;t]'), two self blocks
    a_2/(4r) (v.v')^2 and (t.t')^2, and the cross block a_2/(2r) (v.v')(t.t'), the only one of the
    three with signal of its own. Order 0 is a constant, which the intercept has, but where lengths
    vary it is |x|: the law of scores has it as a function. The third and fourth order
    are spread over so many features that each of them is far below kappa: they act as ridge.
    What the other blocks add to the signal of the cross block is the gain of
    `fusiontheory.signal.ritz`. Orders above the fourth act as ridge alone. Features with means are
    taken around them and their cosine (`fusiontheory.moments.means`).
    """
    centre = centred(moments)
    less_means, r = centre.moments, centre.power
    lambda_v, lambda_t = less_means.image_eigenvalues, less_means.text_eigenvalues
    a = relu_tangent_coefficients(4, at=centre.cosine)
    orders = {
        (k - b, b): float(a[k] * r ** (1 - k) * comb(k, b) / 2**k)
        for k in range(5)
        for b in range(k + 1)
    }
    spectrum = Spectrum.from_eigenvalues(
        np.concatenate(
            [
                centre.joint_eigenvalues(orders[1, 0], orders[0, 1]),
                orders[2, 0] * self_product_eigenvalues(lambda_v),
                orders[0, 2] * self_product_eigenvalues(lambda_t),
                orders[1, 1] * np.outer(lambda_v, lambda_t).ravel(),
            ]
        )
    )
    share = centre.spread / r
    remainder = float(r * (1 - a[0] - a[1] * share - a[2] * share**2))
    signal = KernelSignal(
        less_means, orders, terms.lanczos_steps, terms.functions, homogeneous=True
    )
    return MatchingModel(
        spectrum=spectrum,
        ridge=remainder,
        signal=signal,
        scores=KernelScores.of(signal, spectrum, remainder) if terms.score_law else NormalLaw(),
        sharing=TangentSharing(less_means, orders, remainder, r, centre.cosine),
    )


def _aligned_model(moments: Moments, terms: Terms) -> MatchingModel:
    """The tangent kernel on the directions that the modalities share, found on these images."""
    return _tangent_model(on_shared_directions(moments), terms)


def _dot_model(moments: Moments, terms: Terms) -> MatchingModel:
    """One feature, s = v.t; only its scale and the threshold are learned from the n pairs."""
    equal_dimensions("dot-product", *moments.dimensions)
    score = moments.dot_product
    assert score is not None  # it is there wherever d_v = d_t
    mean, matched = score.difference, score.matched_variance
    within = (matched + score.mismatched_variance) / 2
    error = np.sqrt(matched / moments.images)
    one = one_feature(mean, within)
    return replace(
        one,
        signal=FunctionSignal(
            one.signal, lambda kappa: (2 * abs(mean) * error + error**2) / (within + kappa)
        ),
        scores=DotProductScores.of(moments) if terms.score_law else NormalLaw(),
    )


MODELS: dict[str, Callable[[Moments, Terms], MatchingModel]] = {
    "concat-linear": _linear_model,
    "concat-mlp": _tangent_model,
    "concat-mlp-aligned": _aligned_model,
    "bilinear": _product_model,
    "dot-product": _dot_model,
}
