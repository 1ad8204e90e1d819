r"""The tangent kernel of the very head: its own architecture at initialisation, stopped early.

The ridge is derived from the training settings, before any error was seen; no number is fitted.
Near f = 0 the logistic loss log(1 + exp(-y f)) is (f - 2y)^2 / 8 up to a constant: least squares to
2y with a curvature of 1/4. Gradient flow on its mean over n pairs learns along an eigenvector of
the kernel matrix of eigenvalue mu as 1 - exp(-t mu / (4n)); that is ridge 4n/t up to a factor of at
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

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from fusiontheory.matching import MatchingModel, matching_curve
from fusiontheory.moments import Moments
from fusiontheory.networks import FusionNetwork, build_network
from fusiontheory.tangent import CoordinateMoments, KernelExpansion, expand_network, expansion_model
from fusiontheory.training import TrainingSettings
from fusiontheory.typing import AnyArray, Single

__all__ = [
    "INITIAL_SEED",
    "PAIRS",
    "early_stopping_ridge",
    "initial_network",
    "kernel_model",
    "tangent_curve",
]

PAIRS = 600
"""Pairs that the kernel is evaluated on, as is the default of `predict_network_curve`."""

INITIAL_SEED = 0
"""Of the weights."""


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


def initial_network(head: str, d_v: int, d_t: int) -> FusionNetwork:
    """Return a head's network at the weights that all tangent kernels here are of."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(INITIAL_SEED)
        return build_network(head, d_v, d_t)


def kernel_model(
    expansion: KernelExpansion, image: AnyArray, text: AnyArray
) -> MatchingModel | None:
    """Return what matching looks like to an expanded kernel; None if no block has a signal."""
    if not any(expansion[name] for name in ("cross", "dot_product", "hadamard")):
        return None
    moments = Moments.from_features(image, text)
    d_v, d_t = moments.dimensions
    coordinates = CoordinateMoments.from_features(image, text) if d_v == d_t else None
    return expansion_model(expansion, moments, coordinates=coordinates)


def tangent_curve(
    head: str,
    features: FeatureSet,
    sizes: Sequence[int],
    settings: TrainingSettings,
    pairs: int = PAIRS,
    device: str = "cpu",
    share: float | None = None,
) -> pd.DataFrame:
    """Return the predicted curve of a head on the training images of features.

    As `fusiontheory.tangent.predict_network_curve`, with a ridge for each n; the kernel is made on
    ``device``. With ``share`` the ridge is that share of the kernel's diagonal in place of the
    derived one.

    Returns:
        Columns n, ridge, accuracy, low, high (sampling of the moments alone), diagonal, r_squared
        and product_r_squared of the kernel's expansion, and beyond: whether n is more than twice
        the directions in which the network's own metric was seen.
    """
    rows = features.rows("train")
    image, text = features.image[rows], features.text[rows]
    network = initial_network(head, image.shape[-1], text.shape[-1])
    expansion = expand_network(network, image, text, pairs=pairs, dtype="float32", device=device)
    count = sum(p.numel() for p in network.parameters() if p.requires_grad)
    seen = expansion.product_eigenvalues
    directions = 0 if seen is None else len(seen)
    points = []
    for n in sizes:
        ridge = early_stopping_ridge(n, expansion.diagonal, count, settings)
        if share is not None:
            ridge = share * expansion.diagonal
        points.append({"n": int(n), "ridge": ridge, "beyond": n > 2 * directions})
    table = pd.DataFrame(points).assign(
        diagonal=expansion.diagonal,
        r_squared=expansion.r_squared,
        product_r_squared=expansion.product_r_squared,
    )
    table["beyond"] &= not expansion.exact
    ends = _accuracies(expansion, image, text, table)
    return table.assign(**dict(zip(("accuracy", "low", "high"), ends, strict=True)))


def _accuracies(
    expansion: KernelExpansion,
    image: Single,
    text: Single,
    table: pd.DataFrame,
) -> list[list[float]]:
    """Return accuracy, low and high at the n and ridges of the table."""
    model = kernel_model(expansion, image, text)
    if model is None:
        # No block has a signal: chance, whatever the ridge.
        return [[0.5] * len(table)] * 3
    curves = [
        matching_curve(model, np.array([float(n)]), ridge)
        for n, ridge in zip(table["n"], table["ridge"], strict=True)
    ]
    return [
        np.clip([float(getattr(c, name)[0]) for c in curves], 0.0, 1.0).tolist()
        for name in ("accuracy", "low", "high")
    ]
