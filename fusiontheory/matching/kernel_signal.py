"""The signal of matching in a kernel sum_ab k_ab (v.v')^a (t.t')^b, and the pairs that show it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import isotonic_regression

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.matching.leverage import PairPowers
from fusiontheory.moments import MOST_IMAGES, Moments
from fusiontheory.signal import MINIMUM_IMAGES, RitzGram, mismatched_partner, ritz_gram
from fusiontheory.typing import Array, Orders

__all__ = ["DEGREE", "HeldOut", "KernelPairs", "KernelSignal", "kernel_pairs"]

# Degree in [v; t] of the functions of `fusiontheory.signal.ritz`.
DEGREE = {
    "first": 2,
    "second": 2,
    "image_pair": 2,
    "text_pair": 2,
    "image": 1,
    "text": 1,
    "length": 0,
    "witness": 3,
}

# Effective ridges over the cross block's trace.
_LEVELS = np.geomspace(3e-5, 1.0, 12)
# Kernels of which the pairs are kept: a few heads on two sets of features.
_KEPT = 8
# Of q, which has no unit.
_LEAST_VARIANCE = 1e-20
# Levels that a curve of the gain needs.
_FEWEST = 3


class HeldOut(NamedTuple):
    """The usable functions at an effective ridge, on held-out pairs.

    Attributes:
        scores: made without the pair, shape (2 classes, 2 sets, functions, n).
        penalty: inner products in the kernel's space, (functions, functions).
        length: factor of each function at each pair by its degree, (2, functions, n).
    """

    scores: Array
    penalty: Array
    length: Array


@checked
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
        traces, image, text = self.moments.pairs.unit_trace_pairs(MOST_IMAGES)
        own_v, own_t = self.moments.pairs.eigenvalues
        values = own_v / traces[0], own_t / traces[1]
        return ritz_gram(image, text, *values, self._unit, self.levels)

    @cached_property
    def powers(self) -> PairPowers:
        """Powers of the pairs that the Ritz functions are of, in the kernel's eigenspaces."""
        traces, image, text = self.moments.pairs.unit_trace_pairs(MOST_IMAGES)
        values = self.moments.image_eigenvalues, self.moments.text_eigenvalues
        return PairPowers.of_pairs(
            image,
            text,
            mismatched_partner(len(image)),
            (values[0] / traces[0], values[1] / traces[1]),
            self._unit,
            self.moments.pairs.lengths(MOST_IMAGES) if self.homogeneous else None,
        )


@checked
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


