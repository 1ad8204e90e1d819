"""Do trained heads, as further functions of Ritz, show more signal than the theory's functions?

q is a lower bound over a few functions (`fusiontheory.signal.ritz`). A head trained on a fifth of
the moment images has whatever training finds, orders up to the fourth and their mixtures included.
Two heads from two fifths stand beside the two sets of the theory's functions, none of which has
seen the other's images, and covariances are taken over yet another fifth.

``python -m experiments.large_n.trained_functions`` writes ``functions.csv``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve

from experiments.large_n.config import Config
from experiments.side_tables import arguments, write_side_table
from fusiontheory.curves import find_model
from fusiontheory.matching import KernelSignal, Terms
from fusiontheory.moments import MOST_IMAGES
from fusiontheory.risk import ridge_solution
from fusiontheory.signal import RitzGram
from fusiontheory.typing import AnyArray
from validation.moments import condition_moments

_FOLDS = 5
# Ridge of the trained heads; the orders that the kernel leaves out are 0.25.
_RIDGE = 0.3
_HEAD = "trained head"


def main(config: Config | None = None) -> pd.DataFrame:
    """Write and return q at each effective ridge, without and with the trained heads."""
    config = config or Config()
    rows = []
    for condition, features in config.conditions().items():
        # Intervals are not asked for.
        moments = condition_moments(features, dict(config.strengths)[condition])
        model = find_model("concat-mlp")(replace(moments, source=None), Terms())
        sizes = np.array(config.sizes, dtype=np.float64)
        kappa = ridge_solution(model.spectrum, sizes, config.ridge + model.ridge).kappa
        assert isinstance(model.signal, KernelSignal)
        whole = with_heads(model.signal)
        for n, level in zip(config.sizes, kappa, strict=True):
            nearest = int(np.argmin(np.abs(np.log(model.signal.pairs.levels / level))))
            rows.append({"condition": condition, "n": n, **gains(whole, nearest)})
    table = pd.DataFrame(rows)
    path = Path(__file__).with_name("functions.csv")
    write_side_table(path, table, main)
    return table


def gains(gram: RitzGram, level: int) -> dict[str, float]:
    """Return q over the functions of the theory, what the head adds, and what it has alone."""
    names = gram.names[:-1]
    own, mean = gram.gram[level].mean(axis=0), gram.mean[level].mean(axis=0)
    rows = gram.usable(level, names)
    q = float(mean[rows] @ np.linalg.solve(own[np.ix_(rows, rows)], mean[rows]))
    added = gram.gain((*names, _HEAD), base=names)[level]
    error = gram.gain_error((*names, _HEAD), base=names)[level]
    alone = float(mean[-1] ** 2 / own[-1, -1])
    return {"functions": q, "added": float(added), "added_se": float(error), "head_alone": alone}


def with_heads(signal: KernelSignal) -> RitzGram:
    """Return the Gram matrix of the theory's functions with the trained heads as the last row.

    Covariances over fold k are of functions made from the folds k + 1 and k + 2, and a head
    trained on k + 2, with functions made from k + 3 and k + 4, and a head trained on k + 3.
    """
    pairs = _Pairs(signal)
    known, levels = signal.pairs.ritz, signal.pairs.levels
    size = len(known.names)
    gram = np.zeros((levels.size, _FOLDS, size + 1, size + 1))
    gram[..., :size, :size] = known.gram
    mean = np.concatenate([known.mean, np.zeros((levels.size, _FOLDS, 1))], axis=2)
    for k in range(_FOLDS):
        one, two = (k + 2) % _FOLDS, (k + 3) % _FOLDS
        heads = [(pairs.weights[f] @ pairs.kernel(f, k)).reshape(2, -1) for f in (one, two)]
        penalty = pairs.weights[one] @ pairs.kernel(one, two) @ pairs.weights[two]
        mean[:, k, size] = np.mean([h[0].mean() - h[1].mean() for h in heads])
        gram[:, k, size, size] = _within(*heads) + levels * penalty
        for row, level in enumerate(levels):
            scores = known.scores[row].astype(np.float64)
            here, left, right = (scores[..., fold::_FOLDS] for fold in (k, one, two))
            for i in range(size):
                # The functions of one side were also evaluated on the fold of the other's head.
                seen = (
                    right[:, 1, i].ravel() @ pairs.weights[two],
                    left[:, 0, i].ravel() @ pairs.weights[one],
                )
                mixed = _within(here[:, 0, i], heads[1]) + _within(here[:, 1, i], heads[0])
                gram[row, k, i, size] = (mixed + level * sum(seen)) / 2
            gram[row, k, size] = gram[row, k, :, size]
    return replace(known, gram=gram, mean=mean, names=(*known.names, _HEAD))


class _Pairs:
    """The pairs of each fold under the kernel, matched and then mismatched, and heads on them."""

    def __init__(self, signal: KernelSignal) -> None:
        _, image, text = signal.moments.pairs.unit_trace_pairs(MOST_IMAGES)
        self.folds = [(image[k::_FOLDS], text[k::_FOLDS]) for k in range(_FOLDS)]
        traces = signal.moments.pairs.traces
        self.orders = {
            (a, b): k * traces[0] ** a * traces[1] ** b
            for (a, b), k in signal.orders.items()
            if a + b
        }
        self.weights = [self._trained(fold) for fold in range(_FOLDS)]

    def kernel(self, one: int, two: int) -> AnyArray:
        (v, t), (other_v, other_t) = self.folds[one], self.folds[two]
        left, right = (v, t, np.roll(t, 1, axis=0)), (other_v, other_t, np.roll(other_t, 1, axis=0))
        image = left[0] @ right[0].T
        blocks = [[self._orders(image, x @ y.T) for y in right[1:]] for x in left[1:]]
        return np.block(blocks).astype(np.float64)

    def _orders(self, image: AnyArray, text: AnyArray) -> AnyArray:
        return np.asarray(sum(k * image**a * text**b for (a, b), k in self.orders.items()))

    def _trained(self, fold: int) -> AnyArray:
        gram = self.kernel(fold, fold)
        label = np.repeat([1.0, -1.0], len(gram) // 2)
        gram[np.diag_indices_from(gram)] += _RIDGE
        solved = cho_solve(cho_factor(gram), np.stack([label, np.ones_like(label)], axis=1))
        constant = solved[:, 0].sum() / solved[:, 1].sum()
        return np.asarray(solved[:, 0] - constant * solved[:, 1])


def _within(left: AnyArray, right: AnyArray) -> float:
    """Return the covariance within a class, of scores on matched and mismatched pairs."""
    centred = left - left.mean(axis=1, keepdims=True)
    return float((centred * right).sum() / (2 * (left.shape[1] - 1)))


if __name__ == "__main__":
    arguments(__doc__)
    print(main().to_string(index=False))
