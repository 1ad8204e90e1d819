"""The ridge of each head at each n: chosen on dev pairs, which no test image has part in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fusiontheory.data import FeatureSet, draw_pairs, most_pairs
from fusiontheory.heads import RIDGES, Head, find_head
from fusiontheory.solvers import PairFeatures, gather, measure_ridges
from fusiontheory.store import Cell
from fusiontheory.typing import Integers, Single

__all__ = ["SEARCH_SEEDS", "chosen_ridges", "search_cell", "search_split"]

SEARCH_SEEDS = (0, 1)
"""Of the search; they draw other pairs than the seeds that are measured."""

_APART = 1_000_000  # from the seeds that are measured
_TRAIN, _DEV = 0, 1  # spawn keys of a seed
# Without dev images, one in so many training images is set apart.
_SHARE = 10
# Pairs over which the mean of K(x, x) is taken.
_FOR_DIAGONAL = 2000


def search_split(features: FeatureSet, entropy: int) -> tuple[Integers, Integers]:
    """Return the rows to train on and to choose on: train and dev, or a tenth of train set apart.

    Whole images are set apart, so that no image is on both sides.

    Args:
        features: with the split train.
        entropy: of the images that are set apart.

    Example:
        >>> features = FeatureSet(np.eye(30), np.eye(30), split=["train"] * 20 + ["test"] * 10)
        >>> [rows.size for rows in search_split(features, 0)]
        [18, 2]
    """
    train = features.rows("train")
    if features.split is not None and "dev" in features.split:
        return train, features.rows("dev")
    rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(_APART,)))
    order = rng.permutation(train)
    apart = max(train.size // _SHARE, 2)
    return np.sort(order[apart:]), np.sort(order[:apart])


def search_cell(
    cell: Cell,
    image: Single,
    text: Single,
    train: Integers,
    dev: Integers,
) -> list[dict[str, Any]]:
    """Return the rows (n, at_ridge, accuracy, risk) of one cell of the search, on dev pairs.

    The ridges are `fusiontheory.heads.RIDGES` times the mean of the head's K(x, x). Sizes beyond
    what the training images allow are left out.

    Args:
        cell: of `validation.kernel.cells.search_cells`.
        image: features of all images, (n, d_v).
        text: of all captions, (n, captions, d_t).
        train: rows of the images to train on.
        dev: rows of the images to choose on.
    """
    config, captions = cell.config, text.shape[1]
    root = np.random.SeedSequence(config["entropy"], spawn_key=(_APART + config["seed"],))
    seeds = root.spawn(2)
    most = most_pairs(train.size, captions)
    sizes = [n for n in config["sizes"] if n <= most] or [most - most % 2]
    pairs = min(config["test_pairs"], most_pairs(dev.size, captions))
    training = gather(image, text, draw_pairs(train, captions, max(sizes), seeds[_TRAIN]))
    testing = gather(image, text, draw_pairs(dev, captions, pairs - pairs % 2, seeds[_DEV]))
    head = find_head(config["head"]).fitted(image[train], text[train])
    ridges = [mean_diagonal(head, training) * ridge for ridge in RIDGES]
    measured = measure_ridges(head, training, testing, sizes, ridges)
    return [
        {"n": m.n, "at_ridge": m.ridge, "accuracy": m.accuracy, "risk": m.risk} for m in measured
    ]


def mean_diagonal(head: Head, pairs: PairFeatures) -> float:
    """Return the mean of K(x, x) over pairs, to three digits: seeds have the same ridges."""
    image, text = pairs.image[:_FOR_DIAGONAL], pairs.text[:_FOR_DIAGONAL]
    own = [
        float(head.gram(v[None], t[None], v[None], t[None])[0, 0])
        for v, t in zip(image, text, strict=True)
    ]
    return float(f"{np.mean(own):.3g}")


def chosen_ridges(
    table: pd.DataFrame, sizes: tuple[int, ...]
) -> dict[tuple[str, str], list[float]]:
    """Return, for each condition and head, the ridge at each size.

    It is that of the highest mean accuracy over the seeds; of equal ones that of the least risk,
    and then the larger. A size beyond those searched has the ridge of the largest one searched.

    Args:
        table: columns condition, head, seed, n, at_ridge, accuracy and risk.
        sizes: of the study.

    Example:
        >>> table = pd.DataFrame({"condition": "a", "head": "b", "seed": 0, "n": 8,
        ...     "at_ridge": [0.1, 1.0], "accuracy": [0.6, 0.7], "risk": [0.9, 0.8]})
        >>> chosen_ridges(table, (8, 16))
        {('a', 'b'): [1.0, 1.0]}
    """
    # The mean of K(x, x) differs a little between seeds' pairs: ridges meet by their place.
    table = table.assign(
        place=table.groupby(["condition", "head", "seed", "n"])["at_ridge"].rank().astype(int)
    )
    keys = ["condition", "head", "n", "place"]
    mean = table.groupby(keys)[["accuracy", "risk", "at_ridge"]].mean().reset_index()
    ordered = mean.sort_values(
        ["accuracy", "risk", "at_ridge"], ascending=[False, True, False], kind="stable"
    )
    best = ordered.drop_duplicates(["condition", "head", "n"])
    known: dict[tuple[str, str], dict[int, float]] = {}
    for row in best.to_dict("records"):
        key = str(row["condition"]), str(row["head"])
        known.setdefault(key, {})[int(row["n"])] = float(row["at_ridge"])
    return {
        key: [ridges.get(n, ridges[max(ridges)]) for n in sizes] for key, ridges in known.items()
    }
