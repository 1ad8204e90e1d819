"""The rows of a measured cell: accuracy of a head, and retrieval."""

from __future__ import annotations

from typing import Any

import numpy as np

from fusiontheory.alignment import matched_cosine, retrieval_recall
from fusiontheory.data import FeatureSet, draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.solvers import gather, measure_curve
from fusiontheory.store import Cell
from fusiontheory.typing import Integers, Single

__all__ = ["measure_cell", "retrieval_rows"]

_TRAIN, _TEST = 0, 1  # spawn keys of a seed


def measure_cell(
    cell: Cell,
    image: Single,
    text: Single,
    train: Integers,
    test: Integers,
) -> list[dict[str, Any]]:
    """Return the rows (n, accuracy, risk) of one measured cell.

    Args:
        cell: of `validation.kernel.cells.measured_cells`.
        image: features of all images, (n, d_v).
        text: of all captions, (n, captions, d_t).
        train: rows of the training images; the pairs depend on nothing but them and the seed.
        test: rows of the test images.
    """
    config = cell.config
    root = np.random.SeedSequence(config["entropy"], spawn_key=(config["seed"],))
    seeds = root.spawn(2)
    captions = text.shape[1]
    sizes = list(config["sizes"])
    training = draw_pairs(train, captions, max(sizes), seeds[_TRAIN])
    testing = draw_pairs(test, captions, config["test_pairs"], seeds[_TEST])
    measured = measure_curve(
        find_head(config["head"]).fitted(image[train], text[train]),
        gather(image, text, training),
        gather(image, text, testing),
        sizes,
        # One for each size, or one for all.
        config["ridges"] if "ridges" in config else config["ridge"],
    )
    return [{"n": m.n, "accuracy": m.accuracy, "risk": m.risk} for m in measured]


def retrieval_rows(features: FeatureSet) -> list[dict[str, Any]]:
    """Return retrieval recall and matched cosines on the test images as rows (metric, value)."""
    rows = features.rows("test")
    image, text = features.image[rows], features.text[rows]
    values = retrieval_recall(image, text) | matched_cosine(image, text)
    return [{"metric": name, "value": float(value)} for name, value in values.items()]
