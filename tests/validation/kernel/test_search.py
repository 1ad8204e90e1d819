"""The search for the best ridge: on dev pairs alone, by image, and found again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from fusiontheory.heads import RIDGES
from validation.kernel import Study, measured_cells
from validation.kernel.cells import search_cells
from validation.kernel.search import chosen_ridges, search_cell, search_split

STUDY = Study(sizes=(16, 64), seeds=1, heads=("bilinear", "dot-product"), test_pairs=40)


def made_up(seed: int = 0) -> FeatureSet:
    rng = np.random.default_rng(seed)
    image = rng.standard_normal((200, 6))
    text = image[:, None] + rng.standard_normal((200, 2, 6))
    image, text = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (image, text))
    return FeatureSet(image, text, split=np.repeat(["train", "dev", "test"], [120, 30, 50]))


def searched(features: FeatureSet) -> pd.DataFrame:
    cells = search_cells(STUDY, dict.fromkeys(STUDY.strengths, "x"))
    rows = search_split(features, 0)
    return pd.DataFrame(
        [
            {"condition": cell.config["condition"], "head": cell.config["head"], **row}
            | {"seed": cell.config["seed"]}
            for cell in cells
            for row in search_cell(cell, features.image, features.text, *rows)
        ]
    )


def test_the_highest_accuracy_over_both_seeds_wins() -> None:
    table = searched(made_up())
    found = chosen_ridges(table, STUDY.sizes)
    assert set(found) == {(c, h) for c in STUDY.strengths for h in STUDY.heads}
    part = table[(table["condition"] == "aligned") & (table["head"] == "bilinear")]
    assert set(part["at_ridge"].round(12)) == {round(ridge, 12) for ridge in RIDGES}
    for n, ridge in zip(STUDY.sizes, found["aligned", "bilinear"], strict=True):
        mean = part[part["n"] == n].groupby("at_ridge")["accuracy"].mean()
        assert mean[ridge] == mean.max()


def test_no_test_image_has_part_in_it() -> None:
    features, other = made_up(), made_up(seed=1)
    image, text = features.image.copy(), features.text.copy()
    rows = features.rows("test")
    image[rows], text[rows] = other.image[rows], other.text[rows]
    changed = FeatureSet(image, text, features.ids, features.split)
    pd.testing.assert_frame_equal(searched(features), searched(changed))


def test_without_dev_images_a_tenth_of_the_training_images_is_set_apart() -> None:
    features = made_up()
    split = np.where(features.split == "dev", "test", features.split)
    train, dev = search_split(FeatureSet(features.image, features.text, split=split), 0)
    assert dev.size == 12
    assert sorted([*train, *dev]) == features.rows("train").tolist()


def test_ties_and_sizes_that_were_not_searched() -> None:
    table = pd.DataFrame(
        {
            **{"condition": "a", "head": "b", "seed": 0, "n": 8},
            "at_ridge": [0.1, 1.0, 10.0],
            "accuracy": [0.7, 0.7, 0.6],
            "risk": [0.9, 0.8, 0.1],
        }
    )
    assert chosen_ridges(table, (8, 16)) == {("a", "b"): [1.0, 1.0]}


def test_a_given_ridge_needs_no_search_and_the_best_one_does() -> None:
    prints = dict.fromkeys(STUDY.strengths, "x")
    assert search_cells(Study(ridge=0.1), prints) == []
    with pytest.raises(InputError, match="ridges must be those that the search chose"):
        measured_cells(STUDY, prints)
    with pytest.raises(InputError, match="ridge must be a number above 0 or best, got 'b'"):
        Study(ridge="b")
