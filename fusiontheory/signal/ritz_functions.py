"""The functions of `fusiontheory.signal.ritz`, made and measured on a sample of matched pairs.

Each function is made from some images, its partner in G from others, and their covariance is taken
over yet others, so that every entry is unbiased.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.signal.ritz import FUNCTIONS, RitzGram
from fusiontheory.signal.staircase import Staircase
from fusiontheory.typing import Array, Floats, Orders, Single

__all__ = ["MINIMUM_IMAGES", "mismatched_partner", "ritz_gram"]


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
# Products of features whose variance is below this share of what the ridge adds to it are left out,
# or, in R c, have R = 1 / kappa.
_NEGLIGIBLE = 0.02


@checked
def ritz_gram(
    image: Floats,
    text: Floats,
    image_values: Array,
    text_values: Array,
    orders: Orders,
    kappa: Array,
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
    folds = [(image[k::_FOLDS].copy(), text[k::_FOLDS].copy()) for k in range(_FOLDS)]
    crosses = [_cross(v, t) for v, t in folds]
    sample = _Sample(
        folds=folds,
        image_values=image_values,
        text_values=text_values,
        orders=orders,
        names=names,
        crosses=crosses,
        both=[
            crosses[(k + 1) % _FOLDS].astype(np.float64) * crosses[(k + 3) % _FOLDS]
            for k in range(_FOLDS)
        ],
        whole={
            (maker, fold): _scores_of(crosses[maker], *folds[fold])
            for maker in range(_FOLDS)
            for fold in ((maker + 1) % _FOLDS, (maker + 2) % _FOLDS, (maker + 4) % _FOLDS)
        },
        witnesses={
            (fold, maker): witness(folds[fold], folds[maker], higher)
            for fold in range(_FOLDS if higher else 0)
            for maker in ((fold + 2) % _FOLDS, (fold + 4) % _FOLDS)
        },
    )
    grams = [sample.at(float(level)) for level in kappa]
    return RitzGram(
        gram=np.array([each.gram for each in grams]),
        mean=np.array([each.mean for each in grams]),
        names=names,
        scores=np.array([each.scores for each in grams]),
        penalty=np.array([each.penalty for each in grams]),
    )


class _Level(NamedTuple):
    """What a sample says at one kappa: `RitzGram` without the first axis."""

    gram: Array
    mean: Array
    scores: Single
    penalty: Array


@checked
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


class _Pairs(NamedTuple):
    """For v^T A v: entries of A count ``1 / share`` times, which the resolvent has in it."""

    stairs: Staircase
    resolvent: Floats
    share: Floats


class _Products(NamedTuple):
    """What the functions of all folds have in common at one kappa.

    Attributes:
        kappa: in the units of the kernel.
        level: kappa / k_11.
        stairs: which entries of Lambda count beside it; elsewhere R is 1 / level.
        product: Lambda there, (stairs.size,).
        resolvent: R there.
        crosses: c of each fold there.
        alike: <R c, R c'> of the two sets of each rotation, over all entries.
        pairs: of image_pair and text_pair.
    """

    kappa: float
    level: float
    stairs: Staircase
    product: Floats
    resolvent: Floats
    crosses: list[Floats]
    alike: list[float]
    pairs: dict[str, _Pairs]


@dataclass(frozen=True, eq=False)
class _Sample:
    """The folds and the kernel, and what of each fold does not depend on kappa."""

    folds: list[tuple[Floats, Floats]]
    image_values: Array
    text_values: Array
    orders: Orders
    names: tuple[str, ...]
    crosses: list[Floats]
    both: list[Array]
    whole: dict[tuple[int, int], Floats]
    witnesses: dict[tuple[int, int], list[Array]]

    def at(self, kappa: float) -> _Level:
        """Return G and g at one kappa, by rotation, the scores and the penalty."""
        products = self._products(kappa)
        sets = [self._functions((k, (k + 1) % _FOLDS), products) for k in range(_FOLDS)]
        size = len(self.names)
        gram, mean = np.empty((_FOLDS, size, size)), np.zeros((_FOLDS, size))
        penalty = np.zeros((size, size))
        every = np.empty((2, 2, size, sum(len(v) for v, _ in self.folds)), dtype=np.float32)
        signal = np.isin(self.names, ("first", "second", "witness"))
        for k in range(_FOLDS):
            # Covariances over fold k; functions made of folds k + 1, k + 2 and of k + 3, k + 4.
            makers = (k + 1) % _FOLDS, (k + 3) % _FOLDS
            left, right = (sets[maker] for maker in makers)
            scores = self._scores((left, right), makers, k, products)
            every[..., k::_FOLDS] = scores
            within = sum(_covariance(*by_class) for by_class in scores) / 2
            apart = (scores[0] - scores[1]).mean(axis=(0, 2))
            # The others have no signal but noise.
            mean[k, signal] = apart[signal]
            product = self._penalty(left, right, mean[k], k, products)
            within = within + kappa * product
            gram[k] = (within + within.T) / 2
            penalty += (product + product.T) / (2 * _FOLDS)
        return _Level(gram, mean, every, penalty)

    def _products(self, kappa: float) -> _Products:
        """Return what the functions of all folds have in common at one kappa."""
        kind = self.folds[0][0].dtype
        level = kappa / self.orders[1, 1]
        values_v, values_t = self.image_values, self.text_values
        stairs = Staircase.above(values_v, values_t, _least(values_v, values_t, level))
        product = stairs.outer(values_v, values_t)
        # R^2 spans too many powers of ten for single precision.
        excess = 1 / (product + level) ** 2 - 1 / level**2
        pairs = {}
        for name, values in (("image_pair", values_v), ("text_pair", values_t)):
            if name in self.names:
                own = kappa / self.orders[_BLOCK_OF[name]]
                steps, weights = Staircase.symmetric(values, _least(values, values, own / 2))
                # For Gaussian features Var(v^T A v) = 2 sum A_ij^2 lambda_i lambda_j.
                inverse = weights / (2 * steps.outer(values, values) + own)
                pairs[name] = _Pairs(steps, inverse.astype(kind), (1 / weights).astype(kind))
        return _Products(
            kappa=kappa,
            level=level,
            stairs=stairs,
            product=product.astype(kind),
            resolvent=(1 / (product + level)).astype(kind),
            crosses=[stairs.entries(cross) for cross in self.crosses],
            alike=[
                float(both.sum() / level**2 + excess @ stairs.entries(both)) for both in self.both
            ],
            pairs=pairs,
        )

    def _functions(self, makers: tuple[int, int], at: _Products) -> dict[str, Floats]:
        """Return the coefficients of the functions: c of one fold, responses from another."""
        image, text = self.folds[makers[1]]
        n = len(image)
        first = at.resolvent * at.crosses[makers[0]]
        # Off the stairs R is 1 / kappa: there what is left of R c is 0.
        near = first - at.crosses[makers[0]] / at.level
        scores = self.whole[makers][0] / at.level
        scores = scores + at.stairs.forms(image, near[None], text)[0, 0]
        scores = scores - scores.mean()
        excess = at.stairs.gram(image, scores[:, None] / n * text) - at.product * first
        functions = {"first": first, "near": near, "second": at.resolvent * excess}
        for name, rows, values in (
            ("image", image, self.image_values),
            ("text", text, self.text_values),
        ):
            # Half, because the covariance is 0 in the mismatched class.
            if f"{name}_pair" in at.pairs:
                pair, weighted = at.pairs[f"{name}_pair"], scores[:, None] / (2 * n) * rows
                functions[f"{name}_pair"] = pair.resolvent * pair.stairs.gram(rows, weighted)
            if name in self.names:
                spread = values + at.kappa / self.orders[_BLOCK_OF[name]]
                functions[name] = (scores @ rows / (2 * n * spread)).astype(rows.dtype)
        # The one feature of order 0.
        functions["length"] = np.ones(1, dtype=image.dtype)
        return functions

    def _scores(
        self,
        sets: Sequence[dict[str, Floats]],
        makers: tuple[int, int],
        fold: int,
        at: _Products,
    ) -> Array:
        """Return values on matched and mismatched pairs of a fold, (2 classes, 2 sets, ., n).

        Args:
            sets: two sets of functions, made from other folds.
            makers: the folds that their c is from.
            fold: of the pairs.
            at: what the functions have in common.
        """
        v, t = self.folds[fold]
        values = np.empty((2, 2, len(self.names), len(v)))
        crossed = np.array([own[name] for name in ("near", "second") for own in sets])
        products = at.stairs.forms(v, crossed, t, neighbours=True)
        for row, name in enumerate(self.names):
            scores = values[:, :, row]
            if name == "witness":
                witnesses = [self.witnesses[fold, (maker + 1) % _FOLDS] for maker in makers]
                scores[:] = np.swapaxes(witnesses, 0, 1)
            elif name == "first":
                whole = np.swapaxes([self.whole[maker, fold] for maker in makers], 0, 1)
                scores[:] = whole / at.level + products[:, :2]
            elif name == "second":
                scores[:] = products[:, 2:]
            elif name == "length":
                scores[:] = 1.0
            else:
                rows, weights = v if name.startswith("image") else t, [own[name] for own in sets]
                if name in at.pairs:
                    single = at.pairs[name].stairs.forms(rows, np.array(weights), rows)[0]
                else:
                    single = (rows @ np.array(weights).T).T
                scores[0] = single
                scores[1] = single if name.startswith("image") else np.roll(single, 1, axis=1)
        return values

    def _penalty(
        self, left: dict[str, Floats], right: dict[str, Floats], apart: Array, k: int, at: _Products
    ) -> Array:
        """Return the inner products of the functions in the kernel's space."""
        penalty = np.zeros((len(self.names), len(self.names)))
        for i, first in enumerate(self.names):
            for j, second in enumerate(self.names):
                block = _BLOCK_OF.get(first)
                if first == second == "first":
                    penalty[i, j] = at.alike[k] / self.orders[1, 1]
                elif block is not None and block == _BLOCK_OF.get(second):
                    own = left[first] * at.pairs[first].share if first in at.pairs else left[first]
                    penalty[i, j] = own @ right[second] / self.orders[block]
                elif first == second == "witness":
                    # The difference of its class means is its own inner product.
                    penalty[i, j] = apart[i]
        return penalty


