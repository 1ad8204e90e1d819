"""The pairs behind a kernel's signal and scores: their Ritz functions and their powers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from fusiontheory.matching.leverage import PairPowers
from fusiontheory.moments import MOST_IMAGES, Moments
from fusiontheory.signal import RitzGram, mismatched_partner, ritz_gram
from fusiontheory.typing import Array, Orders

__all__ = ["KernelPairs", "kernel_pairs"]

# Effective ridges over the cross block's trace.
_LEVELS = np.geomspace(3e-5, 1.0, 12)
# Kernels of which the pairs are kept: a few heads on two sets of features.
_KEPT = 8


@dataclass(frozen=True, eq=False)
class KernelPairs:
    """Pairs of some moments, as a kernel sum_ab k_ab (v.v')^a (t.t')^b sees them.

    Of at most 4096 images, or as many drawn Gaussian pairs; with noise, it is drawn. Each property
    is made when it is first asked for.

    Attributes:
        moments: of the features.
        orders: k_ab > 0 by (a, b), with (1, 1) among them, sorted.
        homogeneous: whether the kernel grows as the length of [v; t] at each side.
    """

    moments: Moments
    orders: tuple[tuple[tuple[int, int], float], ...]
    homogeneous: bool

    @cached_property
    def _unit(self) -> dict[tuple[int, int], float]:
        """The orders' weights for pairs at trace 1."""
        traces = self.moments.pairs.traces
        return {(a, b): k * traces[0] ** a * traces[1] ** b for (a, b), k in self.orders}

    @cached_property
    def levels(self) -> Array:
        """Effective ridges at which the Ritz functions are known."""
        return np.asarray(_LEVELS * self._unit[1, 1])

    @cached_property
    def ritz(self) -> RitzGram:
        """Ritz functions of the kernel at each of the levels; no gain below 50 images."""
        traces, image, text = self.moments.pairs.rows(MOST_IMAGES)
        own_v, own_t = self.moments.pairs.eigenvalues
        values = own_v / traces[0], own_t / traces[1]
        return ritz_gram(image, text, *values, self._unit, self.levels)

    @cached_property
    def powers(self) -> PairPowers:
        """Powers of the pairs that the Ritz functions are of, in the kernel's eigenspaces."""
        traces, image, text = self.moments.pairs.rows(MOST_IMAGES)
        values = self.moments.image_eigenvalues, self.moments.text_eigenvalues
        return PairPowers.of_pairs(
            image,
            text,
            mismatched_partner(len(image)),
            (values[0] / traces[0], values[1] / traces[1]),
            self._unit,
            self.moments.pairs.lengths(MOST_IMAGES) if self.homogeneous else None,
        )


def kernel_pairs(moments: Moments, orders: Orders, homogeneous: bool = False) -> KernelPairs:
    """Return the pairs of a kernel, the same ones for the next call with the same kernel.

    Example:
        >>> moments = Moments.from_second_moments(np.eye(4), np.eye(4), 0.5 * np.eye(4))
        >>> pairs = kernel_pairs(moments, {(1, 1): 1.0})
        >>> pairs is kernel_pairs(moments, {(1, 1): 1.0}), pairs.levels.shape
        (True, (12,))
    """
    return _kept(moments, tuple(sorted(orders.items())), homogeneous)


@lru_cache(maxsize=_KEPT)
def _kept(
    moments: Moments, orders: tuple[tuple[tuple[int, int], float], ...], homogeneous: bool
) -> KernelPairs:
    return KernelPairs(moments, orders, homogeneous)
