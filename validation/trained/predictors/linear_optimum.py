"""Whether tuned heads that are linear in their parameters are where kernel ridge regression is.

Training such a head with weight decay or early stopping is a way to regularise the convex problem
that kernel ridge regression with its kernel solves. So at the ridge that is best on dev pairs, on
the very pairs of a run, the accuracies of both should be the same but for the loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from fusiontheory.data import FeatureSet
from fusiontheory.heads import Head, find_head
from fusiontheory.solvers import gather, measure_curve
from fusiontheory.store import Cell, RecordStore, code_version
from fusiontheory.typing import AnyArray
from validation.trained.design import TrainedStudy, held_out_pairs, training_pairs
from validation.trained.predictors.recorded import RecordedCurve, recorded_curves

__all__ = ["LINEAR", "SHARES", "best_kernel_curve", "best_kernel_table"]


def _products(image: AnyArray, text: AnyArray) -> AnyArray:
    products: AnyArray = image * text
    return products


def _gram(image: AnyArray, text: AnyArray, image2: AnyArray, text2: AnyArray) -> AnyArray:
    gram: AnyArray = _products(image, text) @ _products(image2, text2).T
    return gram


LINEAR = {
    "bilinear": find_head("bilinear"),
    "dot-product": find_head("dot-product"),
    "hadamard": Head("hadamard", "linear in v * t, entry by entry", _gram, _products),
}
"""Heads that are linear in their parameters and see both modalities."""

SHARES = (1e-3, 1e-2, 1e-1, 0.3, 1.0, 3.0, 10.0)
"""Ridges, in units of the mean of K(x, x)."""

_SOME = 200
STUDY = "best-kernel"
"""Name of the records."""


def best_kernel_table(
    conditions: Mapping[str, FeatureSet],
    study: TrainedStudy,
    places: Sequence[tuple[int, int]],
    store: RecordStore,
    fill: bool = True,
) -> pd.DataFrame:
    """Return `best_kernel_curve` of each head, condition and place.

    Args:
        conditions: features by name.
        study: whose pairs are taken.
        places: n and seed.
        store: gets a record for each.
        fill: whether to compute, or to read records alone.

    Returns:
        Columns condition, head, n, seed, ridge and accuracy.
    """
    code = code_version(best_kernel_curve)
    curves = [
        RecordedCurve(
            {"condition": name, "head": head},
            Cell(STUDY, {"kernel": head, "n": n, "seed": seed}, features.fingerprint, code),
            partial(best_kernel_curve, head, features, study, n, seed),
        )
        for name, features in conditions.items()
        for head in LINEAR
        for n, seed in places
    ]
    columns = ["condition", "head", "n", "seed", "ridge", "accuracy"]
    return recorded_curves(curves, columns, store, fill)


def best_kernel_curve(
    head: str, features: FeatureSet, study: TrainedStudy, n: int, seed: int
) -> pd.DataFrame:
    """Return the ridge (absolute) that is best on dev pairs, and test accuracy there; one row.

    Args:
        head: of `LINEAR`.
        features: of all splits.
        study: whose pairs are taken.
        n: number of training pairs, the first of the seed's.
        seed: of the training pairs.
    """
    kernel = LINEAR[head]
    drawn = (training_pairs(study, features, seed), *held_out_pairs(study, features))
    train, dev, test = (gather(features.image, features.text, pairs) for pairs in drawn)
    some = train.image[:_SOME], train.text[:_SOME]
    level = float(np.trace(kernel.gram(*some, *some))) / _SOME
    told = [
        (measure_curve(kernel, train, dev, [n], share * level)[0].accuracy, share * level)
        for share in SHARES
    ]
    # Of equally good ridges the larger.
    ridge = max(told)[1]
    accuracy = measure_curve(kernel, train, test, [n], ridge)[0].accuracy
    return pd.DataFrame([{"ridge": ridge, "accuracy": accuracy}])
