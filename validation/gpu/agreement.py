"""(a) What a device computes beside what the processor does: kernel ridge, kernels, training."""

from __future__ import annotations

from typing import Any

import numpy as np

from fusiontheory.heads import HEADS
from fusiontheory.networks import NETWORKS, build_network
from fusiontheory.solvers import PRECISIONS, PairFeatures, measure_ridges
from fusiontheory.tangent import tangent_kernel
from fusiontheory.training import (
    IndexedPairs,
    Member,
    PairDataset,
    TrainingSettings,
    train_members,
)
from fusiontheory.typing import Integers

__all__ = ["agreement", "made_up_dataset", "made_up_pairs"]

_RIDGES = (1e-2, 1.0)
_TRAINED = ("concat-mlp", "cross-attention", "bilinear")


def made_up_pairs(n: int, d: int, seed: int) -> PairFeatures:
    """Return n pairs of unit vectors whose label is the sign of their noisy agreement.

    >>> made_up_pairs(6, 4, seed=0).text.shape
    (6, 4)
    """
    rng = np.random.default_rng(seed)
    image, label = rng.standard_normal((n, d)), np.where(rng.random(n) < 0.5, 1.0, -1.0)
    text = label[:, None] * image + 2 * rng.standard_normal((n, d))
    v, t = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (image, text))
    return PairFeatures(v, t, label)


def made_up_dataset(n: int, d: int, seed: int = 0) -> PairDataset:
    """Return a dataset of n training, n/2 dev and n/2 test pairs of `made_up_pairs`."""
    pairs = made_up_pairs(2 * n, d, seed)
    rows = np.arange(2 * n)
    image, text = pairs.image.astype(np.float32), pairs.text.astype(np.float32)

    def part(own: Integers) -> IndexedPairs:
        return IndexedPairs(own, own, pairs.label[own].astype(np.float32))

    train, dev, test = (part(own) for own in np.split(rows, [n, n + n // 2]))
    return PairDataset("made up", image, text, rows, train, dev, test)


def agreement(device: str, n: int, d: int, seeds: int) -> dict[str, Any]:
    """Return the largest differences of a device from the processor, by what is computed.

    Args:
        device: by its own name.
        n: pairs.
        d: dimension of each side.
        seeds: of the training.

    Returns:
        ``ridge``: by head and precision, the largest relative difference of a risk from NumPy's;
        ``tangent``: by network, of an entry of its kernel in float32, relative to the largest;
        ``training``: by network, test accuracies of both, their difference and its standard error
        over seeds.
    """
    train, test = made_up_pairs(n, d, 0), made_up_pairs(n, d, 1)
    sizes = [n // 4, n]
    ridge: dict[str, dict[str, float]] = {}
    for head in HEADS.values():
        known = np.array([m.risk for m in measure_ridges(head, train, test, sizes, _RIDGES)])
        for precision in PRECISIONS:
            measured = measure_ridges(
                head, train, test, sizes, _RIDGES, device=device, precision=precision
            )
            risks = np.array([m.risk for m in measured])
            ridge.setdefault(head.name, {})[precision] = float(np.max(np.abs(risks / known - 1)))
    return {
        "ridge": ridge,
        "tangent": {name: _tangent(name, train, device, d) for name in NETWORKS},
        "training": {name: _training(name, device, n, d, seeds) for name in _TRAINED},
    }


def _tangent(name: str, pairs: PairFeatures, device: str, d: int) -> float:
    some = pairs.image[:32], pairs.text[:32]
    network = build_network(name, d, d)
    kernels = [tangent_kernel(network, some, dtype="float32", device=p) for p in ("cpu", device)]
    return float(np.abs(kernels[1] - kernels[0]).max() / np.abs(kernels[0]).max())


def _training(name: str, device: str, n: int, d: int, seeds: int) -> dict[str, float]:
    data = made_up_dataset(n, d)
    members = [Member(data, seed) for seed in range(seeds)]
    settings = TrainingSettings(batch_size=min(64, n), epochs=5)
    here, there = (
        train_members(name, members, settings, device=place)["test_accuracy"].to_numpy()
        for place in ("cpu", device)
    )
    apart = there - here
    return {
        "processor": float(here.mean()),
        "device": float(there.mean()),
        "difference": float(apart.mean()),
        "standard_error": float(apart.std(ddof=1) / seeds**0.5),
    }
