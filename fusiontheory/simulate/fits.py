"""Fast ridge heads: every label, nested sample size and ridge from shared factorisations.

    additive      v.v' + t.t'
    bilinear      (v.v')(t.t')
    sum           both kernels together
    dot-product   one feature, v.t
    low-rank      v^T W t with rank W <= r, least squares: no ridge and no intercept
    concat-mlp    the tangent kernel of a wide ReLU network on [v; t]
    concat-mlp-aligned    the same on the directions that v and t share, found on the n rows

`fit_head` gives fits whose functions are known (a `Predictor`), or, for the tangent kernel, outputs
on test rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from fusiontheory.checks import InputError, equal_dimensions
from fusiontheory.constraints import as_many, checked, finite, non_negatives, positive_integers
from fusiontheory.heads import Head, find_head
from fusiontheory.solvers import (
    NormalEquations,
    blockwise_gram,
    dual_ridge,
    fit_low_rank,
    primal_ridge,
)
from fusiontheory.synthetic import Predictor
from fusiontheory.typing import Array

__all__ = ["HEAD_NAMES", "HeadFit", "fit_head", "head_features"]

_Block: TypeAlias = Callable[[slice, slice], Array]

_TANGENT = ("concat-mlp", "concat-mlp-aligned")
HEAD_NAMES = ("additive", "bilinear", "sum", "low-rank", "dot-product", *_TANGENT)
# Rows whose products are formed at a time.
_ROWS = 1024


@checked
@dataclass(frozen=True, eq=False)
class HeadFit:
    """A head fitted to T labels.

    Attributes:
        n: training samples.
        ridge: delta; 0 for a head without.
        training: training mean squared errors, shape (T,).
        predictor: the fitted functions; None for the tangent kernel.
        outputs: on the test rows, shape (m, T), where there is no predictor.
    """

    n: int
    ridge: float
    training: Array
    predictor: Predictor | None
    outputs: Array | None = None


@checked(
    v=finite(2),
    t=finite(2),
    labels=finite(2),
    sizes=positive_integers,
    ridges=non_negatives,
    together=as_many("v", "t", "labels", at_most="sizes"),
)
def fit_head(
    head: str,
    v: Array,
    t: Array,
    labels: Array,
    sizes: list[int],
    ridges: list[float],
    intercept: bool = True,
    rank: int | None = None,
    test: tuple[Array, Array] | None = None,
) -> Iterator[HeadFit]:
    """Yield the head fitted to the first n rows, for each n and ridge and all labels at once.

    Args:
        head: one of ``HEAD_NAMES``.
        v: image features, shape (N, d_v).
        t: text features, shape (N, d_t).
        labels: shape (N, T).
        sizes: sample sizes, each at most N.
        ridges: delta >= 0 of K + delta I, absolute.
        intercept: whether there is a constant that the ridge does not penalise.
        rank: of the low-rank head.
        test: rows (v, t) at which the tangent kernel is evaluated.

    Raises:
        InputError: for another head, or a dot product of different dimensions; rows or labels that
            are not finite or as many; sizes that are more; a negative ridge.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> v, t = rng.standard_normal((50, 3)), rng.standard_normal((50, 2))
        >>> y = (v[:, 0] * t[:, 1])[:, None]
        >>> [fit] = fit_head("bilinear", v, t, y, [50], [1e-9])
        >>> fit.predictor.product.round(6)[0] + 0.0
        array([[0., 1.],
               [0., 0.],
               [0., 0.]])
    """
    if head == "low-rank":
        yield from _low_rank(v, t, labels, sizes, rank)
    elif head == "concat-mlp":
        yield from _tangent(find_head(head), v, t, labels, sizes, ridges, intercept, test)
    elif head == "concat-mlp-aligned":
        for n in sorted(set(sizes)):
            # Directions of the pairs trained on, and a kernel of its own for each n.
            own = find_head(head).fitted(v[:n], t[:n, None])
            yield from _tangent(own, v[:n], t[:n], labels[:n], [n], ridges, intercept, test)
    elif head == "bilinear":
        yield from _bilinear(v, t, labels, sizes, ridges, intercept)
    else:
        yield from _explicit(head, v, t, labels, sizes, ridges, intercept)


@checked
def head_features(head: str, v: Array, t: Array) -> Array:
    """Return the explicit features of a head that has them, shape (n, p).

    Raises:
        InputError: if it has none, or for a dot product of different dimensions.

    Example:
        >>> head_features("sum", np.array([[2.0]]), np.array([[3.0]]))
        array([[2., 3., 6.]])
    """
    if head == "dot-product":
        equal_dimensions("dot-product", v.shape[1], t.shape[1])
        return np.asarray(np.einsum("ni,ni->n", v, t)[:, None])
    if head == "additive":
        return np.hstack([v, t])
    products = (v[:, :, None] * t[:, None, :]).reshape(len(v), v.shape[1] * t.shape[1])
    if head == "bilinear":
        return products
    if head == "sum":
        return np.hstack([v, t, products])
    raise InputError(f"head must have explicit features, got {head!r}")


def _split(sizes: list[int], p: int) -> tuple[list[int], list[int]]:
    """Return the sizes to solve in samples and in features."""
    ordered = sorted(set(sizes))
    return [n for n in ordered if n <= p], [n for n in ordered if n > p]


def _bilinear(
    v: Array, t: Array, labels: Array, sizes: list[int], ridges: list[float], intercept: bool
) -> Iterator[HeadFit]:
    shape = v.shape[1], t.shape[1]
    few, many = _split(sizes, shape[0] * shape[1])
    if few:

        def block(rows: slice, columns: slice) -> Array:
            gram = v[rows] @ v[columns].T
            gram *= t[rows] @ t[columns].T
            return gram

        gram = blockwise_gram(few[-1], block)
        for fit in dual_ridge(gram, labels, few, ridges, intercept):
            weights = _products(v[: fit.n], t[: fit.n], fit.alpha)
            predictor = Predictor.of(*shape, constant=fit.constant, product=weights)
            yield HeadFit(fit.n, fit.ridge, fit.training, predictor)
        del gram
    for sums in _product_equations(v, t, labels, many):
        for solved in primal_ridge(sums, labels[: sums.n], ridges, intercept):
            weights = solved.weights.T.reshape(-1, *shape)
            predictor = Predictor.of(*shape, constant=solved.constant, product=weights)
            yield HeadFit(sums.n, solved.ridge, solved.training, predictor)


def _products(v: Array, t: Array, weights: Array) -> Array:
    """Return sum_i weights_i v_i t_i^T for every column of weights, shape (T, d_v, d_t)."""
    return np.stack([(v * column[:, None]).T @ t for column in weights.T])


def _product_equations(
    v: Array, t: Array, labels: Array, sizes: list[int]
) -> Iterator[NormalEquations]:
    """Yield the sums over v (x) t at each n, added up from one to the next.

    sum v_i t_j v_k t_l needs each pair i <= k and j <= l once: a matrix product of half the rows
    and half the columns of the normal matrix.
    """
    d_v, d_t = v.shape[1], t.shape[1]
    (first_v, second_v), (first_t, second_t) = np.triu_indices(d_v), np.triu_indices(d_t)
    where_v, where_t = np.empty((d_v, d_v), np.intp), np.empty((d_t, d_t), np.intp)
    where_v[first_v, second_v] = where_v[second_v, first_v] = np.arange(first_v.size)
    where_t[first_t, second_t] = where_t[second_t, first_t] = np.arange(first_t.size)
    index = where_v[:, None, :, None], where_t[None, :, None, :]
    pairs = np.zeros((first_v.size, first_t.size))
    total, shared = np.zeros((d_v, d_t)), np.zeros((labels.shape[1], d_v, d_t))
    done = 0
    for n in sizes:
        for start in range(done, n, _ROWS):
            rows = slice(start, min(start + _ROWS, n))
            x, y = v[rows], t[rows]
            pairs += (x[:, first_v] * x[:, second_v]).T @ (y[:, first_t] * y[:, second_t])
            total += x.T @ y
            shared += _products(x, y, labels[rows])
        done = n
        p = d_v * d_t
        yield NormalEquations(
            n, pairs[index].reshape(p, p), total.ravel(), shared.reshape(-1, p).T.copy()
        )


def _explicit(
    head: str,
    v: Array,
    t: Array,
    labels: Array,
    sizes: list[int],
    ridges: list[float],
    intercept: bool,
) -> Iterator[HeadFit]:
    p = head_features(head, v[:1], t[:1]).shape[1]
    few, many = _split(sizes, p)
    if few:
        x = head_features(head, v[: few[-1]], t[: few[-1]])
        gram = blockwise_gram(few[-1], lambda rows, columns: x[rows] @ x[columns].T)
        for fit in dual_ridge(gram, labels, few, ridges, intercept):
            weights = x[: fit.n].T @ fit.alpha
            predictor = _as_predictor(head, weights, fit.constant, v.shape[1], t.shape[1])
            yield HeadFit(fit.n, fit.ridge, fit.training, predictor)
    sums = NormalEquations(0, np.zeros((p, p)), np.zeros(p), np.zeros((p, labels.shape[1])))
    for n in many:
        for start in range(sums.n, n, _ROWS):
            rows = slice(start, min(start + _ROWS, n))
            x = head_features(head, v[rows], t[rows])
            sums = NormalEquations(
                n=rows.stop,
                normal=sums.normal + x.T @ x,
                total=sums.total + x.sum(axis=0),
                shared=sums.shared + x.T @ labels[rows],
            )
        for solved in primal_ridge(sums, labels[:n], ridges, intercept):
            predictor = _as_predictor(head, solved.weights, solved.constant, v.shape[1], t.shape[1])
            yield HeadFit(n, solved.ridge, solved.training, predictor)


def _as_predictor(head: str, weights: Array, constant: Array, d_v: int, d_t: int) -> Predictor:
    rows = weights.T
    if head == "dot-product":
        return Predictor.of(d_v, d_t, constant=constant, product=rows[:, :, None] * np.eye(d_v))
    product = rows[:, d_v + d_t :].reshape(-1, d_v, d_t) if head == "sum" else None
    return Predictor.of(
        d_v,
        d_t,
        constant=constant,
        image=rows[:, :d_v],
        text=rows[:, d_v : d_v + d_t],
        product=product,
    )


def _low_rank(
    v: Array, t: Array, labels: Array, sizes: list[int], rank: int | None
) -> Iterator[HeadFit]:
    if rank is None:
        raise InputError("rank must be given for the low-rank head, got None")
    for n in sorted(set(sizes)):
        # The random starts are those of n and the label, not of what was fitted before.
        fits = [
            fit_low_rank(v[:n], t[:n], y, rank, np.random.default_rng([n, column]))
            for column, y in enumerate(labels[:n].T)
        ]
        predictor = Predictor.of(v.shape[1], t.shape[1], product=np.stack(fits))
        training = np.mean((labels[:n] - predictor(v[:n], t[:n])) ** 2, axis=0)
        yield HeadFit(n, 0.0, training, predictor)


def _tangent(
    head: Head,
    v: Array,
    t: Array,
    labels: Array,
    sizes: list[int],
    ridges: list[float],
    intercept: bool,
    test: tuple[Array, Array] | None,
) -> Iterator[HeadFit]:
    if test is None:
        raise InputError(f"test must be given for the head {head.name}, got None")
    kernel, ordered = head.gram, sorted(set(sizes))
    most = ordered[-1]
    gram = blockwise_gram(
        most, lambda rows, columns: kernel(v[rows], t[rows], v[columns], t[columns])
    )
    between = kernel(*test, v[:most], t[:most])
    for fit in dual_ridge(gram, labels, ordered, ridges, intercept):
        outputs = between[:, : fit.n] @ fit.alpha + fit.constant
        yield HeadFit(fit.n, fit.ridge, fit.training, None, outputs)
