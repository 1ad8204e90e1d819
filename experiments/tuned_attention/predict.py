"""What tangent kernels say: of PyTorch's initial weights, and of logits of order one at the start.

The search chooses between these two starts. Each kernel is in Adam's metric, at its best ridge.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.tuned_attention.config import STRENGTHS
from experiments.tuned_attention.own_kernel import own_kernel_accuracy
from experiments.tuned_heads import Config
from fusiontheory.curves import predict_curve
from fusiontheory.data import FeatureSet
from fusiontheory.matching import matching_curve
from fusiontheory.moments import Moments
from fusiontheory.store import Cell, code_version
from fusiontheory.tangent import CoordinateMoments, adam_scales, expand_network, expansion_model
from fusiontheory.training import Architecture, unit_logit_scale
from validation.conditions import condition_features
from validation.moments import condition_moments

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["CONCATENATION", "OWN", "STARTS", "predict", "told_of"]

STARTS = ("initial weights of PyTorch", "initial logits of order one")
CONCATENATION = "concatenation"
"""Kernel ridge regression on [v; t]: with one token a side, two-way attention is a ReLU network on
a concatenation."""

OWN = "own kernel, measured,"
"""Kernel ridge regression with the network's own kernel, in place of the closed form."""

_SHARES = np.logspace(-4, 2, 7)  # of ridges, in units of the mean eigenvalue of the products
_PAIRS, _RMS_PAIRS, _SEED = 600, 300, 0


def predict(config: Config, records: Records) -> Tables:
    """Return a row per head, condition and what says it."""
    code = code_version(told_of)
    cells = [
        Cell(records.name, {"name": head, "at": at, "pairs": config.n}, "shipped", code)
        for head, at in config.places
    ]
    conditions = condition_features(config.features(), STRENGTHS, records.root / "heads")
    told = records.computed(cells, partial(told_of, conditions=conditions))
    return {"predictions.csv": told[["head", "condition", "n", "by", "scale", "predicted"]]}


def told_of(cell: Cell, conditions: dict[str, FeatureSet]) -> pd.DataFrame:
    """Return what is said of one head at one condition."""
    head, condition, n = (cell.config[name] for name in ("name", "at", "pairs"))
    features = conditions[condition]
    rows = [*_of_starts(head, features, n)]
    if head == "two-way-attention":
        moments = condition_moments(features, STRENGTHS[condition])
        images = features.rows("train").size
        curve = predict_curve("concat-mlp", moments, n, "best", training_images=images)
        rows.append({"by": CONCATENATION, "predicted": float(curve["accuracy"].iloc[0])})
    return pd.DataFrame(rows).assign(head=head, condition=condition, n=n)


def _of_starts(head: str, features: FeatureSet, n: int) -> Iterator[dict[str, Any]]:
    rows = features.rows("train")
    image, text = features.image[rows], features.text[rows]
    sides = (image.shape[-1], text.shape[-1])
    architecture = Architecture(head)
    rng = np.random.default_rng(_SEED)
    # As in a batch, half of the pairs are matched.
    some = rng.permutation(len(image))[:_RMS_PAIRS]
    other = np.where(np.arange(_RMS_PAIRS) % 2 == 0, some, np.roll(some, 2))
    few = (image[some], text[other, 0])
    for start, scale in zip(STARTS, (1.0, unit_logit_scale(architecture, *sides)), strict=True):
        network = architecture.build(*sides, _SEED, scale)
        expansion = expand_network(
            network, image, text, pairs=_PAIRS, dtype="float32", scales=adam_scales(network, few)
        )
        said = {"by": start, "scale": scale, "predicted": 0.5}
        if any(expansion[name] for name in ("cross", "dot_product", "hadamard")):
            coordinates = CoordinateMoments.from_features(image, text)
            moments = Moments.from_features(image, text)
            model = expansion_model(expansion, moments, coordinates=coordinates)
            values = expansion.product_eigenvalues
            level = expansion.diagonal if values is None else float(np.mean(values))
            curves = [matching_curve(model, np.array([float(n)]), s * level) for s in _SHARES]
            said["predicted"] = min(1.0, max(float(curve.accuracy[0]) for curve in curves))
        yield said
        if head == "token-attention":
            # Small enough for the kernel itself; that of two-way attention has 50 times as many.
            accuracy = own_kernel_accuracy(network, features, n)
            yield {"by": f"{OWN} of {start}", "scale": scale, "predicted": accuracy}
