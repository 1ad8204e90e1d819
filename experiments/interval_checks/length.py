"""What the length |x| is worth: exact signal of all features, and training without order 0.

The concatenation's kernel is |x| |x'| K(cos), x = [v; t] / sqrt(2), so that order k of K comes with
(|x| |x'|)^(1 - k), order 0 included. Two checks of the function ``length`` of
`fusiontheory.signal.ritz`, both on independent pairs:

1. q over all features up to second order, explicit, from many pairs: with lengths taken as equal;
   with powers of the length, without and with order 0. Beside it q over the few functions that
   the theory has, without and with |x|.
2. Accuracy after training with the kernel less that without its order 0, on the same pairs, beside
   what the theory says that the function is worth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from experiments.interval_checks.config import Config
from experiments.interval_coverage import Population, fresh_pairs
from fusiontheory.checks import set_checked
from fusiontheory.curves import find_model, predict_curve
from fusiontheory.heads import Head, find_head, relu_tangent_coefficients
from fusiontheory.matching import Terms
from fusiontheory.moments import Moments
from fusiontheory.risk import effective_ridge
from fusiontheory.solvers import measure_curve
from fusiontheory.store import Cell, code_version
from fusiontheory.typing import AnyArray, Array

__all__ = [
    "COLUMNS",
    "Orders",
    "WithoutLength",
    "cells",
    "order_zero_rows",
    "signals",
    "training",
    "without_order_0",
]

COLUMNS = [
    *("population", "n", "kappa", "equal_exact", "equal_functions", "exact", "exact_without"),
    *("functions", "functions_without", "trained", "trained_se", "predicted"),
]
_POPULATIONS = ("flat", "mild", "heavy tails")
_PAIRS = 160_000
_BLOCK = 4000
# Training sets at each n of the study.
_SEEDS = (80, 80, 16)
_BLOCKS = ((0, 0), (1, 0), (0, 1), (2, 0), (0, 2), (1, 1))


class WithoutLength(Terms):
    """All terms but the function |x|."""

    def __post_init__(self) -> None:
        """Settle the functions as `fusiontheory.matching.Terms` does, and take that one away."""
        super().__post_init__()
        set_checked(self, "functions", tuple(f for f in self.functions if f != "length"))


@dataclass(frozen=True, eq=False)
class Orders:
    """Explicit features of the tangent kernel up to second order.

    Attributes:
        values: eigenvalues of M_v and of M_t; features are in their eigenbases.
        varying: whether order k comes with its power of the length.
    """

    values: tuple[Array, Array]
    varying: bool

    @property
    def unit(self) -> float:
        """E|x|^2."""
        return float(sum(x.sum() for x in self.values)) / 2

    @property
    def weights(self) -> list[float]:
        """k_ab of each block."""
        a, r = relu_tangent_coefficients(2), self.unit
        return [a[0] * r, a[1] / 2, a[1] / 2, a[2] / (4 * r), a[2] / (4 * r), a[2] / (2 * r)]

    def features(self, v: Array, t: Array) -> Array:
        """Return them for n pairs, shape (n, p); a product v_i v_j, i < j, is one of them."""
        size = np.sqrt(((v**2).sum(axis=1) + (t**2).sum(axis=1)) / (2 * self.unit))[:, None]
        size = size if self.varying else np.ones_like(size)
        pair = (v[:, :, None] * t[:, None, :]).reshape(len(v), -1)
        blocks = [size, v, t, _squares(v) / size, _squares(t) / size, pair / size]
        return np.hstack([np.sqrt(k) * x for k, x in zip(self.weights, blocks, strict=True)])

    @property
    def powers(self) -> list[Array]:
        """Variance of the features of each block, as the theory has it: Gaussian, equal lengths."""
        lv, lt = self.values
        own = [2 * x[i] * x[j] for x in (lv, lt) for i, j in [np.triu_indices(x.size)]]
        blocks = [np.zeros(1), lv, lt, *own, np.outer(lv, lt).ravel()]
        return [k * x for k, x in zip(self.weights, blocks, strict=True)]


def _squares(rows: Array) -> Array:
    i, j = np.triu_indices(rows.shape[1])
    result: Array = rows[:, i] * rows[:, j] * np.where(i == j, 1.0, np.sqrt(2))
    return result


def signals(orders: Orders, v: Array, t: Array, kappa: Array) -> list[dict[str, float]]:
    """Return q at each kappa over all features and over the theory's functions.

    Args:
        orders: the features.
        v: of matched pairs in the eigenbasis of M_v, shape (n, d_v).
        t: in that of M_t, shape (n, d_t).
        kappa: effective ridges.
    """
    (mean, matched), (other, mismatched) = (
        _moments(orders, v, texts) for texts in (t, np.roll(t, 1, axis=0))
    )
    apart, within = mean - other, (matched + mismatched) / 2
    rest = np.arange(1, apart.size)
    signals_of = []
    for level in kappa:
        functions = _functions(orders, apart, matched, float(level))
        ridged = within + level * np.eye(apart.size)
        signals_of.append(
            {
                "exact": _quotient(ridged, apart, np.eye(apart.size)),
                "exact_without": _quotient(ridged, apart, np.eye(apart.size)[:, rest]),
                "functions": _quotient(ridged, apart, functions),
                "functions_without": _quotient(ridged, apart, functions[:, :-1]),
            }
        )
    return signals_of


def _moments(orders: Orders, v: Array, t: Array) -> tuple[Array, Array]:
    size = sum(x.size for x in orders.powers)
    total, square = np.zeros(size), np.zeros((size, size))
    for start in range(0, len(v), _BLOCK):
        rows = orders.features(v[start : start + _BLOCK], t[start : start + _BLOCK])
        total += rows.sum(axis=0)
        square += rows.T @ rows
    mean = total / len(v)
    return mean, square / len(v) - np.outer(mean, mean)


def _functions(orders: Orders, apart: Array, matched: Array, kappa: float) -> Array:
    """Return weights of first, second, the four self blocks and |x|, (features, 7)."""
    power = np.concatenate(orders.powers)
    label = np.repeat(np.arange(len(_BLOCKS)), [x.size for x in orders.powers])
    cross = label == _BLOCKS.index((1, 1))
    resolvent = 1 / (power + kappa)
    first = np.where(cross, resolvent * apart, 0.0)
    response = matched @ first
    second = np.where(cross, resolvent * (response - power * first), 0.0)
    alone = [np.where(label == k, resolvent * response / 2, 0.0) for k in (1, 2, 3, 4)]
    return np.stack([first, second, *alone, (label == 0).astype(np.float64)], axis=1)


def _quotient(ridged: Array, apart: Array, functions: Array) -> float:
    gram, mean = functions.T @ ridged @ functions, functions.T @ apart
    scale = np.sqrt(np.maximum(np.diag(gram), np.finfo(np.float64).tiny))
    # |x| is nothing where lengths are equal, and then 0 in no matter what units.
    return float((mean / scale) @ np.linalg.solve(gram / np.outer(scale, scale), mean / scale))


def without_order_0(head: Head) -> Head:
    """Return the concatenation with the kernel less a_0 |x| |x'|."""

    def gram(v: AnyArray, t: AnyArray, v2: AnyArray, t2: AnyArray) -> AnyArray:
        one, two = (np.sqrt(((x**2).sum(1) + (y**2).sum(1)) / 2) for x, y in ((v, t), (v2, t2)))
        cut: AnyArray = head.gram(v, t, v2, t2)
        return cut - relu_tangent_coefficients(1)[0] * np.outer(one, two)

    return replace(head, gram=gram)


