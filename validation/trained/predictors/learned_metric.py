r"""What a tuned MLP has learned, and whether a function of the data alone can say it.

The first layer W of a network on inputs x = [v; t] sees them in the metric W^T W. Three questions:

- *Is that all?* The kernel of a wide network on inputs W x, beside the network.
- *Is it the neural feature ansatz?* W^T W beside M^{1/2}, M the network's own average gradient
  outer product, mean grad f grad f^T: *likeness* is the correlation of the entries of both, each
  less its mean diagonal.
- *Is it in the data?* W^T W beside that of a network with other initial weights, trained on the
  same pairs in the same order: what is not alike is no function of the data. If both are the same
  matrix with independent parts of their own, a function of the data alone is at most as like
  either as the root of their likeness.

`metric_rounds_curve` is the function of the data that was tried: the metric M^{1/2} of the first
gradient, then rounds of the recursive feature machine, in which M is of the ridge regression in the
metric of the round before.

Source: Radhakrishnan, Beaglehole, Pandit & Belkin, arXiv:2212.13881.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.utils import vector_to_parameters

from fusiontheory.data import FeatureSet
from fusiontheory.networks import FusionNetwork
from fusiontheory.store import Cell, RecordStore, code_version
from fusiontheory.training import Architecture, Member, MemberGroup, PairDataset, TrainingSettings
from fusiontheory.typing import Array
from validation.trained.design import TrainedStudy, Trial, held_out_pairs, training_pairs
from validation.trained.predictors.feature_learning import (
    kernel_accuracy,
    of_unit_length,
    paired_inputs,
    reweighted,
)
from validation.trained.predictors.moving_kernel import HEAD
from validation.trained.predictors.recorded import RecordedCurve, recorded_curves

__all__ = [
    "ROUNDS",
    "learned_metric_curve",
    "learned_metric_table",
    "likeness",
    "metric_rounds_curve",
    "metric_rounds_table",
]

ROUNDS = 5
"""Rounds after the first gradient."""

# Names of the records.
_METRIC_STUDY, _ROUNDS_STUDY = "learned-metric", "metric-rounds"
_OTHER_WEIGHTS = 1000


def metric_rounds_table(
    conditions: dict[str, FeatureSet],
    study: TrainedStudy,
    places: Sequence[tuple[int, int]],
    store: RecordStore,
    fill: bool = True,
) -> pd.DataFrame:
    """Return `metric_rounds_curve` of each condition and place.

    Args:
        conditions: features by name.
        study: whose pairs are taken.
        places: n and seed.
        store: gets a record for each.
        fill: whether to compute, or to read records alone.

    Returns:
        Columns condition, n, seed, round (-1: the plain kernel), ridge and accuracy.
    """
    code = code_version(metric_rounds_curve)
    curves = [
        RecordedCurve(
            {"condition": name},
            Cell(
                _ROUNDS_STUDY, {"n": n, "seed": seed, "rounds": ROUNDS}, features.fingerprint, code
            ),
            partial(metric_rounds_curve, features, study, n, seed),
        )
        for name, features in conditions.items()
        for n, seed in places
    ]
    columns = ["condition", "n", "seed", "round", "ridge", "accuracy"]
    return recorded_curves(curves, columns, store, fill)


def metric_rounds_curve(
    features: FeatureSet, study: TrainedStudy, n: int, seed: int
) -> pd.DataFrame:
    """Return test accuracy of the plain kernel, of the first gradient's metric, and of each round.

    Args:
        features: of all splits.
        study: whose pairs are taken.
        n: number of training pairs.
        seed: of the training pairs.
    """
    inputs, labels = paired_inputs(features, study, n, seed)
    rows = [{"round": -1, **kernel_accuracy(inputs, labels)}]
    rows += [{"round": k, **told} for k, (_, told) in enumerate(_rounds(inputs, labels))]
    return pd.DataFrame(rows).drop(columns="weights")


def learned_metric_table(
    conditions: dict[str, FeatureSet],
    study: TrainedStudy,
    chosen: pd.DataFrame,
    places: Sequence[tuple[int, int]],
    store: RecordStore,
    fill: bool = True,
) -> pd.DataFrame:
    """Return `learned_metric_curve` of each condition and place.

    Args:
        conditions: features by name.
        study: whose pairs and settings are taken.
        chosen: columns condition, n, learning_rate, weight_decay and init_scale.
        places: n and seed.
        store: gets a record for each.
        fill: whether to compute, or to read records alone.

    Returns:
        Columns condition, n, seed, what, accuracy and likeness.
    """
    columns = ["condition", "n", "seed", "what", "accuracy", "likeness"]
    curves = _curves(conditions, study, chosen, places)
    return recorded_curves(curves, columns, store, fill)


def _curves(
    conditions: dict[str, FeatureSet],
    study: TrainedStudy,
    chosen: pd.DataFrame,
    places: Sequence[tuple[int, int]],
) -> Iterator[RecordedCurve]:
    code = code_version(learned_metric_curve)
    columns = ["learning_rate", "weight_decay", "init_scale"]
    settings = {
        (str(name), int(n)): tuple(map(float, values))
        for name, n, *values in chosen[["condition", "n", *columns]].itertuples(index=False)
    }
    for name, features in conditions.items():
        for n, seed in places:
            rate, decay, scale = settings[name, n]
            config = {"n": n, "seed": seed, "rate": rate, "decay": decay, "scale": scale}
            known = (features, study, n, seed, Trial(rate, decay), scale)
            cell = Cell(_METRIC_STUDY, config, features.fingerprint, code)
            yield RecordedCurve({"condition": name}, cell, partial(learned_metric_curve, *known))


def learned_metric_curve(
    features: FeatureSet, study: TrainedStudy, n: int, seed: int, trial: Trial, scale: float
) -> pd.DataFrame:
    """Return how like the learned metric is to what might say it, and what each is worth.

    Args:
        features: of all splits.
        study: whose pairs are taken, and the settings of tuning.
        n: number of training pairs.
        seed: of the pairs, and of the weights of the first network.
        trial: learning rate and weight decay.
        scale: factor on the initial weights.

    Returns:
        Columns what ("network"; "first layer", the kernel in its metric; "own gradients", in that
        of its gradients; "other weights", the other network; "fitted", one round of the recursive
        feature machine; "rounds", the first gradient and `ROUNDS` rounds), accuracy and likeness
        to the first layer's metric.
    """
    drawn = (training_pairs(study, features, seed), *held_out_pairs(study, features))
    data = PairDataset.from_features(features, *drawn).first(n)
    settings = TrainingSettings(dtype=study.training.dtype, **dict(study.tuning))
    inputs, labels = paired_inputs(features, study, n, seed)
    metrics, accuracies = [], []
    for weights in (seed, seed + _OTHER_WEIGHTS):
        member = Member(data, weights, trial.learning_rate, trial.weight_decay, scale, seed)
        [trained] = MemberGroup(Architecture(HEAD), (member,), settings).train()
        network = Architecture(HEAD).build(data.image.shape[-1], data.text.shape[-1], weights)
        vector_to_parameters(trained.progress.weights, network.parameters())
        metrics.append(_first_layer(network))
        assert trained.test is not None
        accuracies.append(trained.test.accuracy)
        if weights == seed:
            own = _root(_gradients(network, data, n), 0.5)
    rows: list[dict[str, Any]] = [
        {"what": "network", "accuracy": accuracies[0], "likeness": 1.0},
        {"what": "other weights", "accuracy": accuracies[1], "likeness": likeness(*metrics)},
    ]
    for what, metric in _candidates(metrics[0], own, inputs, labels):
        root = _root(metric, 0.5)
        told = kernel_accuracy(of_unit_length([x @ root for x in inputs]), labels)
        alike = likeness(metrics[0], metric)
        rows.append({"what": what, "accuracy": told["accuracy"], "likeness": alike})
    return pd.DataFrame(rows)


def _candidates(
    first: Array, own: Array, inputs: list[Array], labels: list[Array]
) -> Iterator[tuple[str, Array]]:
    """Yield metrics by name: of the network, and of the data alone."""
    yield "first layer", first
    yield "own gradients", own
    weights = kernel_accuracy(inputs, labels)["weights"]
    yield "fitted", reweighted(inputs[0], weights, 0.5)
    *_, (last, _) = _rounds(inputs, labels)
    yield "rounds", last


def _rounds(inputs: list[Array], labels: list[Array]) -> Iterator[tuple[Array, dict[str, Any]]]:
    """Yield the metric of the first gradient and of each round, and its `kernel_accuracy`."""
    metric = reweighted(inputs[0], labels[0] - labels[0].mean(), 0.5)
    for _ in range(ROUNDS + 1):
        root = _root(metric, 0.5)
        stretched = of_unit_length([x @ root for x in inputs])
        told = kernel_accuracy(stretched, labels)
        yield metric, told
        metric = _root(root @ reweighted(stretched[0], told["weights"], 1.0) @ root, 0.5)


def likeness(one: Array, other: Array) -> float:
    """Return the correlation of the entries of two symmetric matrices, each less its mean diagonal.

    >>> one = np.diag([2.0, 1.0, 0.0])
    >>> round(likeness(one, 3 * one + 5 * np.eye(3)), 6), round(likeness(one, one[::-1, ::-1]), 6)
    (1.0, -1.0)
    """
    a, b = (x - np.trace(x) / len(x) * np.eye(len(x)) for x in (one, other))
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def _root(matrix: Array, power: float) -> Array:
    """Return a power of a symmetric matrix without negative eigenvalues, of norm 1."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    powers = np.clip(values, 0.0, None) ** power
    root: Array = (vectors * (powers / powers.max())) @ vectors.T
    return root


def _first_layer(network: FusionNetwork) -> Array:
    layer = next(layer for layer in network.modules() if isinstance(layer, nn.Linear))
    weight = layer.weight.detach().cpu().numpy().astype(np.float64)
    metric: Array = weight.T @ weight
    return metric


def _gradients(network: FusionNetwork, data: PairDataset, n: int) -> Array:
    """Return the average outer product of the logit's gradients by [v; t], on training pairs."""
    rows, place = data.train, next(network.parameters()).device
    sides = [
        torch.as_tensor(np.asarray(x[at][:n]), dtype=torch.float32, device=place).requires_grad_()
        for x, at in ((data.image, rows.image), (data.text, rows.text))
    ]
    gradients = torch.autograd.grad(network(*sides).sum(), sides)
    stacked = torch.cat(gradients, dim=1).cpu().numpy().astype(np.float64)
    product: Array = stacked.T @ stacked / len(stacked)
    return product
