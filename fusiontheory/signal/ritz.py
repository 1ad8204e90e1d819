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
lengths are taken as equal, it is a constant and adds nothing. `fusiontheory.matching` gives each
function its power of the length, and this one is then |x| itself: it takes out of the others what
varies with it.

How the functions are made from images: `fusiontheory.signal.ritz_functions`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.constraints import checked, shaped
from fusiontheory.typing import Array, Single

__all__ = ["FUNCTIONS", "PAIR_SIGNAL", "RitzGram"]


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

# A function is used if G, scaled to a unit diagonal, keeps its eigenvalues above this: below it
# noise decides.
_DEFINITE = 0.02
# And if its own entry, and these eigenvalues, are this many standard errors above 0: divided by
# less, noise would be signal.
_CLEAR = 3.0


@checked(gram=shaped(0, 2, 0, 0))
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

    gram: Array
    mean: Array
    names: tuple[str, ...]
    scores: Single
    penalty: Array

    def usable(self, level: int, names: tuple[str, ...]) -> list[int]:
        """Return which of the named functions are clear of noise at a level, pair signal first."""
        chosen, base = self._rows(names, PAIR_SIGNAL)
        return _chosen(self.gram[level], chosen, base)[1]

    def shown(self, names: tuple[str, ...]) -> int:
        """Return the lowest level from which on the images show the functions; levels if none.

        Shown is a level where functions of the pair signal and, if any are named, others beside
        them are clear of noise. Above the largest such level there may be too little signal for
        it; below the lowest nothing is known, which is not the same as no gain.
        """
        chosen, base = self._rows(names, PAIR_SIGNAL)
        # Where lengths are equal "length" is a constant, and takes out nothing.
        beside = [row for row in chosen if row not in base and self.names[row] != "length"]
        shown = np.zeros(len(self.gram), dtype=np.bool_)
        for level, turns in enumerate(self.gram):
            start, rows = _chosen(turns, chosen, base)
            shown[level] = bool(start) and (not beside or any(row in beside for row in rows))
        last = np.flatnonzero(shown)
        if not last.size:
            return len(shown)
        hidden = np.flatnonzero(~shown[: last[-1]])
        return int(hidden[-1]) + 1 if hidden.size else 0

    def gain(self, names: tuple[str, ...], base: tuple[str, ...] = PAIR_SIGNAL) -> Array:
        """Return by how much q over ``names`` exceeds q over ``base``, at least 0, (levels,)."""
        return _gains(self.gram, self.mean, *self._rows(names, base))

    def gain_error(self, names: tuple[str, ...], base: tuple[str, ...] = PAIR_SIGNAL) -> Array:
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


def _gains(gram: Array, mean: Array, chosen: list[int], base: list[int]) -> Array:
    result = np.zeros(len(gram))
    for level, (turns, vectors) in enumerate(zip(gram, mean, strict=True)):
        matrix, vector = turns.mean(axis=0), vectors.mean(axis=0)
        start, rows = _chosen(turns, chosen, base)
        if start and len(rows) > len(start):
            result[level] = _quotient(matrix, vector, rows) - _quotient(matrix, vector, start)
    return np.maximum(result, 0.0)


def _chosen(turns: Array, chosen: list[int], base: list[int]) -> tuple[list[int], list[int]]:
    """Return the functions of ``base`` that are clear of noise, and those with ``chosen`` too."""
    own = np.diagonal(turns, axis1=1, axis2=2)
    known = own.mean(axis=0) > _CLEAR * own.std(axis=0, ddof=1) / np.sqrt(len(turns))
    start = _usable(turns, [], base)
    return start, _usable(turns, start, [row for row in chosen if known[row]])


def _usable(turns: Array, start: list[int], rows: list[int]) -> list[int]:
    """Return ``start`` and those of ``rows`` that, one after the other, keep G clearly definite."""
    kept = list(start)
    for row in rows:
        if row not in kept and _definite(turns[:, [*kept, row]][:, :, [*kept, row]]):
            kept.append(row)
    return kept


def _definite(turns: Array) -> bool:
    """Whether the variance of each combination of functions is clear of its noise."""
    count = len(turns)
    matrix = turns.sum(axis=0) / count
    diagonal = matrix.diagonal()
    if (diagonal <= 0).any():
        return False
    scale = np.sqrt(diagonal)
    scale = scale[:, None] * scale
    values, vectors = np.linalg.eigh(matrix / scale)
    if values[0] <= _DEFINITE:
        return False
    # The same combination in each rotation of the folds; its mean over them is its eigenvalue.
    combined = ((turns / scale) @ vectors * vectors).sum(axis=1) - values
    error = np.sqrt((combined * combined).sum(axis=0) / (count * (count - 1)))
    return bool((values > _CLEAR * error).all())


def _quotient(gram: Array, mean: Array, rows: list[int]) -> float:
    return float(mean[rows] @ np.linalg.solve(gram[np.ix_(rows, rows)], mean[rows]))
