"""Accuracies of trained kernels on several splits of images."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import cho_solve, cholesky

from experiments.large_n.config import Config
from fusiontheory.data import FeatureSet, draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.solvers import PairFeatures, gather
from fusiontheory.store import Cell, code_version
from fusiontheory.typing import AnyArray, Single

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["cells", "measure", "measure_cell"]

_COLUMNS = ["condition", "seed", "split", "n", "images", "accuracy"]
_BLOCK = 1024
_TEST = 0x7E57


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return a row per condition, seed, split and n."""
    del predicted
    conditions = config.conditions()
    compute = partial(measure_cell, config=config, conditions=conditions)
    return {"results.csv": records.computed(cells(config, conditions), compute)[_COLUMNS]}


def cells(config: Config, conditions: Mapping[str, FeatureSet]) -> list[Cell]:
    """Return a cell for each condition and seed."""
    code = code_version(measure_cell)
    shared = {
        "sizes": list(config.sizes),
        "ridge": config.ridge,
        "entropy": config.entropy,
    }
    return [
        Cell(
            "large_n",
            {
                "condition": condition,
                "seed": seed,
                "splits": list(dict(config.splits)[condition]),
                **shared,
            },
            features=features.fingerprint,
            code=code,
        )
        for condition, features in conditions.items()
        for seed in range(config.seeds)
    ]


def measure_cell(
    cell: Cell, config: Config, conditions: Mapping[str, FeatureSet]
) -> list[dict[str, Any]]:
    """Return the rows of one training set; each caption is in one matched test pair."""
    given = cell.config
    features = conditions[given["condition"]]
    captions = features.text.shape[1]
    root = np.random.SeedSequence(config.entropy, spawn_key=(given["seed"],)).spawn(2)
    pairs = draw_pairs(features.rows("train"), captions, max(config.sizes), root[0])
    train = gather(features.image, features.text, pairs)
    weights = _fitted(train, config)
    rows = []
    for split in given["splits"]:
        images = features.rows(split)
        seed = np.random.SeedSequence(_TEST)
        drawn = draw_pairs(images, captions, 2 * captions * images.size, seed)
        test = gather(features.image, features.text, drawn)
        right = np.zeros(len(config.sizes))
        for start in range(0, len(drawn), _BLOCK):
            part = slice(start, start + _BLOCK)
            block = PairFeatures(test.image[part], test.text[part], test.label[part])
            outputs = _gram(block, train) @ weights[:-1] + weights[-1]
            right += ((np.sign(outputs) * block.label[:, None] + 1) / 2).sum(axis=0)
        rows += [
            {"split": split, "n": n, "images": images.size, "accuracy": total / len(drawn)}
            for n, total in zip(config.sizes, right, strict=True)
        ]
    return rows


def _gram(left: PairFeatures, right: PairFeatures) -> AnyArray:
    sides = left.image, left.text, right.image, right.text
    return find_head("concat-mlp").gram(*sides)


def _fitted(train: PairFeatures, config: Config) -> Single:
    """Return the weights of the first n pairs, and the intercept in the last row, (N + 1, sizes).

    In single precision: orders beyond the second add a fourth of the diagonal to the ridge.
    """
    size = len(train.label)
    gram = np.empty((size, size), dtype=np.float32)
    for start in range(0, size, _BLOCK):
        part = slice(start, start + _BLOCK)
        block = PairFeatures(train.image[part], train.text[part], train.label[part])
        gram[part] = _gram(block, train)
    gram[np.diag_indices(size)] += np.float32(config.ridge)
    factor = cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
    weights = np.zeros((size + 1, len(config.sizes)), dtype=np.float32)
    for column, n in enumerate(config.sizes):
        sides = np.stack([train.label[:n], np.ones(n)], axis=1).astype(np.float32)
        solved = cho_solve((factor[:n, :n], True), sides, check_finite=False).astype(np.float64)
        constant = solved[:, 0].sum() / solved[:, 1].sum()
        weights[:n, column] = solved[:, 0] - constant * solved[:, 1]
        weights[-1, column] = constant
    return weights
