"""The rows of a predicted cell: the curve of a head under some terms of the theory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fusiontheory.curves import predict_curve
from fusiontheory.data import most_pairs
from fusiontheory.matching import Terms
from fusiontheory.moments import Moments
from fusiontheory.store import Cell

__all__ = ["FULL_THEORY", "TERMS", "predict_cell"]

_FIRST = Terms(
    lanczos_steps=0, self_blocks=False, mixed_orders=False, score_law=False, shared_images=False
)

TERMS: Mapping[str, Terms] = {
    "second moments of v and t, and C": _FIRST,
    "and of matched v ⊗ t, one step": replace(_FIRST, lanczos_steps=1),
    "two steps": replace(_FIRST, lanczos_steps=2),
    "and self blocks": Terms(mixed_orders=False, score_law=False, shared_images=False),
    "and third and fourth order": Terms(score_law=False, shared_images=False),
    "and the law of scores": Terms(shared_images=False),
    "and shared images and texts": Terms(),
}
"""The theory with one term after the other; the last has all of them."""

FULL_THEORY = list(TERMS)[-1]


def predict_cell(
    cell: Cell, moments: Moments, test_images: int, training_images: int
) -> list[dict[str, Any]]:
    """Return the rows of one predicted cell: the columns of `predict_curve`.

    Args:
        cell: of `Study.predicted_cells`.
        moments: of the cell's condition.
        test_images: for the interval.
        training_images: that the training pairs are drawn from.
    """
    sizes = np.array(cell.config["sizes"])
    # From below the smallest size to twice the largest, if there are as many pairs.
    most = min(2 * sizes[-1], most_pairs(training_images, moments.captions))
    grid = np.geomspace(sizes[0] / 2, most, cell.config["points"])
    n = np.unique(np.concatenate([np.round(grid).astype(np.int64), sizes]))
    curve = predict_curve(
        cell.config["head"],
        moments,
        n,
        cell.config["ridge"],
        test_images=test_images,
        # The measured mean is over so many training sets.
        training_sets=cell.config["seeds"],
        terms=TERMS[cell.config["term"]],
        training_images=training_images,
    )
    return [dict(zip(curve.columns, row, strict=True)) for row in curve.itertuples(index=False)]
