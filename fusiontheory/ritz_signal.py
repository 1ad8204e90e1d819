r"""The signal of matching in a kernel of several orders, by the method of Ritz.

A kernel sum_ab k_ab (v.v')^a (t.t')^b has one block of features for each order (a, b). Its signal

    q = sup_f  (E+[f] - E-[f])^2 / (Var[f] + kappa |f|^2)

is over all functions f of a pair in the kernel's space, Var the variance within a class, averaged
over matched (+) and mismatched (-) pairs. Over a few functions it is g^T G^{-1} g, with g their
differences of class means and G their covariance within a class plus kappa times their inner
products: a lower bound on q that grows with each function. The functions are

    first       v^T W t,   W = R c,   R = (Lambda + kappa / k_11)^{-1}
    second      v^T W t,   W = R D R c, the second direction of Lanczos (`matching_signal`)
    image_pair  v^T A v,   A the response to Cov(first, v v^T) in the block (2, 0)
    text_pair   t^T B t,   likewise in the block (0, 2)
    image       v^T x,     likewise in the block (1, 0)
    text        t^T y,     likewise in the block (0, 1)
    length      1,         the one feature of order 0
    witness     the difference of the class means under all orders of third degree and above

Functions of one modality alone have no signal of their own. But in matched pairs v and t move
together, so that v^T W t varies with v alone and with t alone, and what varies so can be
subtracted. (-|v - t|^2, say, tells matched pairs better than v.t where lengths vary.) That is how
the self blocks of a concatenation help its cross block.

The order 0 of a kernel that grows as |x| |x'|, x = [v; t], has one feature, |x|. Here, where
lengths are taken as equal, it is a constant and adds nothing. `fusiontheory.score_curve` gives each
function its power of the length, and this one is then |x| itself: it takes out of the others what
varies with it.

Each function is made from some images, its partner in G from others, and their covariance is taken
over yet others, so that every entry is unbiased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import InputError
from fusiontheory.matching_signal import leading

__all__ = [
    "FUNCTIONS",
    "MINIMUM_IMAGES",
    "PAIR_SIGNAL",
    "RitzGram",
    "mismatched_partner",
    "ritz_gram",
]

_Array: TypeAlias = NDArray[np.float64]
_Rows: TypeAlias = NDArray[np.floating[Any]]
_Orders: TypeAlias = Mapping[tuple[int, int], float]

FUNCTIONS = (
    "first",
    "second",
    "image_pair",
    "text_pair",
    "image",
    "text",
    "length",
    "witness",
)
PAIR_SIGNAL = ("first", "second")
"""The functions that the bilinear head has as well."""

_BLOCK_OF = {
    "first": (1, 1),
    "second": (1, 1),
    "image_pair": (2, 0),
    "text_pair": (0, 2),
    "image": (1, 0),
    "text": (0, 1),
    "length": (0, 0),
}
# Two sets of functions from two folds each, and a fold for their covariance.
_FOLDS = 5
# Below this many a fold says nothing about a covariance.
MINIMUM_IMAGES = 10 * _FOLDS
# Directions whose variance is below this share of what the ridge adds to it are left out.
_NEGLIGIBLE = 0.02
# A function is used if G, scaled to a unit diagonal, keeps its eigenvalues above this: below it
# noise decides.
_DEFINITE = 0.02
# And if its own entry, and these eigenvalues, are this many standard errors above 0: divided by
# less, noise would be signal.
_CLEAR = 3.0


@dataclass(frozen=True, eq=False)
class RitzGram:
    """G and g at several effective ridges, by rotation of the folds.

    Attributes:
        gram: G, symmetric, shape (levels, rotations, functions, functions).
        mean: g, shape (levels, rotations, functions).
        names: which functions, in order.
        scores: of the functions on every image's matched and mismatched pair, by each of the two
            sets of functions that were made without it, (levels, 2 classes, 2 sets, functions, n).
        penalty: inner products in the kernel's space, without kappa, (levels, functions,
            functions).
    """

    gram: _Array
    mean: _Array
    names: tuple[str, ...]
    scores: NDArray[np.float32]
    penalty: _Array

    def usable(self, level: int, names: tuple[str, ...]) -> list[int]:
        """Return which of the named functions are clear of noise at a level, pair signal first."""
        chosen, base = self._rows(names, PAIR_SIGNAL)
        return _chosen(self.gram[level], chosen, base)[1]

    def gain(self, names: tuple[str, ...], base: tuple[str, ...] = PAIR_SIGNAL) -> _Array:
        """Return by how much q over ``names`` exceeds q over ``base``, at least 0, (levels,)."""
        return _gains(self.gram, self.mean, *self._rows(names, base))

    def gain_error(self, names: tuple[str, ...], base: tuple[str, ...] = PAIR_SIGNAL) -> _Array:
        """Return the standard error of ``gain``, a jackknife over the rotations, (levels,)."""
        turns = self.gram.shape[1]
        rows = self._rows(names, base)
        left_out = [
            _gains(np.delete(self.gram, turn, axis=1), np.delete(self.mean, turn, axis=1), *rows)
            for turn in range(turns)
        ]
        return np.asarray(np.sqrt((turns - 1) * np.var(left_out, axis=0)))

    def _rows(self, names: tuple[str, ...], base: tuple[str, ...]) -> tuple[list[int], list[int]]:
        chosen = [i for i, name in enumerate(self.names) if name in names or name in base]
        return chosen, [i for i, name in enumerate(self.names) if name in base]


def _gains(gram: _Array, mean: _Array, chosen: list[int], base: list[int]) -> _Array:
    result = np.zeros(len(gram))
    for level, (turns, vectors) in enumerate(zip(gram, mean, strict=True)):
        matrix, vector = turns.mean(axis=0), vectors.mean(axis=0)
        start, rows = _chosen(turns, chosen, base)
        if start and len(rows) > len(start):
            result[level] = _quotient(matrix, vector, rows) - _quotient(matrix, vector, start)
    return np.maximum(result, 0.0)


def _chosen(turns: _Array, chosen: list[int], base: list[int]) -> tuple[list[int], list[int]]:
    """Return the functions of ``base`` that are clear of noise, and those with ``chosen`` too."""
    own = np.diagonal(turns, axis1=1, axis2=2)
    known = own.mean(axis=0) > _CLEAR * own.std(axis=0, ddof=1) / np.sqrt(len(turns))
    start = _usable(turns, [], base)
    return start, _usable(turns, start, [row for row in chosen if known[row]])


def _usable(turns: _Array, start: list[int], rows: list[int]) -> list[int]:
    """Return ``start`` and those of ``rows`` that, one after the other, keep G clearly definite."""
    kept = list(start)
    for row in rows:
        if row not in kept and _definite(turns[:, [*kept, row]][:, :, [*kept, row]]):
            kept.append(row)
    return kept


def _definite(turns: _Array) -> bool:
    """Whether the variance of each combination of functions is clear of its noise."""
    matrix = turns.mean(axis=0)
    diagonal = np.diag(matrix)
    if diagonal.min() <= 0:
        return False
    scale = np.sqrt(np.outer(diagonal, diagonal))
    values, vectors = np.linalg.eigh(matrix / scale)
    # The same combination in each rotation of the folds.
    spread = np.einsum("ia,kij,ja->ka", vectors, turns / scale, vectors).std(axis=0, ddof=1)
    return bool(np.all(values > np.maximum(_DEFINITE, _CLEAR * spread / np.sqrt(len(turns)))))


def _quotient(gram: _Array, mean: _Array, rows: list[int]) -> float:
    return float(mean[rows] @ np.linalg.solve(gram[np.ix_(rows, rows)], mean[rows]))


def ritz_gram(
    image: _Rows,
    text: _Rows,
    image_values: _Array,
    text_values: _Array,
    orders: _Orders,
    kappa: _Array,
) -> RitzGram:
    """Estimate G and g from matched pairs.

    Args:
        image: features in the eigenbasis of M_v, shape (n, d_v), in random order (neighbours are
            taken as mismatched pairs), n at least 50.
        text: one text of each image in the eigenbasis of M_t, shape (n, d_t).
        image_values: eigenvalues of M_v, shape (d_v,).
        text_values: eigenvalues of M_t, shape (d_t,).
        orders: k_ab > 0 by (a, b); (1, 1) must be there.
        kappa: effective ridges above 0, in the units of the kernel.

    Raises:
        InputError: for fewer than 50 images.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).standard_normal((4000, 2))
        >>> flat = np.ones(2)
        >>> found = ritz_gram(x, x, flat, flat, {(1, 1): 1.0, (2, 0): 1.0, (0, 2): 1.0},
        ...     np.array([0.1]))
        >>> found.names
        ('first', 'second', 'image_pair', 'text_pair')
        >>> more = found.gain(("image_pair", "text_pair"))  # -|v - t|^2 beside v.t
        >>> print(f"{more[0]:.1f}")
        0.8
    """
    if len(image) < MINIMUM_IMAGES:
        raise InputError(f"image must have at least {MINIMUM_IMAGES} rows, got {len(image)}")
    higher = {order: k for order, k in orders.items() if sum(order) > 2 and min(order) > 0}
    names = tuple(name for name in FUNCTIONS if _BLOCK_OF.get(name) in orders)
    names += ("witness",) if higher else ()
    folds = [(image[k::_FOLDS], text[k::_FOLDS]) for k in range(_FOLDS)]
    sample = _Sample(
        folds=folds,
        image_values=image_values,
        text_values=text_values,
        orders=orders,
        names=names,
        crosses=[_cross(v, t) for v, t in folds],
        witnesses={
            (fold, maker): _witness(folds[fold], folds[maker], higher)
            for fold in range(_FOLDS if higher else 0)
            for maker in ((fold + 2) % _FOLDS, (fold + 4) % _FOLDS)
        },
    )
    found = [sample.at(float(level)) for level in kappa]
    return RitzGram(
        gram=np.array([each.gram for each in found]),
        mean=np.array([each.mean for each in found]),
        names=names,
        scores=np.array([each.scores for each in found]),
        penalty=np.array([each.penalty for each in found]),
    )


class _Level(NamedTuple):
    """What a sample says at one kappa: `RitzGram` without the first axis."""

    gram: _Array
    mean: _Array
    scores: NDArray[np.float32]
    penalty: _Array


def mismatched_partner(images: int) -> NDArray[np.intp]:
    """Return whose text makes the mismatched pair of each image in ``RitzGram.scores``, (n,).

    Example:
        >>> mismatched_partner(7)
        array([5, 6, 2, 3, 4, 0, 1])
    """
    partner = np.empty(images, dtype=np.intp)
    for fold in range(_FOLDS):
        rows = np.arange(fold, images, _FOLDS)
        partner[rows] = np.roll(rows, 1)
    return partner


@dataclass(frozen=True, eq=False)
class _Sample:
    """The folds and the kernel, and what of each fold does not depend on kappa."""

    folds: list[tuple[_Rows, _Rows]]
    image_values: _Array
    text_values: _Array
    orders: _Orders
    names: tuple[str, ...]
    crosses: list[_Rows]
    witnesses: dict[tuple[int, int], list[_Array]]

    def at(self, kappa: float) -> _Level:
        """Return G and g at one kappa, by rotation, the scores and the penalty."""
        sets = [self._functions((k, (k + 1) % _FOLDS), kappa) for k in range(_FOLDS)]
        size = len(self.names)
        gram, mean = np.empty((_FOLDS, size, size)), np.zeros((_FOLDS, size))
        penalty = np.zeros((size, size))
        every = np.empty((2, 2, size, sum(len(v) for v, _ in self.folds)), dtype=np.float32)
        for k in range(_FOLDS):
            # Covariances over fold k; functions made of folds k + 1, k + 2 and of k + 3, k + 4.
            left, right = (k + 1) % _FOLDS, (k + 3) % _FOLDS
            scores = [self._scores(sets[left], k, (k + 2) % _FOLDS)]
            scores.append(self._scores(sets[right], k, (k + 4) % _FOLDS))
            within = sum(_covariance(scores[0][y], scores[1][y]) for y in (0, 1)) / 2
            apart = np.mean([s[0].mean(axis=1) - s[1].mean(axis=1) for s in scores], axis=0)
            for index, name in enumerate(self.names):
                # The others have no signal but noise.
                if name in ("first", "second", "witness"):
                    mean[k, index] = apart[index]
            product = self._penalty(sets[left], sets[right], apart)
            within = within + kappa * product
            gram[k] = (within + within.T) / 2
            penalty += (product + product.T) / (2 * _FOLDS)
            for side, by_class in enumerate(scores):
                for y in (0, 1):
                    every[y, side, :, k::_FOLDS] = by_class[y]
        return _Level(gram, mean, every, penalty)

    def _functions(self, makers: tuple[int, int], kappa: float) -> dict[str, _Rows]:
        """Return the coefficients of the functions: c of one fold, responses from another."""
        image, text = self.folds[makers[1]]
        values_v, values_t = self.image_values, self.text_values
        n = len(image)
        kind = image.dtype
        level = kappa / self.orders[1, 1]
        lead_v = _lead(values_v, level / values_t.max())
        lead_t = _lead(values_t, level / values_v.max())
        v, t = image[:, :lead_v], text[:, :lead_t]
        product = np.outer(values_v[:lead_v], values_t[:lead_t]).astype(kind)
        resolvent = 1 / (product + kind.type(level))
        first = resolvent * self.crosses[makers[0]][:lead_v, :lead_t].astype(kind)
        scores = np.einsum("nd,nd->n", v @ first, t)
        scores = scores - scores.mean()
        excess = v.T @ (scores[:, None] * t) / n - product * first
        found = {"first": first, "second": resolvent * excess}
        for name, rows, values in (("image", image, values_v), ("text", text, values_t)):
            # Half, because the covariance is 0 in the mismatched class.
            pair, single = _BLOCK_OF[f"{name}_pair"], _BLOCK_OF[name]
            if pair in self.orders:
                level = kappa / self.orders[pair]
                lead = _lead(values, level / (2 * values.max()))
                few, its = rows[:, :lead], values[:lead]
                # For Gaussian features Var(v^T A v) = 2 sum A_ij^2 lambda_i lambda_j.
                spread = (2 * np.outer(its, its) + level).astype(kind)
                found[f"{name}_pair"] = few.T @ (scores[:, None] * few) / (2 * n * spread)
            if single in self.orders:
                spread = values + kappa / self.orders[single]
                found[name] = scores @ rows / (2 * n * spread)
        # The one feature of order 0.
        found["length"] = np.ones(1)
        return found

    def _scores(self, functions: dict[str, _Rows], fold: int, maker: int) -> list[_Array]:
        """Return the functions' values on matched and on mismatched pairs, (functions, n)."""
        v, t = self.folds[fold]
        kind = v.dtype
        values: dict[str, list[_Array]] = {}
        for name in self.names:
            if name == "witness":
                values[name] = self.witnesses[fold, maker]
                continue
            if name == "length":
                values[name] = [np.ones(len(v))] * 2
                continue
            weights = functions[name].astype(kind)
            if name in PAIR_SIGNAL:
                turned, partner = v[:, : len(weights)] @ weights, t[:, : weights.shape[1]]
                values[name] = [
                    np.einsum("nd,nd->n", turned, other)
                    for other in (partner, np.roll(partner, 1, axis=0))
                ]
                continue
            rows = (v if name.startswith("image") else t)[:, : len(weights)]
            single = rows @ weights if weights.ndim == 1 else ((rows @ weights) * rows).sum(axis=1)
            shifted = single if name.startswith("image") else np.roll(single, 1)
            values[name] = [single, shifted]
        return [
            np.array([values[name][y] for name in self.names], dtype=np.float64) for y in (0, 1)
        ]

    def _penalty(self, left: dict[str, _Rows], right: dict[str, _Rows], apart: _Array) -> _Array:
        """Return the inner products of the functions in the kernel's space."""
        penalty = np.zeros((len(self.names), len(self.names)))
        for i, first in enumerate(self.names):
            for j, second in enumerate(self.names):
                block = _BLOCK_OF.get(first)
                if block is not None and block == _BLOCK_OF.get(second):
                    penalty[i, j] = np.vdot(left[first], right[second]) / self.orders[block]
                elif first == second == "witness":
                    # The difference of its class means is its own inner product.
                    penalty[i, j] = apart[i]
        return penalty


