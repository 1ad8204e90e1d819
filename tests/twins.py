"""Pairs of small features that differ by noise, and networks of a size to train on them."""

import numpy as np
import pandas as pd

from fusiontheory.data import draw_pairs
from fusiontheory.training import (
    Architecture,
    PairDataset,
    TrainingSettings,
)

D = 8
SMALL = {
    "cross-attention": {"width": 8, "hidden": (8,)},
    "two-way-attention": {"width": 8, "hidden": (8,)},
    "token-attention": {"width": 8, "chunks": 4, "hidden": (8,)},
    "concat-mlp": {"hidden": (16,)},
    "gated": {"width": 8},
}
FAST = TrainingSettings(learning_rate=0.02, batch_size=32, epochs=3)


def draw(features, n=150, seed=0, name=None):
    def pairs(split, count, key):
        entropy = np.random.SeedSequence([seed, key])
        return draw_pairs(features.rows(split), 2, count, entropy)

    return PairDataset.from_features(
        features, pairs("train", n + n % 2, 0), pairs("dev", 60, 1), pairs("test", 100, 2), name
    ).first(n)


def architecture(head):
    return Architecture(head, SMALL.get(head, {}))


def assert_close(left, right, **tolerance):
    numbers = left.select_dtypes("number").columns.drop("seconds")
    pd.testing.assert_frame_equal(left[numbers], right[numbers], **tolerance)
    assert left["test_right"].tolist() == right["test_right"].tolist()
