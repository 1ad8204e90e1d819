r"""A network's own tangent kernel before and after training: whether it is the kernel that moved.

A tuned network that is better than kernel ridge regression with its kernel at the *start* has
learned features if its kernel at the *end* of training, on the same pairs, is as good as it is.

Layers are linear maps h = W a + b of inputs a, each used once, so that with g = df/dh

    K(x, x') = sum over layers (a . a' + 1) (g . g').
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.utils import vector_to_parameters

from fusiontheory.data import FeatureSet
from fusiontheory.networks import FusionNetwork
from fusiontheory.store import Cell, RecordStore, code_version
from fusiontheory.training import (
    Architecture,
    IndexedPairs,
    Member,
    MemberGroup,
    PairDataset,
    TrainingSettings,
)
from fusiontheory.typing import AnyArray, Array
from validation.trained.design import TrainedStudy, Trial, held_out_pairs, training_pairs
from validation.trained.predictors.feature_learning import fitted_ridge
from validation.trained.predictors.recorded import RecordedCurve, recorded_curves

__all__ = ["HEAD", "layered_kernel", "moving_kernel_curve", "moving_kernel_table"]

STUDY = "moving-kernel"
"""Name of the records."""

HEAD = "concat-mlp"
"""The network, whose layers are linear maps with a nonlinearity between."""

_COLUMNS = ["n", "seed", "what", "accuracy", "ridge", "moved"]
_Pairs = tuple[AnyArray, AnyArray]


def moving_kernel_table(
    conditions: Mapping[str, FeatureSet],
    study: TrainedStudy,
    chosen: pd.DataFrame,
    seeds: Sequence[int],
    store: RecordStore,
    fill: bool = True,
) -> pd.DataFrame:
    """Return the curves of each place of ``chosen``; with ``fill`` what has no record is made.

    Args:
        conditions: features by name.
        study: whose pairs and settings are taken.
        chosen: columns condition, n, learning_rate, weight_decay and init_scale.
        seeds: of the study.
        store: gets a record for each condition, n and seed.
        fill: whether to compute, or to read records alone.

    Returns:
        Columns condition, n, seed, what ("network", "start", "end"), accuracy, ridge and moved.
    """
    code = code_version(moving_kernel_curve)
    columns = ["condition", "n", "learning_rate", "weight_decay", "init_scale"]
    curves = []
    for name, n, rate, decay, scale in chosen[columns].itertuples(index=False, name=None):
        for seed in seeds:
            config = {"n": int(n), "seed": seed, "rate": rate, "decay": decay, "scale": scale}
            cell = Cell(STUDY, config, features=conditions[name].fingerprint, code=code)
            known = (conditions[name], study, int(n), seed, Trial(rate, decay), scale)
            compute = partial(moving_kernel_curve, *known)
            curves.append(RecordedCurve({"condition": str(name)}, cell, compute))
    return recorded_curves(curves, ["condition", *_COLUMNS], store, fill)


def moving_kernel_curve(
    features: FeatureSet, study: TrainedStudy, n: int, seed: int, trial: Trial, scale: float
) -> pd.DataFrame:
    """Return test accuracy of the tuned network, and of its kernels at the start and the end.

    Args:
        features: of all splits.
        study: whose pairs are taken, and the settings of tuning.
        n: number of training pairs.
        seed: of the pairs and of the weights.
        trial: learning rate and weight decay.
        scale: factor on the initial weights.

    Returns:
        Columns what, accuracy, ridge (best on dev pairs, in units of the kernel's mean diagonal)
        and moved, of the end: 1 less the correlation of the centred kernels of training pairs.
    """
    drawn = (training_pairs(study, features, seed), *held_out_pairs(study, features))
    data = PairDataset.from_features(features, *drawn).first(n)
    settings = TrainingSettings(dtype=study.training.dtype, **dict(study.tuning))
    member = Member(data, seed, trial.learning_rate, trial.weight_decay, scale)
    group = MemberGroup(Architecture(HEAD), (member,), settings)
    [trained] = group.train()
    sides = features.image.shape[-1], features.text.shape[-1]
    network = Architecture(HEAD).build(*sides, seed, scale)
    splits = [_indexed(data, pairs) for pairs in data.splits().values()]
    labels = [pairs.label.astype(np.float64) for pairs in data.splits().values()]
    start = layered_kernel(network, splits, splits[0])
    vector_to_parameters(trained.progress.weights, network.parameters())
    end = layered_kernel(network, splits, splits[0])
    assert trained.test is not None
    return pd.DataFrame(
        [
            {"what": "network", "accuracy": trained.test.accuracy},
            {"what": "start", **_regression(start, labels)},
            {"what": "end", **_regression(end, labels), "moved": _moved(start[0], end[0])},
        ]
    )


def layered_kernel(network: FusionNetwork, rows: Sequence[_Pairs], columns: _Pairs) -> list[Array]:
    """Return the tangent kernel of a network of linear layers, of each of the rows with columns.

    Args:
        network: whose linear layers map vectors, each used once.
        rows: image and text features of pairs.
        columns: of other pairs.

    Example:
        >>> network = Architecture("concat-linear").build(2, 2)
        >>> layered_kernel(network, [(np.eye(2), np.eye(2))], (np.eye(2), np.eye(2)))[0].tolist()
        [[3.0, 1.0], [1.0, 3.0]]
    """
    right = _factors(network, columns)
    kernels = []
    for pairs in rows:
        kernel = torch.zeros(len(pairs[0]), len(columns[0]))
        for (a, g), (b, h) in zip(_factors(network, pairs), right, strict=True):
            kernel += (a @ b.T + 1.0) * (g @ h.T)
        kernels.append(kernel.numpy().astype(np.float64))
    return kernels


def _factors(network: FusionNetwork, pairs: _Pairs) -> list[tuple[Tensor, Tensor]]:
    """Return of each linear layer its inputs and the gradients of the logit by its outputs."""
    seen: list[tuple[Tensor, Tensor]] = []

    def note(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        seen.append((inputs[0].detach(), output))

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    sides = (torch.as_tensor(np.asarray(x), dtype=torch.float32) for x in pairs)
    logits = network(*sides)
    for hook in hooks:
        hook.remove()
    # No pair has a part in the logit of another, so that the sum has the gradient of each.
    gradients = torch.autograd.grad(logits.sum(), [output for _, output in seen])
    return [(inputs, g) for (inputs, _), g in zip(seen, gradients, strict=True)]


def _indexed(data: PairDataset, pairs: IndexedPairs) -> _Pairs:
    return data.image[pairs.image], data.text[pairs.text]


def _regression(kernels: list[Array], labels: list[Array]) -> dict[str, Any]:
    level = float(np.trace(kernels[0])) / len(kernels[0])
    gram, dev, test = (kernel / level for kernel in kernels)
    ridge, weights, shift = fitted_ridge(gram, dev, labels)
    return {"ridge": ridge, "accuracy": float((labels[2] * (test @ weights + shift) > 0).mean())}


def _moved(start: Array, end: Array) -> float:
    first, last = (k - k.mean(0) - k.mean(1)[:, None] + k.mean() for k in (start, end))
    return 1.0 - float((first * last).sum() / np.sqrt((first**2).sum() * (last**2).sum()))
