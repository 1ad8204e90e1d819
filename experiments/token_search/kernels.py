"""Kernel ridge regression on the very pairs of the networks, by several kernels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from experiments.token_attention import pairs_of, token_dataset
from experiments.token_search.config import Config
from fusiontheory.heads import find_head
from fusiontheory.solvers import dual_ridge, gather, measure_curve
from fusiontheory.tangent import tangent_kernel
from fusiontheory.tokens import find_token_head
from fusiontheory.training import Architecture, IndexedPairs, PairDataset
from fusiontheory.typing import Array

__all__ = ["KERNELS", "of_name", "own_orders", "tangent"]

Gram = Callable[[str, str], Array]
"""Names of two splits -> the kernel between their pairs."""


def of_name(
    config: Config, population: str, network: str, draw: int, told: pd.DataFrame
) -> dict[str, float]:
    """Return the accuracy of the head of the network's name at the ridge of the prediction."""
    own, head = config.of(population), find_token_head(network)
    drawn = own.draw(population, draw)
    place = (told["population"] == population) & (told["head"] == network)
    [ridge] = told[place & (told["seed"] == draw)]["ridge"].tolist()
    v, t = head.features(drawn.tokens, drawn.text, rows=drawn.train)
    train, _, test = (gather(v, t, pairs) for pairs in pairs_of(own, drawn, draw))
    [found] = measure_curve(find_head(head.kernel), train, test, [config.n], ridge)
    return {"test": found.accuracy, "ridge": ridge}


def own_orders(
    config: Config, population: str, _: str, draw: int, told: pd.DataFrame
) -> dict[str, float]:
    """Return the accuracy of <mean, mean'><t, t'> + <Cov, Cov'><t t^T, t' t'^T>.

    They are the two products that a read-out bilinear in answer and query has to first order
    (``docs/tokens.md``); the head `token-bilinear` has two more. The ridge is chosen on dev pairs.
    """
    own = config.of(population)
    drawn = own.draw(population, draw)
    splits = dict(zip(("train", "dev", "test"), pairs_of(own, drawn, draw), strict=True))
    parts = []
    for name in ("token-mean", "token-pair"):
        v, t = find_token_head(name).features(drawn.tokens, drawn.text, rows=drawn.train)
        parts.append({split: gather(v, t, pairs) for split, pairs in splits.items()})

    def gram(rows: str, columns: str) -> Array:
        both = [
            (one[rows].image @ one[columns].image.T) * (one[rows].text @ one[columns].text.T)
            for one in parts
        ]
        return np.asarray(both[0] + both[1])

    return _at_best_ridge(gram, {name: pairs.label for name, pairs in splits.items()}, config)


def tangent(
    config: Config, population: str, network: str, draw: int, told: pd.DataFrame, width: int
) -> dict[str, float]:
    """Return the accuracy of the tangent kernel of the network at its initial weights.

    The ridge is chosen on dev pairs; the threshold is the intercept.
    """
    data = token_dataset(config.of(population), population, draw)
    module = Architecture(network, {"width": width}).build(
        data.image.shape[-1], data.text.shape[-1], seed=draw
    )

    def gram(rows: str, columns: str) -> Array:
        first, second = (_rows(data, data.splits()[name]) for name in (rows, columns))
        return np.asarray(tangent_kernel(module, first, second, dtype=np.float32), np.float64)

    labels = {name: pairs.label.astype(np.float64) for name, pairs in data.splits().items()}
    return _at_best_ridge(gram, labels, config)


def _rows(data: PairDataset, pairs: IndexedPairs) -> tuple[Any, Any]:
    return data.image[pairs.image], data.text[pairs.text]


def _at_best_ridge(gram: Gram, labels: dict[str, Array], config: Config) -> dict[str, float]:
    """Return dev and test accuracy at the ridge of highest dev accuracy."""
    n = labels["train"].size
    whole = np.asfortranarray(gram("train", "train"))
    ridges = (np.trace(whole) / n * np.array(config.ridges)).tolist()
    fits = list(dual_ridge(whole, labels["train"][:, None], [n], ridges, intercept=True))
    accuracies = {}
    for split in ("dev", "test"):
        kernel = gram(split, "train")
        outputs = np.stack([kernel @ fit.alpha[:, 0] + fit.constant[0] for fit in fits])
        accuracies[split] = (np.sign(outputs) * labels[split] == 1).mean(axis=1)
    best = int(accuracies["dev"].argmax())
    return {
        "dev": float(accuracies["dev"][best]),
        "test": float(accuracies["test"][best]),
        "ridge": config.ridges[best],
    }


KERNELS: dict[str, Callable[..., dict[str, float]]] = {
    "kernel of its name": of_name,
    "its own orders": own_orders,
    "tangent, width 64": partial(tangent, width=64),
    "tangent, width 256": partial(tangent, width=256),
}
"""What stands beside the networks, by name."""
