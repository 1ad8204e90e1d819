r"""The tangent kernel of the very head: its own architecture at initialisation, stopped early.

The ridge is derived from the training settings, before any error was seen, and no number is fitted.
Near f = 0 the logistic loss log(1 + exp(-y f)) is (f - 2y)^2 / 8 up to a constant: least squares to
2y with a curvature of 1/4. Gradient flow on its mean over n pairs learns along an eigenvector of the
kernel matrix of eigenvalue mu as 1 - exp(-t mu / (4n)); that is ridge 4n/t up to a factor of at
most 1.3 (docs/orders.md, early stopping). With U updates:

    sgd    t = eta U:                 ridge = 4 n / (eta U)
    adam   t = eta U / g:             ridge = 4 n g / (eta U),   g = sqrt(K(x, x) / (B P)) / 2

Adam divides each parameter's gradient by its root mean square; here all P parameters are given one,
g. A batch of B pairs has the gradient mean_i (-y_i/2) grad f(x_i) at f = 0, of mean squared
length K(x, x) / (4B) where labels are independent of it. U is the number of updates that the
settings allow. Early stopping on dev pairs comes sooner and is not known beforehand; that, the
single g, the output at initialisation and everything that moves the kernel in training are left
out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import torch

import fusiontheory.kernel_expansion
import fusiontheory.matching
import fusiontheory.metric_matching
import fusiontheory.network_curve
import fusiontheory.tangent_kernel
from fusiontheory.cells import Cell, code_version
from fusiontheory.checks import InputError
from fusiontheory.coordinate_moments import CoordinateMoments
from fusiontheory.features import FeatureSet
from fusiontheory.heads.networks import build_network
from fusiontheory.kernel_expansion import KernelExpansion, expansion_model
from fusiontheory.matching import matching_curve
from fusiontheory.moments import Moments
from fusiontheory.network_curve import expand_network
from fusiontheory.records import RecordStore
from fusiontheory.training import TrainingSettings
from validation.trained.noise import Noise, noisy_features
from validation.trained.predictors.table import PLACE, as_table, prediction

__all__ = ["STUDY", "early_stopping_ridge", "fill_tangent", "tangent_curve", "tangent_predictions"]

STUDY = "tangent"
"""Name of the records."""

SIZES = tuple(2**k for k in range(8, 15))
"""A record has them all, so that it is found again whatever was measured meanwhile."""

PAIRS = 600
"""Pairs that the kernel is evaluated on, as is the default of `predict_network_curve`."""

_SEED = 0  # of the initialisation
_BY = f"tangent kernel at initialisation, {PAIRS} pairs, ridge of early stopping"


def early_stopping_ridge(
    n: int, diagonal: float, parameters: int, settings: TrainingSettings
) -> float:
    """Return the ridge that stopping after all allowed updates stands for, as derived above.

    Args:
        n: number of training pairs.
        diagonal: mean of K(x, x).
        parameters: P.
        settings: of the training.

    Raises:
        InputError: for momentum.

    Example:
        >>> plain = TrainingSettings(optimiser="sgd", learning_rate=0.1, batch_size=100, epochs=10)
        >>> early_stopping_ridge(1000, 2.0, 50, plain)  # 4 x 1000 / (0.1 x 100 updates)
        400.0
    """
    if settings.momentum:
        raise InputError(f"momentum must be 0, nothing was derived for it, got {settings.momentum}")
    time = settings.learning_rate * settings.updates_of(n)
    if settings.optimiser != "sgd":
        time /= 0.5 * (diagonal / (min(settings.batch_size, n) * parameters)) ** 0.5
    return 4 * n / time


def tangent_curve(
    head: str,
    features: FeatureSet,
    sizes: Sequence[int],
    settings: TrainingSettings,
    pairs: int = PAIRS,
) -> pd.DataFrame:
    """Return the predicted curve of a head on the training images of features.

    As `fusiontheory.network_curve.predict_network_curve`, with a ridge for each n.

    Returns:
        Columns n, ridge, accuracy, low, high (sampling of the moments alone), diagonal, r_squared
        and product_r_squared of the kernel's expansion, and beyond: whether n is more than twice
        the directions in which the network's own metric was seen.
    """
    rows = features.rows("train")
    image, text = features.image[rows], features.text[rows]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        network = build_network(head, image.shape[-1], text.shape[-1])
    expansion = expand_network(network, image, text, pairs=pairs, dtype="float32")
    count = sum(p.numel() for p in network.parameters() if p.requires_grad)
    seen = expansion.product_eigenvalues
    directions = 0 if seen is None else len(seen)
    found = []
    for n in sizes:
        ridge = early_stopping_ridge(n, expansion.diagonal, count, settings)
        found.append({"n": int(n), "ridge": ridge, "beyond": n > 2 * directions})
    table = pd.DataFrame(found).assign(
        diagonal=expansion.diagonal,
        r_squared=expansion.r_squared,
        product_r_squared=expansion.product_r_squared,
    )
    table["beyond"] &= not expansion.exact
    ends = _accuracies(expansion, image, text, table)
    return table.assign(**dict(zip(("accuracy", "low", "high"), ends, strict=True)))


def _accuracies(
    expansion: KernelExpansion, image: Any, text: Any, table: pd.DataFrame
) -> list[list[float]]:
    """Return accuracy, low and high at the n and ridges of the table."""
    products = ("cross", "dot_product", "hadamard")
    if not any(expansion[name] for name in products):
        # No block has a signal: chance, whatever the ridge.
        return [[0.5] * len(table)] * 3
    moments = Moments.from_features(image, text)
    d_v, d_t = moments.dimensions
    coordinates = CoordinateMoments.from_features(image, text) if d_v == d_t else None
    model = expansion_model(expansion, moments, coordinates=coordinates)
    curves = [
        matching_curve(model, np.array([float(n)]), ridge)
        for n, ridge in zip(table["n"], table["ridge"], strict=True)
    ]
    return [
        np.clip([float(getattr(c, name)[0]) for c in curves], 0.0, 1.0).tolist()
        for name in ("accuracy", "low", "high")
    ]


def fill_tangent(
    places: pd.DataFrame,
    conditions: Mapping[str, FeatureSet],
    store: RecordStore,
    settings: TrainingSettings,
    renormalise: bool,
    entropy: int,
) -> int:
    """Compute the curves that the store does not have yet; return how many these were.

    Args:
        places: one row per cell, columns `PLACE`.
        conditions: features without noise, by condition.
        store: gets a record per condition, noise and head as soon as it is done.
        settings: of the training.
        renormalise, entropy: of the noise (`validation.trained.noise.noisy_features`).
    """
    made = 0
    for part, noise, head, sizes in _curves(places):
        clean = conditions[part]
        # Two images are enough to find the record.
        few = FeatureSet(clean.image[:2], clean.text[:2]).with_fingerprint(clean.fingerprint)
        cell = _cell(head, noisy_features(few, noise, renormalise, entropy), sizes, settings)
        if cell not in store:
            features = noisy_features(clean, noise, renormalise, entropy)
            store.write(cell, tangent_curve(head, features, sizes, settings))
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
        few = FeatureSet(clean.image[:2], clean.text[:2]).with_fingerprint(clean.fingerprint)
        cell = _cell(head, noisy_features(few, noise, renormalise, entropy), sizes, settings)
        known = store.read(STUDY, [cell]).set_index("n") if cell in store else None
        same = (places["condition"] == name) & (places["head"] == head)
        same &= (places["sigma"] == noise.sigma) & (places["side"] == noise.side)
        for place in places[same][PLACE].to_dict("records"):
            if known is None:
                rows.append(prediction(place, "tangent", "not predicted: not on record"))
                continue
            told = known.loc[int(place["n"])]
            by = f"{_BY} {told['ridge']:.3g}" + (", n beyond what was seen" * bool(told["beyond"]))
            rows.append(prediction(place, "tangent", by, **_interval(told, test_images)))
    return as_table(rows)


def _interval(told: pd.Series[Any], test_images: int | None) -> dict[str, float]:
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
    grouped = places.groupby(["condition", "sigma", "side", "head"], sort=False)
    for (condition, sigma, side, head), part in grouped:
        wanted = {int(n) for n in part["n"]}
        sizes = SIZES if wanted <= {*SIZES} else tuple(sorted(wanted))
        yield str(condition), Noise(float(sigma), str(side)), str(head), sizes


def _cell(
    head: str, features: FeatureSet, sizes: tuple[int, ...], settings: TrainingSettings
) -> Cell:
    names = ("optimiser", "learning_rate", "batch_size", "epochs", "updates", "momentum")
    config = {"head": head, "sizes": sizes, "pairs": PAIRS, "initial_seed": _SEED}
    config |= {name: getattr(settings, name) for name in names}
    return Cell(STUDY, config, features=features.fingerprint, code=_code())


def _code() -> str:
    modules: tuple[ModuleType, ...] = (
        sys.modules[__name__],
        fusiontheory.kernel_expansion,
        fusiontheory.matching,
        fusiontheory.metric_matching,
        fusiontheory.network_curve,
        fusiontheory.tangent_kernel,
    )
    return code_version(*modules)
