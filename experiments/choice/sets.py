"""Labelled sets as sources of pilots, pool and test items outside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from experiments.choice.worlds import Items
from fusiontheory.typing import AnyArray, Array, Integers

__all__ = ["Source", "digit_pairs", "other_sets"]


TEST = 1000
VIEWS = ("fac", "fou", "kar", "mor", "pix", "zer")
# Pairs of digit views with planted labels, and the share of their product term.
PLANTED = (("fac-fou", 0.3), ("fac-fou", 0.7), ("kar-zer", 0.3), ("kar-zer", 0.7), ("mor-pix", 1.0))
FASHION = ("gender", "masterCategory", "season")


@dataclass(frozen=True, eq=False)
class Source:
    """A function (items, seed) -> pilot, a pool for training sets, and test items."""

    draw: Callable[[int, int], Items]
    pool: Items
    test: Items


def source_of(v: Array, t: Array, y: AnyArray, test: int) -> Source:
    """Split items that are in random order; pilots come from the pool."""
    pool = v[test:], t[test:], y[test:]

    def draw(n: int, seed: int) -> Items:
        rows = np.random.default_rng(seed).choice(len(pool[2]), n, replace=False)
        return pool[0][rows], pool[1][rows], pool[2][rows]

    return Source(draw, pool, (v[:test], t[:test], y[:test]))


def _standardised(x: AnyArray) -> Array:
    rows = x.astype(np.float64)
    scaled: Array = (rows - rows.mean(0)) / np.maximum(rows.std(0), 1e-9)
    return scaled


def digit_pairs(folder: Path) -> list[tuple[str, Source]]:
    """Return all pairs of digit views, ten classes."""
    data = np.load(folder / "uci_digits.npz")
    order = np.random.default_rng(0).permutation(len(data["digit"]))
    views = {name: _standardised(data[name][order]) for name in VIEWS}
    y = data["digit"][order]
    return [(f"{a}-{b}", source_of(views[a], views[b], y, TEST)) for a, b in combinations(VIEWS, 2)]


def other_sets(folder: Path) -> list[tuple[str, Source]]:
    """Return planted interactions on digit views, Wikipedia articles and fashion vectors."""
    found = []
    pairs = dict(digit_pairs(folder))
    for k, (name, share) in enumerate(PLANTED):
        source = pairs[name]
        v, t = (np.concatenate([source.test[i], source.pool[i]]) for i in (0, 1))
        found.append((f"planted-{name}-{share:g}", source_of(v, t, _planted(v, t, share, k), TEST)))
    wiki = np.load(folder / "wikipedia.npz")
    order = np.argsort(~wiki["test"].astype(bool), kind="stable")
    v, t = _standardised(wiki["image"][order]), _standardised(wiki["text"][order])
    found.append(("wikipedia", source_of(v, t, wiki["category"][order], int(wiki["test"].sum()))))
    fashion = np.load(folder / "fashion.npz")
    for label in FASHION:
        y = fashion[label]
        names, counts = np.unique(y, return_counts=True)
        rows = np.flatnonzero(np.isin(y, names[counts >= 60]))
        rows = np.random.default_rng(1).permutation(rows)
        v, t = (fashion[k][rows].astype(np.float64) for k in ("image", "text"))
        found.append((f"fashion-{label}", source_of(v, t, y[rows], max(len(rows) - 805, 150))))
    return found


def _planted(v: Array, t: Array, share: float, seed: int) -> Integers:
    """Label by the sign of a product of leading directions beside a sum of them."""
    rng = np.random.default_rng([seed, 11])
    leading = []
    for x in (v, t):
        u = np.linalg.svd(x, full_matrices=False)[0][:, : min(5, x.shape[1])]
        leading.append(u * np.sqrt(len(x)))
    a, b = leading
    product = (a * b).sum(1) if a.shape == b.shape else a[:, 0] * b[:, 0]
    side = a @ rng.standard_normal(a.shape[1]) + b @ rng.standard_normal(b.shape[1])
    product, side = ((x - x.mean()) / x.std() for x in (product, side))
    score = np.sqrt(share) * product + np.sqrt(1 - share) * side
    labels: Integers = (score > np.median(score)).astype(np.int64)
    return labels