@checked
@dataclass(frozen=True, eq=False)
class KernelSignal:
    """The signal of matching in a kernel.

    q of the order (1, 1) alone is that of the bilinear head at kappa / k_11. What ``functions`` of
    the other orders add is the gain of `fusiontheory.signal.ritz` over it; fewer than 50 images do
    not show any. The error has the sampling of images, and the last term of the expansion, what
    the witness of the highest orders adds, for the orders left out.

    Attributes:
        moments: of the features.
        orders: k_ab > 0 by (a, b); (1, 1) must be there.
        steps: Lanczos steps of the bilinear signal, 0, 1 or 2.
        functions: names out of `fusiontheory.signal.FUNCTIONS`.
        homogeneous: whether the kernel grows as the length of [v; t] at each side.

    Raises:
        InputError: if there is no order (1, 1) above 0.

    Example:
        >>> moments = Moments.from_second_moments(np.eye(4), np.eye(4), 0.5 * np.eye(4))
        >>> orders = {(1, 1): 0.1, (2, 0): 0.1, (0, 2): 0.1}
        >>> plain = KernelSignal(moments, orders)
        >>> more = KernelSignal(moments, orders, functions=("image_pair", "text_pair"))
        >>> kappa = np.array([0.01])
        >>> bool(more(kappa)[0] > plain(kappa)[0])
        True
    """

    moments: Moments
    orders: Orders
    steps: int = 2
    functions: tuple[str, ...] = ()
    homogeneous: bool = False

    def __post_init__(self) -> None:
        """Check that there is a cross block."""
        if not self.orders.get((1, 1), 0.0) > 0:
            raise InputError(f"orders must have (1, 1) above 0, got {dict(self.orders)}")

    @property
    def of_images(self) -> bool:
        """Whether the pairs are a sample's, whose scores show a law; of at least 50 images."""
        return self.moments.pairs.of_images

    @property
    def pairs(self) -> KernelPairs:
        """The pairs that show the functions, for the law of scores too."""
        return kernel_pairs(self.moments, self.orders, self.homogeneous)

    def around(self, kappa: float) -> tuple[tuple[float, HeldOut], tuple[float, HeldOut]]:
        """Return the functions at the two levels around an effective ridge, each with its share.

        Where images do not show the functions, those of the next level that do stand for them.
        """
        levels, gram = self.pairs.levels, self.pairs.ritz
        first = min(gram.shown(self.functions), levels.size - 2)
        levels = levels[first:]
        place = float(np.interp(np.log(kappa), np.log(levels), np.arange(levels.size)))
        lower = min(int(place), levels.size - 2)
        below, above = (self._held_out(first + level) for level in (lower, lower + 1))
        return (1 - place + lower, below), (place - lower, above)

    def _held_out(self, level: int) -> HeldOut:
        """Return the usable functions at a level: sizes between the same levels share them."""
        if level not in self._known:
            gram, powers = self.pairs.ritz, self.pairs.powers
            rows = gram.usable(level, self.functions)
            degree = np.array([DEGREE[gram.names[row]] for row in rows], dtype=np.float64)
            self._known[level] = HeldOut(
                scores=gram.scores[level][:, :, rows].astype(np.float64),
                penalty=gram.penalty[level][np.ix_(rows, rows)],
                length=powers.ridge[:, None] ** ((1 - degree[:, None]) / 2),
            )
        return self._known[level]

    @cached_property
    def _known(self) -> dict[int, HeldOut]:
        return {}

    def __call__(self, kappa: Array, /) -> tuple[Array, Array]:
        """Return q and dq / d log kappa."""
        q, dq = self.moments.signal(kappa / self.orders[1, 1], self.steps)
        if self._gain is None:
            return q, dq
        gained, change = self._gain(kappa)
        # As q falls with kappa, but not faster than 1 / kappa.
        return q + gained, np.clip(dq + change, -(q + gained), 0.0)

    def error(self, kappa: Array, /) -> Array:
        """Return the standard error of q."""
        own = self.moments.signal.error(kappa / self.orders[1, 1])
        return own if self._gain is None else np.asarray(np.hypot(own, self._gain.error(kappa)))

    @cached_property
    def _gain(self) -> _Gain | None:
        """What the functions add; None where there are none, or images do not show them."""
        if not self.functions or self.moments.images < MINIMUM_IMAGES:
            return None
        levels, gram = self.pairs.levels, self.pairs.ritz
        # Where images do not show the functions nothing is known of the gain.
        first = gram.shown(self.functions)
        if levels.size - first < _FEWEST:
            return None
        levels = levels[first:]
        # The highest orders that are kept stand for those that are not: by as much as they add, q
        # may be off.
        kept = tuple(name for name in self.functions if name != "witness")
        whole = gram.gain(self.functions)[first:]
        error = gram.gain_error(self.functions)[first:]
        base, _ = self.moments.signal(levels / self.orders[1, 1], self.steps)
        curve = CubicSpline(np.log(levels), _falling(whole, error, base), bc_type="natural")
        return _Gain(levels, curve, np.hypot(error, whole - gram.gain(kept)[first:]))


@dataclass(frozen=True, eq=False)
class _Gain:
    """The gain at levels of the effective ridge, between, below and above them."""

    levels: Array
    curve: CubicSpline
    known_error: Array

    def __call__(self, kappa: Array) -> tuple[Array, Array]:
        """Return the gain and its derivative in log kappa."""
        levels = self.levels
        inside = np.log(np.clip(kappa, levels[0], levels[-1]))
        at = self.curve(inside)
        gain, change = np.maximum(at, 0.0), np.where(at > 0, self.curve(inside, 1), 0)
        # Below the levels the gain is linear in kappa; above them it falls as 1 / kappa or faster.
        below, above = np.minimum(kappa / levels[0], 1.0), np.minimum(levels[-1] / kappa, 1.0)
        gain = np.maximum(gain - np.minimum(change, 0.0) * (1 - below), 0.0) * above
        return gain, np.where(above < 1, -gain, change * below)

    def error(self, kappa: Array) -> Array:
        """Return the standard error of the gain."""
        falling = np.minimum(self.levels[-1] / kappa, 1.0)
        own = np.interp(np.log(kappa), np.log(self.levels), self.known_error) * falling
        # Below what is shown the gain may go on growing, or not.
        grown = self(kappa)[0] - self(np.maximum(kappa, self.levels[0]))[0]
        return np.asarray(np.hypot(own, grown))


def _falling(gain: Array, error: Array, base: Array) -> Array:
    """Return the gain nearest to the given one, in its errors, with which q falls with kappa.

    Where G is nearly singular noise can make the gain at a single kappa many times its neighbours'.
    """
    # Where there is neither signal nor error every point counts alike.
    weight = 1 / np.maximum(error**2 + (1e-3 * base) ** 2, _LEAST_VARIANCE)
    whole = isotonic_regression(base + gain, weights=weight, increasing=False).x
    return np.asarray(np.maximum(whole - base, 0.0))