def _least(rows: Array, columns: Array, level: float) -> float:
    """Return the least variance of a product that is kept at a ridge; the strongest one always."""
    return _NEGLIGIBLE * min(level, float(rows.max() * columns.max()))


def _scores_of(cross: Floats, image: Floats, text: Floats) -> Floats:
    """Return v^T c t of the pairs and with the texts of their neighbours, (2, n)."""
    every = Staircase(((0, *cross.shape),))
    return every.forms(image, cross.reshape(1, -1), text, neighbours=True)[:, 0]


def _cross(image: Floats, text: Floats) -> Floats:
    centred = image - image.mean(axis=0)
    return np.asarray(centred.T @ text / (len(image) - 1))


def _covariance(left: Array, right: Array) -> Array:
    centred = left - left.mean(axis=1, keepdims=True)
    return np.asarray(centred @ right.T / (left.shape[1] - 1))


@checked
def witness(
    pairs: tuple[Floats, Floats], makers: tuple[Floats, Floats], orders: Orders
) -> list[Array]:
    """Return E+[k] - E-[k] against the makers, at matched and mismatched pairs.

    The kernel k = sum_ab k_ab (v.v')^a (t.t')^b; both means are over the same images.
    """
    (v, t), (other_v, other_t) = pairs, makers
    gram_v, gram_t = v @ other_v.T, t @ other_t.T
    n = gram_v.shape[1]
    powers_v = {a: _power(gram_v, a) for a in {a for a, _ in orders}}
    powers_t = {b: _power(gram_t, b) for b in {b for _, b in orders}}
    sums_v = {a: power.sum(axis=1) for a, power in powers_v.items()}
    values = []
    for _ in range(2):
        total = np.zeros(len(v))
        for (a, b), weight in orders.items():
            joint = np.einsum("ij,ij->i", powers_v[a], powers_t[b]) / (n - 1)
            apart = sums_v[a] * powers_t[b].sum(axis=1) / (n * (n - 1))
            total += weight * (joint - apart)
        values.append(total)
        powers_t = {b: np.roll(power, 1, axis=0) for b, power in powers_t.items()}
    return values


def _power(gram: Floats, exponent: int) -> Floats:
    """Return elementwise powers by repeated products, several times faster than ``**``."""
    result = gram
    for _ in range(exponent - 1):
        result = result * gram
    return result
