"""Items held out: what heads measure at sizes within the pilot, beside what was predicted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fusiontheory.advice.inputs import Pilot, thinned
from fusiontheory.advice.settings import LEVEL
from fusiontheory.checks import InputError
from fusiontheory.pilot import LEAST_ITEMS, PilotCurve
from fusiontheory.typing import AnyArray, Integers

__all__ = ["held_out", "inside", "verify_labelled"]


_SHARE = 0.25
# Of the training items at each size, and of how many disjoint training sets the mean is.
_PARTS = (4, 2, 1)
# 90 % of a normal.
_WIDTH = 1.645


def held_out(pilot: Pilot, seed: int) -> tuple[Pilot, Pilot]:
    """Return the pilot without a quarter of its items, or groups, and that quarter.

    Raises:
        InputError: if too few items, or too few of a class, are left.
    """
    left = int(pilot.items * (1 - _SHARE))
    if left < LEAST_ITEMS:
        raise InputError(
            f"verify holds out a quarter of the items and needs {int(LEAST_ITEMS / 0.75) + 1},"
            f" got {pilot.items}; leave it out, or label more"
        )
    rng = np.random.default_rng([seed, 1])
    if pilot.groups is None:
        train = thinned(pilot.labels.codes, pilot.items, left, rng)
    else:
        _, codes = np.unique(pilot.groups, return_inverse=True)
        order = rng.permutation(codes.max() + 1)
        enough = np.cumsum(np.bincount(codes)[order]) <= left
        train = np.flatnonzero(np.isin(codes, order[enough]))
    test = np.setdiff1d(np.arange(pilot.items), train)
    kept = pilot.subset(train)
    said = f"{len(test)} items were held out to verify; the advice is from the other {len(train)}."
    kept.notes.append(said)
    # What is tested needs no 50 items, nor 5 of each class.
    rest = None if pilot.groups is None else pilot.groups[test]
    y = pilot.y[test]
    return kept, Pilot(
        pilot.image[test], pilot.text[test], y, kept.labels, kept.task, rest, pilot.complete
    )


def verify_labelled(
    curves: list[PilotCurve], pilot: Pilot, tested: Pilot, metric: str, seed: int
) -> pd.DataFrame:
    """Fit each head at a quarter, a half and all of the items, and test on those held out.

    Measured is the mean over disjoint training sets of one size; ``inside`` is whether it lies in
    the predicted interval, widened by its own standard error over test items and training sets.

    Args:
        curves: predicted, a head each.
        pilot: what they were predicted from.
        tested: what was held out.
        metric: "accuracy", "balanced_accuracy" or "r2".
        seed: of the training sets.

    Raises:
        InputError: if scikit-learn is not installed.
    """
    try:
        from fusiontheory.estimators import FusionRidgeClassifier, FusionRidgeRegressor
    except ImportError as missing:
        raise InputError("verify fits heads with scikit-learn, which is not installed") from missing
    model = FusionRidgeRegressor if metric == "r2" else FusionRidgeClassifier
    x, x_test = np.hstack([pilot.image, pilot.text]), np.hstack([tested.image, tested.text])
    rows = []
    for curve in curves:
        for parts in _PARTS:
            sets = _training_sets(pilot, parts, seed)
            size = int(np.mean([len(part) for part in sets]))
            if size < 20:
                continue
            scores, errors = [], []
            for part in sets:
                fitted = model(curve.head, split=pilot.image.shape[1]).fit(x[part], pilot.y[part])
                value, error = _score(tested.y, fitted.predict(x_test), metric)
                scores.append(value)
                errors.append(error)
            # Test items are the same for all training sets: their error does not average out.
            error = float(np.mean(errors))
            if len(scores) > 1:
                error = float(np.hypot(error, np.std(scores, ddof=1) / np.sqrt(len(scores))))
            table = curve.to_frame([size], LEVEL).iloc[0]
            ends = float(table[f"{metric}_low"]), float(table[f"{metric}_high"])
            measured = float(np.mean(scores))
            known = float(table[metric]), *ends
            rows.append((curve.head, size, len(sets), measured, error, *known))
    names = ["head", "n", "training_sets", "measured", "error", "predicted", "low", "high"]
    return inside(pd.DataFrame(rows, columns=names))


def inside(table: pd.DataFrame) -> pd.DataFrame:
    """Add whether the measured value lies in the interval, widened by its own error."""
    low = table["predicted"] - np.hypot(table["predicted"] - table["low"], _WIDTH * table["error"])
    high = np.hypot(table["high"] - table["predicted"], _WIDTH * table["error"])
    high += table["predicted"]
    return table.assign(inside=(low <= table["measured"]) & (table["measured"] <= high))


def _training_sets(pilot: Pilot, parts: int, seed: int) -> list[Integers]:
    """Return disjoint training sets, each with every class as often as may be."""
    order = np.random.default_rng([seed, 2]).permutation(pilot.items)
    if pilot.labels.codes is not None:
        order = order[np.argsort(pilot.labels.codes[order], kind="stable")]
    return [np.sort(order[k::parts]) for k in range(parts)]


def _score(y: AnyArray, predicted: AnyArray, metric: str) -> tuple[float, float]:
    """Return the metric on test items and its standard error over them."""
    if metric == "r2":
        squares, spread = (y - predicted) ** 2, float(np.var(y))
        error = float(squares.std(ddof=1) / np.sqrt(len(y))) / spread
        return 1 - float(squares.mean()) / spread, error
    right = (y == predicted).astype(np.float64)
    if metric == "accuracy":
        return float(right.mean()), float(right.std(ddof=1) / np.sqrt(len(y)))
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    recall = np.bincount(codes, right) / counts
    error = float(np.sqrt((recall * (1 - recall) / counts).sum())) / len(counts)
    return float(recall.mean()), error
