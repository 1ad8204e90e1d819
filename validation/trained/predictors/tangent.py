"""Records of the tangent kernel's curves, and the predictions read from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from fusiontheory.data import FeatureSet
from fusiontheory.store import Cell, RecordStore, code_version
from fusiontheory.training import TrainingSettings
from validation.trained.design import Noise, noisy_features
from validation.trained.predictors.table import PLACE, as_table, prediction, records
from validation.trained.predictors.tangent_curve import (
    INITIAL_SEED,
    PAIRS,
    early_stopping_ridge,
    tangent_curve,
)

__all__ = ["STUDY", "fill_tangent", "tangent_predictions"]

STUDY = "tangent"
"""Name of the records."""

SIZES = tuple(2**k for k in range(8, 15))
"""A record has them all, so that it is found again whatever was measured meanwhile."""

_BY = f"tangent kernel at initialisation, {PAIRS} pairs, ridge of early stopping"


def fill_tangent(
    places: pd.DataFrame,
    conditions: Mapping[str, FeatureSet],
    store: RecordStore,
    settings: TrainingSettings,
    renormalise: bool,
    entropy: int,
    device: str = "cpu",
) -> int:
    """Compute the curves that the store does not have yet; return how many these were.

    Args:
        places: one row per cell, columns `PLACE`.
        conditions: features without noise, by condition.
        store: gets a record per condition, noise and head as soon as it is done.
        settings: of the training.
        renormalise, entropy: of the noise (`validation.trained.design.noise.noisy_features`).
        device: of the kernels.
    """
    made = 0
    for part, noise, head, sizes in _curves(places):
        clean = conditions[part]
        named = noisy_features(clean, noise, renormalise, entropy, arrays=False)
        cell = _cell(head, named, sizes, settings)
        if cell not in store:
            features = noisy_features(clean, noise, renormalise, entropy)
            curve = tangent_curve(head, features, sizes, settings, device=device)
            store.write(cell, curve, {"device": device})
            made += 1
    return made


def tangent_predictions(
    places: pd.DataFrame,
    conditions: Mapping[str, FeatureSet],
    store: RecordStore,
    settings: TrainingSettings,
    renormalise: bool,
    entropy: int,
    test_images: int | None = None,
) -> pd.DataFrame:
    """Return the recorded prediction of each cell; what is not on record is not predicted.

    The arguments are those of `fill_tangent`. With ``test_images`` the interval also has the
    sampling of so many test images, as in `fusiontheory.predict_curve`. A prediction of exactly
    1/2, which no block of the kernel moves, has no interval.
    """
    rows = []
    for name, noise, head, sizes in _curves(places):
        clean = conditions[name]
        named = noisy_features(clean, noise, renormalise, entropy, arrays=False)
        cell = _cell(head, named, sizes, settings)
        known = _recorded(store, cell)
        same = (places["condition"] == name) & (places["head"] == head)
        same &= (places["sigma"] == noise.sigma) & (places["side"] == noise.side)
        for place in records(places[same][PLACE]):
            if known is None:
                rows.append(prediction(place, "tangent", "not predicted: not on record"))
                continue
            told = known[int(place["n"])]
            by = f"{_BY} {told['ridge']:.3g}" + (", n beyond what was seen" * bool(told["beyond"]))
            rows.append(prediction(place, "tangent", by, **_interval(told, test_images)))
    return as_table(rows)


def _recorded(store: RecordStore, cell: Cell) -> dict[int, dict[str, Any]] | None:
    """Return the rows of a record by n."""
    if cell not in store:
        return None
    return {int(row["n"]): row for row in records(store.read(STUDY, [cell]))}


def _interval(told: Mapping[str, Any], test_images: int | None) -> dict[str, float]:
    accuracy, low, high = (float(told[name]) for name in ("accuracy", "low", "high"))
    if accuracy == 0.5:
        return {"predicted": accuracy}
    sampling = 0.0
    if test_images is not None:
        sampling = 1.96 * float(np.sqrt(accuracy * (1 - accuracy) / (2 * test_images)))
    ends = (
        accuracy - np.hypot(accuracy - low, sampling),
        accuracy + np.hypot(high - accuracy, sampling),
    )
    return {"predicted": accuracy, "low": max(ends[0], 0.0), "high": min(ends[1], 1.0)}


def _curves(places: pd.DataFrame) -> Iterator[tuple[str, Noise, str, tuple[int, ...]]]:
    """Yield condition, noise, head and the sizes of its record."""
    names = ["condition", "sigma", "side", "head"]
    grouped = places.groupby(names, sort=False)
    for _, part in grouped:
        condition, sigma, side, head = (part[name].iloc[0] for name in names)
        wanted = {int(n) for n in part["n"]}
        sizes = SIZES if wanted <= {*SIZES} else tuple(sorted(wanted))
        yield condition, Noise(float(sigma), side), head, sizes


def _cell(
    head: str, features: FeatureSet, sizes: tuple[int, ...], settings: TrainingSettings
) -> Cell:
    names = ("optimiser", "learning_rate", "batch_size", "epochs", "updates", "momentum")
    config = {"head": head, "sizes": sizes, "pairs": PAIRS, "initial_seed": INITIAL_SEED}
    config |= {name: getattr(settings, name) for name in names}
    return Cell(
        STUDY, config, features=features.fingerprint, code=code_version(early_stopping_ridge)
    )
