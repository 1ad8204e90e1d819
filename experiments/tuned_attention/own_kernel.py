"""Kernel ridge regression with a network's own tangent kernel, on fresh pairs of the same images.

What the closed form sees of a kernel is its part that is linear in products of features, from a few
hundred pairs. This is the kernel itself, whatever its signal is.
"""

from __future__ import annotations

import numpy as np

from fusiontheory.data import FeatureSet, draw_pairs
from fusiontheory.networks import FusionNetwork
from fusiontheory.solvers import PairFeatures, dual_ridge, gather
from fusiontheory.tangent import adam_scales, tangent_kernel

__all__ = ["own_kernel_accuracy"]

_SHARES = np.logspace(-6, 0, 7)  # of ridges, in units of the mean of K(x, x)
_HELD_OUT = {"dev": 2000, "test": 4000}
_RMS_PAIRS = 300
_ENTROPY = 2026


def own_kernel_accuracy(network: FusionNetwork, features: FeatureSet, n: int) -> float:
    """Return test accuracy at the ridge that is best on dev pairs.

    Args:
        network: at its initial weights; the kernel is in Adam's metric.
        features: with splits train, dev and test, of which fresh pairs are drawn.
        n: training pairs.
    """
    train = _drawn(features, "train", n, 0)
    dev, test = (_drawn(features, *split, k) for k, split in enumerate(_HELD_OUT.items(), 1))
    scales = adam_scales(network, (train.image[:_RMS_PAIRS], train.text[:_RMS_PAIRS]))
    mine = (train.image, train.text)
    gram = np.asfortranarray(tangent_kernel(network, mine, scales=scales))
    others = [
        tangent_kernel(network, (part.image, part.text), mine, scales=scales)
        for part in (dev, test)
    ]
    level = float(np.mean(np.diag(gram)))
    found = []
    for fit in dual_ridge(gram, train.label[:, None], [n], list(level * _SHARES), True):
        logits = [kernel @ fit.alpha[:, 0] + fit.constant[0] for kernel in others]
        right = [
            float((part.label * f > 0).mean()) for part, f in zip((dev, test), logits, strict=True)
        ]
        found.append((right[0], fit.ridge, right[1]))
    # Of equally good ridges the larger.
    return max(found)[2]


def _drawn(features: FeatureSet, split: str, n: int, key: int) -> PairFeatures:
    seed = np.random.SeedSequence(_ENTROPY, spawn_key=(key,))
    pairs = draw_pairs(features.rows(split), features.text.shape[1], n, seed)
    return gather(features.image, features.text, pairs)
