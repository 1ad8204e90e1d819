"""Accuracy at sizes well below the pilot's, measured on subsets drawn from it.

Theory gives the risk of smaller training sets, and the ridge that is best for them. How scores turn
into accuracy there it does not give: with many classes, a class of which a small set has few items
is missed as a whole. So a few subsets are fitted at that ridge, and score the items they left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from fusiontheory.constraints import checked
from fusiontheory.pilot.labels import Labels
from fusiontheory.pilot.within import WithinReach
from fusiontheory.typing import Array

__all__ = ["SubsetScores", "subset_scores"]


_LEAST = 16
# Scores of a size, over its subsets; subsets of one size at most, and at least.
_SCORES, _MOST, _FEWEST = 1500, 12, 2


@checked
@dataclass(frozen=True, eq=False)
class SubsetScores:
    """Scores of fits on subsets of one size for the items that they left out.

    Attributes:
        size: items of each subset.
        rows: (m,) item of each score.
        scores: (m, c).
    """

    size: int
    rows: NDArray[np.intp]
    scores: Array


@checked
def subset_scores(
    kernel: Array,
    labels: Labels,
    within: WithinReach,
    blocks: list[NDArray[np.intp]] | None = None,
) -> tuple[SubsetScores, ...]:
    """Fit subsets of 16, 32, ... items up to half the pilot and score the items left out.

    Which items they are follows from the size alone, so that heads can be compared and averaged.

    Args:
        kernel: (n0, n0), centred or not.
        labels: of the pilot; of a regression nothing is measured.
        within: from which the ridge of each size is taken.
        blocks: rows of the groups of several items, which are drawn together.
    """
    if labels.codes is None:
        return ()
    groups = np.arange(labels.items)
    for block in blocks or ():
        groups[block] = block[0]
    scored = []
    size = _LEAST
    while 2 * size <= labels.items:
        _, ridges = within.best(size)
        draws = int(np.clip(_SCORES // (labels.items - size), _FEWEST, _MOST))
        if np.isfinite(ridges[0]):
            parts = []
            for draw in range(draws):
                rows = _drawn(groups, size, draw)
                # Items of a group of which the subset has some are not new to it.
                rest = np.flatnonzero(~np.isin(groups, groups[rows]))
                parts.append((rest, _scores(kernel, labels, rows, rest, float(ridges[0]))))
            scored.append(SubsetScores(size, *map(np.concatenate, zip(*parts, strict=True))))
        size *= 2
    return tuple(scored)


def _drawn(groups: NDArray[np.intp], size: int, draw: int) -> NDArray[np.intp]:
    """Return the rows of whole groups, in random order, until there are enough."""
    order = np.random.default_rng([size, draw]).permutation(np.unique(groups))
    place = np.empty(groups.max() + 1, np.intp)
    place[order] = np.arange(order.size)
    return np.argsort(place[groups], kind="stable")[:size]


def _scores(
    kernel: Array, labels: Labels, rows: NDArray[np.intp], rest: NDArray[np.intp], ridge: float
) -> Array:
    """Return scores of other rows by ridge regression on some, with a free intercept."""
    inner = kernel[np.ix_(rows, rows)]
    mean, level = inner.mean(0), labels.targets[rows].mean(0)
    centred = inner - mean - mean[:, None] + mean.mean()
    factor = cho_factor(centred + ridge * np.eye(rows.size), check_finite=False)
    dual = cho_solve(factor, labels.targets[rows] - level, check_finite=False)
    # The dual vectors sum to zero, so that constants of the rows drop out.
    scores: Array = (kernel[np.ix_(rest, rows)] - mean) @ dual + level
    return scores
