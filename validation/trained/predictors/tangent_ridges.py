r"""A network's tangent kernel at initialisation, at three ridges and in two metrics of its inputs.

What of the failure of the tangent kernel is its ridge: the one that is derived from early stopping
(`validation.trained.predictors.early_stopping_ridge`), or a small share of the kernel's diagonal.
In the metric "adam" the inputs are divided coordinate by coordinate by sigma^{1/4}, sigma their
root mean square, and brought back to a mean squared length of 1, as Adam would have it if the whole
kernel were that of the first layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from fusiontheory.data import FeatureSet
from fusiontheory.matching import matching_curve
from fusiontheory.store import Cell, RecordStore, code_version
from fusiontheory.tangent import expand_network
from fusiontheory.training import TrainingSettings
from fusiontheory.typing import AnyArray, Single
from validation.trained.predictors.recorded import RecordedCurve, recorded_curves
from validation.trained.predictors.tangent_curve import (
    INITIAL_SEED,
    PAIRS,
    early_stopping_ridge,
    initial_network,
    kernel_model,
)

__all__ = ["METRICS", "SHARES", "TANGENT_HEADS", "tangent_ridge_curves", "tangent_ridge_table"]

STUDY = "tangent-ridges"
"""Name of the records."""

TANGENT_HEADS = ("concat-mlp", "low-rank", "gated")
METRICS = ("plain", "adam")
SHARES = MappingProxyType({"1 % of the diagonal": 1e-2, "0.01 % of the diagonal": 1e-4})
"""Ridges beside the derived one, in shares of the mean of K(x, x)."""

_LEAST = 1e-6
_COLUMNS = ["ridge_rule", "n", "ridge", "diagonal", "predicted"]


def tangent_ridge_table(
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
        store: gets a record per head, condition and metric as soon as it is done.
        fill: whether to compute, or to read records alone.

    Returns:
        Columns head, condition, metric, and those of `tangent_ridge_curves`.
    """
    curves = (
        RecordedCurve(
            {"head": head, "condition": name, "metric": metric},
            _cell(head, metric, features, sizes, settings),
            partial(tangent_ridge_curves, head, features, sizes, settings, metric),
        )
        for head in heads
        for name, features in conditions.items()
        for metric in METRICS
    )
    return recorded_curves(curves, ["head", "condition", "metric", *_COLUMNS], store, fill)


def tangent_ridge_curves(
    head: str,
    features: FeatureSet,
    sizes: Sequence[int],
    settings: TrainingSettings,
    metric: str = "plain",
) -> pd.DataFrame:
    """Return the predicted accuracy of kernel ridge regression at each of the three ridges.

    Args:
        head: name of the network.
        features: of the condition, with a split train.
        sizes: numbers of training pairs.
        settings: of the training.
        metric: one of `METRICS`.

    Returns:
        Columns ridge_rule, n, ridge, diagonal (mean of K(x, x)) and predicted.
    """
    rows = features.rows("train")
    image, text = features.image[rows], features.text[rows]
    if metric == "adam":
        image, text = _in_adams_metric(image), _in_adams_metric(text)
    network = initial_network(head, image.shape[-1], text.shape[-1])
    expansion = expand_network(network, image, text, pairs=PAIRS, dtype="float32")
    parameters = sum(p.numel() for p in network.parameters())
    model = kernel_model(expansion, image, text)
    told = []
    for rule in ("derived", *SHARES):
        for n in sizes:
            ridge = SHARES.get(rule, 0.0) * expansion.diagonal
            if rule == "derived":
                ridge = early_stopping_ridge(n, expansion.diagonal, parameters, settings)
            # No block with a signal: chance, whatever the ridge.
            accuracy = 0.5
            if model is not None:
                accuracy = float(matching_curve(model, np.array([float(n)]), ridge).accuracy[0])
            told.append((rule, int(n), ridge, expansion.diagonal, accuracy))
    return pd.DataFrame(told, columns=_COLUMNS)


def _in_adams_metric(x: AnyArray) -> Single:
    double = np.asarray(x, dtype=np.float64)
    rms = np.sqrt((double.reshape(-1, double.shape[-1]) ** 2).mean(axis=0))
    double = double / np.where(rms > _LEAST, rms, 1.0) ** 0.25
    length = np.sqrt((double**2).sum(axis=-1).mean())
    single: Single = (double / length).astype(np.float32)
    return single


def _cell(
    head: str,
    metric: str,
    features: FeatureSet,
    sizes: Sequence[int],
    settings: TrainingSettings,
) -> Cell:
    names = ("optimiser", "learning_rate", "batch_size", "epochs", "updates", "momentum")
    config: dict[str, Any] = {"head": head, "metric": metric, "sizes": [int(n) for n in sizes]}
    config |= {"pairs": PAIRS, "initial_seed": INITIAL_SEED}
    config |= {name: getattr(settings, name) for name in names}
    code = code_version(tangent_ridge_curves)
    return Cell(STUDY, config, features=features.fingerprint, code=code)