def training(config: Config, population: Population, n: int, seeds: int, seed: int) -> Array:
    """Return accuracy after training with the kernel less that without order 0, (seeds,)."""
    head = find_head("concat-mlp")
    gaps = []
    for rng in map(np.random.default_rng, np.random.SeedSequence([seed, n]).spawn(seeds)):
        train, test = (fresh_pairs(population, size, rng) for size in (n, config.test_pairs))
        whole, cut = (
            measure_curve(each, train, test, [n], config.ridge)[0].accuracy
            for each in (head, without_order_0(head))
        )
        gaps.append(whole - cut)
    return np.array(gaps)


def cells(config: Config, study: str) -> list[Cell]:
    """Return a cell for each population of varying length, and for one that varies little."""
    code = code_version(order_zero_rows)
    shared = config.settings("sizes", "limit_images", "test_pairs", "ridge", "seed")
    return [
        Cell(study, {**shared, "population": name, "part": "length"}, "synthetic", code)
        for name in _POPULATIONS
    ]


def order_zero_rows(cell: Cell, config: Config) -> list[dict[str, Any]]:
    """Return both checks at each n."""
    population = config.population(cell.config["population"])
    index = config.populations.index(population)
    v, t = population.draw(_PAIRS, np.random.default_rng([config.seed, index]))
    moments = Moments.from_features(v[: config.limit_images], t[: config.limit_images])
    model = find_model("concat-mlp")(moments, Terms())
    sizes = np.array(config.sizes, dtype=np.float64)
    kappa = effective_ridge(model.spectrum, sizes, config.ridge + model.ridge)
    told = [
        predict_curve("concat-mlp", moments, sizes, config.ridge, terms=terms)["accuracy"]
        for terms in (Terms(), WithoutLength())
    ]
    (values_v, basis_v), (values_t, basis_t) = (np.linalg.eigh(x.T @ x / len(x)) for x in (v, t))
    orders = Orders((values_v, values_t), varying=True)
    turned = v @ basis_v, t @ basis_t
    equal, varying = (
        signals(each, *turned, kappa) for each in (replace(orders, varying=False), orders)
    )
    rows = []
    for k, (n, seeds) in enumerate(zip(config.sizes, _SEEDS, strict=True)):
        gaps = training(config, population, n, seeds, config.seed + index)
        rows.append(
            {
                "n": n,
                "kappa": kappa[k],
                "equal_exact": equal[k]["exact"],
                "equal_functions": equal[k]["functions"],
                **varying[k],
                "trained": float(gaps.mean()),
                "trained_se": float(gaps.std(ddof=1) / np.sqrt(seeds)),
                "predicted": told[0][k] - told[1][k],
            }
        )
    return rows
