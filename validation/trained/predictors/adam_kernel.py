"""A network's tangent kernel in Adam's metric, at a derived and at the best ridge.

Which ridge is the right one is decided by whether the head is lazy
(`fusiontheory.tangent.signal_growth`), before any run: a lazy head is where gradient flow of the
allowed updates brings it, the *derived* ridge. One that is not makes its kernel grow until its
training pairs are fitted, and the epoch that is kept is chosen on dev pairs: the *best* ridge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from fusiontheory.data import FeatureSet
from fusiontheory.matching import MatchingModel, matching_curve
from fusiontheory.store import Cell, RecordStore, code_version
from fusiontheory.tangent import KernelExpansion, adam_scales, expand_network, signal_growth
from fusiontheory.training import TrainingSettings
from fusiontheory.typing import AnyArray, Array
from validation.trained.predictors.optimiser import adam_ridge
from validation.trained.predictors.recorded import RecordedCurve, recorded_curves
from validation.trained.predictors.sharp import AT_CHANCE
from validation.trained.predictors.tangent_curve import (
    INITIAL_SEED,
    PAIRS,
    initial_network,
    kernel_model,
)

__all__ = ["LAZY", "adam_kernel_curves", "adam_kernel_table"]

STUDY = "adam-kernel"
"""Name of the records."""

LAZY = 2.0
"""A head counts as lazy if its signal grows or shrinks by less than this factor."""

SHARES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
"""Ridges to choose the best from, in units of the mean eigenvalue of the kernel's products."""

_RMS_PAIRS = 300
_DIGITS = 6


def adam_kernel_table(
    heads: Sequence[str],
    conditions: Mapping[str, FeatureSet],
    sizes: Sequence[int],
    settings: TrainingSettings,
    store: RecordStore,
    fill: bool = True,
) -> pd.DataFrame:
    """Return the curves of heads and conditions; with ``fill`` what is not on record is computed.

    Args:
        heads: names of networks.
        conditions: features by name.
        sizes: numbers of training pairs.
        settings: of the training.
        store: gets a record per head and condition as soon as it is done.
        fill: whether to compute, or to read records alone.

    Returns:
        Columns head, condition, and those of `adam_kernel_curves`.
    """
    curves = (
        RecordedCurve(
            {"head": head, "condition": name},
            _cell(head, features, sizes, settings),
            partial(adam_kernel_curves, head, features, sizes, settings),
        )
        for head in heads
        for name, features in conditions.items()
    )
    return recorded_curves(curves, ["head", "condition", *_COLUMNS], store, fill)


_COLUMNS = ["ridge_rule", "n", "ridge", "diagonal", "level", "growth", "predicted"]


def adam_kernel_curves(
    head: str, features: FeatureSet, sizes: Sequence[int], settings: TrainingSettings
) -> pd.DataFrame:
    """Return the predicted curves of a head on the training images of features.

    Args:
        head: name of the network.
        features: of the condition, with a split train.
        sizes: numbers of training pairs.
        settings: of the training.

    Returns:
        One row for each ridge rule ("derived", "best") and n: ridge,
        diagonal (mean K(x, x)), level (mean eigenvalue of the products), growth (of the signal,
        NaN where none was seen) and predicted accuracy. Heads that read one modality have 1/2.
    """
    if head in AT_CHANCE:
        chance = [_row(rule, int(n)) for rule in ("derived", "best") for n in sizes]
        return pd.DataFrame(chance)[_COLUMNS]
    rows = features.rows("train")
    image, text = features.image[rows], features.text[rows]
    network = initial_network(head, image.shape[-1], text.shape[-1])
    v, t, label = _labelled(image, text)
    scales = adam_scales(network, (v[:_RMS_PAIRS], t[:_RMS_PAIRS]), settings.batch_size)
    growth = {
        int(n): signal_growth(network, (v, t), label, scales, _time(int(n), settings))
        for n in sizes
    }
    expansion = expand_network(network, image, text, pairs=PAIRS, dtype="float32", scales=scales)
    told = _curves(expansion, image, text, {int(n): adam_ridge(int(n), settings) for n in sizes})
    return pd.DataFrame([row | {"growth": growth[row["n"]]} for row in told])[_COLUMNS]


def _row(rule: str, n: int, **said: float) -> dict[str, Any]:
    told: dict[str, Any] = {"ridge_rule": rule, "n": n, "predicted": 0.5}
    return told | dict.fromkeys(("ridge", "diagonal", "level", "growth"), float("nan")) | said


def _time(n: int, settings: TrainingSettings) -> float:
    updates: int = settings.updates_of(n)
    return float(settings.batch_size**0.5 * settings.learning_rate * updates)


def _labelled(image: AnyArray, text: AnyArray) -> tuple[AnyArray, AnyArray, Array]:
    """Return every image once, every second one with the text of another; in random order."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(image))
    label = np.where(np.arange(len(order)) % 2 == 0, 1.0, -1.0)
    other = order.copy()
    other[1::2] = np.roll(order[1::2], 1)
    own = text[other]
    if own.ndim == 3:
        own = own[np.arange(len(own)), rng.integers(own.shape[1], size=len(own))]
    return image[order], own, label


def _curves(
    expansion: KernelExpansion,
    image: AnyArray,
    text: AnyArray,
    derived: Mapping[int, float],
) -> Iterator[dict[str, Any]]:
    """Yield the rows of both ridge rules."""
    values = expansion.product_eigenvalues
    level = float("nan") if values is None else float(np.mean(values))
    known = {"diagonal": expansion.diagonal, "level": level}
    model = kernel_model(expansion, image, text)
    if model is None:
        # No block has a signal: chance, whatever the ridge.
        yield from (_row(rule, n, **known) for rule in ("derived", "best") for n in derived)
        return
    for n, ridge in derived.items():
        accuracy = _accuracy(model, n, ridge)
        yield _row("derived", n, ridge=ridge, predicted=accuracy, **known)
    for n in derived:
        # Of equally good ridges the larger.
        told = [(round(_accuracy(model, n, s * level), _DIGITS), s * level) for s in SHARES]
        best, ridge = max(told)
        yield _row("best", n, ridge=ridge, predicted=best, **known)


def _accuracy(model: MatchingModel, n: int, ridge: float) -> float:
    return float(np.clip(matching_curve(model, np.array([float(n)]), ridge).accuracy[0], 0.0, 1.0))


def _cell(
    head: str, features: FeatureSet, sizes: Sequence[int], settings: TrainingSettings
) -> Cell:
    names = ("optimiser", "learning_rate", "batch_size", "epochs", "updates")
    config: dict[str, Any] = {"head": head, "sizes": tuple(int(n) for n in sizes)}
    config |= {"pairs": PAIRS, "initial_seed": INITIAL_SEED}
    config |= {name: getattr(settings, name) for name in names}
    return Cell(STUDY, config, features=features.fingerprint, code=code_version(adam_kernel_curves))
