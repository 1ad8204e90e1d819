"""A head's features by what two training pairs must have in common to share them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fusiontheory.heads import relu_tangent_coefficients, relu_tangent_kernel
from fusiontheory.matching import SharedBlock
from fusiontheory.moments import Moments
from fusiontheory.risk import Spectrum
from fusiontheory.typing import Orders

__all__ = ["ProductSharing", "TangentSharing", "linear_blocks", "product_block", "tangent_blocks"]


@dataclass(frozen=True, eq=False)
class ProductSharing:
    """What pairs share of v (x) t and, with weights above 0, of v and of t alone.

    Attributes:
        moments: of the features.
        image: weight k_10 of v alone.
        text: weight k_01 of t alone.
    """

    moments: Moments
    image: float
    text: float

    @cached_property
    def blocks(self) -> tuple[SharedBlock, ...]:
        """Image alone, text alone, where they have a weight, and both."""
        alone = linear_blocks(self.moments, self.image, self.text)
        return *alone, product_block(self.moments, 1.0)


@dataclass(frozen=True, eq=False)
class TangentSharing:
    """What pairs share of the features of a wide ReLU network; as `tangent_blocks` takes them."""

    moments: Moments
    orders: Orders
    remainder: float
    power: float
    cosine: float

    @cached_property
    def blocks(self) -> tuple[SharedBlock, ...]:
        """Image alone, text alone, and both."""
        return tangent_blocks(self.moments, self.orders, self.remainder, self.power, self.cosine)


def product_block(
    moments: Moments, scale: float, ridge: float = 0.0, ridge_likeness: float = 1.0
) -> SharedBlock:
    """Return the features v (x) t, which pairs share that have image and text in common.

    Args:
        moments: of the features.
        scale: k_11 of the kernel.
        ridge: power of higher orders in v and t.
        ridge_likeness: share of it that two texts of one image have in common.

    Example:
        >>> flat = np.eye(4)
        >>> moments = Moments.from_second_moments(flat, flat, flat / 2)
        >>> float(product_block(moments, 0.5).spectrum.sum(lambda value, _: value, 0.0))
        8.0
    """
    product = scale * np.outer(moments.image_eigenvalues, moments.text_eigenvalues)
    common = np.broadcast_to(moments.pairs.text_likeness, product.shape)
    spectrum = Spectrum.from_eigenvalues(product, {"common": common})
    return SharedBlock(spectrum, ridge, True, True, ridge_likeness)


def linear_blocks(moments: Moments, image: float, text: float) -> tuple[SharedBlock, ...]:
    """Return the features sqrt(image) v and sqrt(text) t, those of a weight above 0.

    Example:
        >>> moments = Moments.from_second_moments(np.eye(4), np.eye(4), np.eye(4) / 2)
        >>> [block.of_text for block in linear_blocks(moments, 0.0, 2.0)]
        [True]
    """
    sides = moments.image_eigenvalues, moments.text_eigenvalues
    common = np.ones_like(sides[0]), moments.pairs.text_likeness
    weighted = zip((False, True), (image, text), sides, common, strict=True)
    return tuple(
        SharedBlock(
            Spectrum.from_eigenvalues(weight * values, {"common": share}), 0.0, not of_text, of_text
        )
        for of_text, weight, values, share in weighted
        if weight > 0
    )


def tangent_blocks(
    moments: Moments,
    orders: Orders,
    remainder: float,
    power: float | None = None,
    cosine: float = 0.0,
) -> tuple[SharedBlock, ...]:
    """Return the blocks of a wide ReLU network: image alone, text alone, both.

    Alone have the first and second order their eigenvalues and those above a ridge, K where the
    other modality's inner product is 0 less what the spectrum has of it. Of that ridge two texts of
    one image share what K says at their inner product: the b-th order in t falls as its b-th power.

    Args:
        moments: of the features.
        orders: k_ab by (a, b).
        remainder: power of all orders above the second.
        power: (E|v|^2 + E|t|^2)/2 with the means that the moments do not have
            (`fusiontheory.moments.means`); None for that of the moments.
        cosine: that the orders are taken around.

    Example:
        >>> flat = np.eye(4) / 4
        >>> moments = Moments.from_second_moments(flat, flat, flat / 2)
        >>> orders = {(1, 0): 0.2, (0, 1): 0.2, (2, 0): 0.1, (0, 2): 0.1, (1, 1): 0.1}
        >>> blocks = tangent_blocks(moments, orders, 0.25)
        >>> [round(block.ridge, 3) for block in blocks]
        [0.011, 0.011, 0.228]
    """
    sides = moments.image_eigenvalues, moments.text_eigenvalues
    common = np.ones_like(sides[0]), moments.pairs.text_likeness
    a = relu_tangent_coefficients(2, at=cosine)
    r = float(sides[0].sum() + sides[1].sum()) / 2 if power is None else power

    def higher(inner: float) -> float:
        u = inner / (2 * r)
        whole = float(relu_tangent_kernel(np.array(cosine + u)))
        return r * (whole - a[0] - a[1] * u - a[2] * u**2)

    image, text = float(sides[0].sum()), float(sides[1].sum())
    alike = float(common[1] @ sides[1])
    ridges = higher(image), higher(text)
    rest = remainder - ridges[0] - ridges[1]
    together = higher(image + alike) - ridges[0] - higher(alike)
    blocks = []
    for of_text, (values, share) in enumerate(zip(sides, common, strict=True)):
        first, second = ((0, 1), (0, 2)) if of_text else ((1, 0), (2, 0))
        i, j = np.triu_indices(values.size)
        spectrum = Spectrum.from_eigenvalues(
            np.concatenate([orders[first] * values, orders[second] * 2 * values[i] * values[j]]),
            {"common": np.concatenate([share, share[i] * share[j]])},
        )
        likeness = higher(alike) / ridges[1] if of_text else 1.0
        blocks.append(SharedBlock(spectrum, ridges[of_text], not of_text, bool(of_text), likeness))
    return *blocks, product_block(moments, orders[1, 1], rest, together / rest)
