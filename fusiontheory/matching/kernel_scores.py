"""The law of scores along a learning curve: by how much it moves a prediction at each n."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from fusiontheory.matching.leverage import PairPowers
from fusiontheory.matching.model import MOST_OVERFITTING, ScoreShift
from fusiontheory.matching.scores import LawPoint, NormalScores, score_law
from fusiontheory.moments import Moments, SampledPairs
from fusiontheory.risk import Spectrum, effective_ridge, learned
from fusiontheory.signal import MINIMUM_IMAGES, RitzGram, mismatched_partner

__all__ = [
    "kernel_law",
]

_Array: TypeAlias = NDArray[np.float64]
_Orders: TypeAlias = Mapping[tuple[int, int], float]

# As many images as `Moments.ritz` uses, so that the pairs are the same.
_MOST_IMAGES = 4096
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


def kernel_law(
    moments: Moments,
    orders: _Orders,
    spectrum: Spectrum,
    signal: Callable[[_Array], tuple[_Array, _Array]],
    *,
    remainder: float = 0.0,
    functions: tuple[str, ...] = (),
    homogeneous: bool = False,
) -> Callable[[_Array, float], ScoreShift] | None:
    """Return (n, ridge) -> what the law of scores changes in a kernel's curve.

    None for moments that are not a sample's, and for fewer than 50 images: the normal law stays.
    The law is found at powers of 2 and interpolated between them.

    Args:
        moments: of the features.
        orders: k_ab of the kernel, (1, 1) among them.
        spectrum: of the kernel's features.
        signal: kappa -> (q, dq / d log kappa) of the kernel.
        remainder: power of the orders that act as ridge.
        functions: that the prediction has beside those of (1, 1).
        homogeneous: whether the kernel grows as the length of [v; t] at each side.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((400, 4))
        >>> moments = Moments.from_features(x, x + rng.standard_normal(x.shape))
        >>> product = np.outer(moments.image_eigenvalues, moments.text_eigenvalues)
        >>> spectrum = Spectrum.from_eigenvalues(product)
        >>> law = kernel_law(moments, {(1, 1): 1.0}, spectrum, moments.matching_signal)
        >>> law(np.array([64.0]), 1.0).shift.shape
        (1,)
        >>> twin = moments.gaussian_twin()
        >>> kernel_law(twin, {(1, 1): 1.0}, spectrum, twin.matching_signal) is None
        True
    """
    pairs = moments.pairs
    if not isinstance(pairs, SampledPairs) or moments.images < MINIMUM_IMAGES:
        return None

    def law(n: _Array, ridge: float) -> ScoreShift:
        knots = _knots(n)
        total = ridge + remainder
        kappa = np.maximum(effective_ridge(spectrum, knots, total), np.finfo(np.float64).tiny)
        degrees = spectrum.sum(learned, kappa)
        gamma = spectrum.sum(lambda lam, level: learned(lam, level) ** 2, kappa) / knots
        varying = remainder / total if homogeneous and total > 0 else 0.0
        q, slope = signal(kappa)
        levels, gram = moments.ritz(orders)
        powers = _powers(moments, pairs, orders, homogeneous)
        # Two sizes that lie between the same levels share what is known there.
        held_out = cache(partial(_held_out, powers, gram, functions))
        # Where images do not show the functions, those of the next level that do stand for them.
        first = min(gram.shown(functions), levels.size - 2)
        points = [
            _point(
                powers,
                levels[first:],
                lambda k: held_out(first + k),
                size,
                level,
                held,
                varying,
                normal,
            )
            for size, level, held, normal in zip(
                knots.tolist(),
                kappa.tolist(),
                degrees.tolist(),
                map(NormalScores.of_signal, q.tolist(), slope.tolist(), gamma.tolist()),
                strict=True,
            )
        ]
        return _interpolated(n, knots, points)

    return law


@dataclass(frozen=True, eq=False)
class _Cache:
    powers: dict[tuple[object, ...], PairPowers]


_known: WeakKeyDictionary[Moments, _Cache] = WeakKeyDictionary()


def _powers(
    moments: Moments, pairs: SampledPairs, orders: _Orders, homogeneous: bool
) -> PairPowers:
    """Return the powers of the pairs of `Moments.ritz`, kept as long as the moments are."""
    known = _known.setdefault(moments, _Cache({})).powers
    key = (tuple(sorted(orders.items())), homogeneous)
    if key not in known:
        traces, image, text = pairs.rows(_MOST_IMAGES)
        known[key] = PairPowers.of_pairs(
            image,
            text,
            mismatched_partner(len(image)),
            (moments.image_eigenvalues / traces[0], moments.text_eigenvalues / traces[1]),
            {(a, b): k * traces[0] ** a * traces[1] ** b for (a, b), k in orders.items()},
            pairs.lengths(_MOST_IMAGES) if homogeneous else None,
        )
    return known[key]


def _knots(n: _Array) -> _Array:
    """Return the powers of 2 around n, and one more at each side: interpolation needs four."""
    first = max(int(np.floor(np.log2(n.min()))) - 1, 1)
    last = max(int(np.ceil(np.log2(n.max()))) + 1, first + 2)
    return np.asarray(2.0 ** np.arange(first, last + 1))


def _point(
    powers: PairPowers,
    levels: _Array,
    held_out: Callable[[int], _HeldOut],
    n: float,
    kappa: float,
    degrees: float,
    varying: float,
    normal: NormalScores,
) -> LawPoint:
    """Return the law at one n, between the two levels around its effective ridge."""
    nothing = LawPoint(0.0, 0.0, 1.0)
    if normal.gamma >= 1 - 1 / MOST_OVERFITTING:
        return nothing
    law = powers.law(kappa, n, degrees, normal.gamma, varying)
    if law is None:
        return nothing
    place = float(np.interp(np.log(kappa), np.log(levels), np.arange(levels.size)))
    lower = min(int(place), levels.size - 2)
    around = [held_out(level) for level in (lower, lower + 1)]
    found = [
        score_law(held.scores, held.penalty, law, held.length, kappa, normal) for held in around
    ]
    mixed = [
        (1 - place + lower) * one + (place - lower) * two
        for one, two in zip(*((x.shift, x.error, x.risk) for x in found), strict=True)
    ]
    return LawPoint(*mixed)


class _HeldOut(NamedTuple):
    """The usable functions at a level, as `score_law` takes them."""

    scores: _Array
    penalty: _Array
    length: _Array


def _held_out(
    powers: PairPowers, gram: RitzGram, functions: tuple[str, ...], level: int
) -> _HeldOut:
    rows = gram.usable(level, functions)
    degree = np.array([DEGREE[gram.names[row]] for row in rows], dtype=np.float64)
    return _HeldOut(
        scores=gram.scores[level][:, :, rows].astype(np.float64),
        penalty=gram.penalty[level][np.ix_(rows, rows)],
        length=powers.ridge[:, None] ** ((1 - degree[:, None]) / 2),
    )


def _interpolated(n: _Array, knots: _Array, points: list[LawPoint]) -> ScoreShift:
    # Piecewise cubic with slopes from neighbours: an n's value does not depend on far knots.
    place = np.log2(np.maximum(n, knots[0]))
    values = np.array([(x.shift, x.error, x.risk) for x in points])
    shift, error, risk = PchipInterpolator(np.log2(knots), values)(place).T
    return ScoreShift(shift=shift, error=error, risk=risk)