def _lead(values: _Array, level: float) -> int:
    """Return how many directions are kept at a ridge of ``level``, at least the strongest ones."""
    return leading(values, _NEGLIGIBLE * min(level, float(values.max())))


def _cross(image: _Rows, text: _Rows) -> _Rows:
    centred = image - image.mean(axis=0)
    return np.asarray(centred.T @ text / (len(image) - 1))


def _covariance(left: _Array, right: _Array) -> _Array:
    centred = left - left.mean(axis=1, keepdims=True)
    return np.asarray(centred @ right.T / (left.shape[1] - 1))


def _witness(
    pairs: tuple[_Rows, _Rows], makers: tuple[_Rows, _Rows], orders: _Orders
) -> list[_Array]:
    """Return E+[k] - E-[k] against the makers, at matched and mismatched pairs.

    The kernel k = sum_ab k_ab (v.v')^a (t.t')^b; both means are over the same images.
    """
    (v, t), (other_v, other_t) = pairs, makers
    gram_v, gram_t = v @ other_v.T, t @ other_t.T
    n = gram_v.shape[1]
    values = []
    for turned in (gram_t, np.roll(gram_t, 1, axis=0)):
        total = np.zeros(len(v))
        for (a, b), weight in orders.items():
            power_v, power_t = _power(gram_v, a), _power(turned, b)
            joint = np.einsum("ij,ij->i", power_v, power_t) / (n - 1)
            apart = power_v.sum(axis=1) * power_t.sum(axis=1) / (n * (n - 1))
            total += weight * (joint - apart)
        values.append(total)
    return values


def _power(gram: _Rows, exponent: int) -> _Rows:
    """Return elementwise powers by repeated products, several times faster than ``**``."""
    result = gram
    for _ in range(exponent - 1):
        result = result * gram
    return result
