"""Measured risk and accuracy of kernel ridge heads at chosen sizes, on items never trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from experiments.choice.config import HEADS
from experiments.choice.worlds import Items
from fusiontheory.heads import PILOT_HEADS, PilotHead, Views
from fusiontheory.pilot import Labels, PilotSpectrum
from fusiontheory.typing import Array


@dataclass(frozen=True, eq=False)
class Fitted:
    """Risk (in the label's variance), accuracy and scores at every ridge of one training set."""

    risk: Array
    accuracy: Array
    scores: Array
    ridges: Array

    def at(self, index: int) -> Fitted:
        """Return what is at one ridge."""
        part = slice(index, index + 1)
        return Fitted(self.risk[part], self.accuracy[part], self.scores[part], self.ridges[part])


def fit(kernel: Array, cross: Array, train: Labels, test: Labels, variance: float) -> Fitted:
    """Fit kernel ridge with a free intercept at every third ridge of the grid.

    Args:
        kernel: (n, n) of the training items.
        cross: (test, n).
        train, test: their labels.
        variance: of the label, unit of the risk.
    """
    spectrum = PilotSpectrum.from_kernel(kernel)
    mean = train.targets.mean(0)
    power = spectrum.vectors.T @ (train.targets - mean)
    projected = cross - cross.mean(1, keepdims=True) - kernel.mean(0) + kernel.mean()
    projected = projected @ spectrum.vectors
    ridges = spectrum.ridges[::3]
    scores = np.stack([projected @ (power / (spectrum.values + d)[:, None]) for d in ridges]) + mean
    return Fitted(*judge(scores, test, variance), scores, ridges)


def judge(scores: Array, test: Labels, variance: float) -> tuple[Array, Array]:
    """Return risk and accuracy of scores (k, test, c); accuracy is R^2 for a regression."""
    risk = ((scores - test.targets) ** 2).sum(2).mean(1) / variance
    if test.codes is None:
        return risk, 1 - risk
    found = (scores[:, :, 0] > 0).astype(int) if scores.shape[2] == 1 else scores.argmax(2)
    return risk, (found == test.codes).mean(1)


def best_of(fits: list[Fitted]) -> int:
    """Return the index of the ridge that is best on average over training sets."""
    return int(np.mean([f.risk for f in fits], axis=0).argmin())


def kernels(
    head: PilotHead, views: Views, train: tuple[Array, Array], test: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Return kernel matrices of training items, and of test against training items."""
    v, t = views.apply(*train)
    v2, t2 = views.apply(*test)
    return head.kernel(v, t, v, t), head.kernel(v2, t2, v, t)


def truths(
    pool: Items, test: Items, training_sets: Sequence[tuple[int, int]]
) -> dict[int, dict[str, tuple[float, float]]]:
    """Return risk and accuracy of each head at each size, at the ridge that is best on average.

    Args:
        pool: items that training sets are drawn from.
        test: items that judge.
        training_sets: (items, how many), sizes rising.
    """
    return {
        n: {
            head: (float(np.mean([f.risk for f in row])), float(np.mean([f.accuracy for f in row])))
            for head, row in fits.items()
        }
        for n, fits in fitted_heads(pool, test, training_sets)
    }


def fitted_heads(
    pool: Items, test: Items, training_sets: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, dict[str, list[Fitted]]]]:
    """Yield each size with the fits of every head, one a training set, at the best ridge alone.

    The ridge is the one that is best on average over the training sets; late fusion, which has
    none, averages the two modalities' heads.
    """
    labels = Labels.from_labels(np.r_[test[2], pool[2]])
    judged = labels.subset(np.arange(len(test[2])))
    ridge: dict[str, float] = {}
    for n, sets in training_sets:
        if n > len(pool[2]):
            continue
        fits: dict[str, list[Fitted]] = {name: [] for name in HEADS}
        for k in range(sets):
            rows = np.random.default_rng([n, k]).choice(len(pool[2]), n, replace=False)
            train = labels.subset(len(test[2]) + rows)
            views = Views.from_features(pool[0][rows], pool[1][rows])
            for name in HEADS:
                pair = kernels(
                    PILOT_HEADS[name], views, (pool[0][rows], pool[1][rows]), (test[0], test[1])
                )
                if n < training_sets[-1][0]:
                    fits[name].append(fit(*pair, train, judged, labels.variance))
                else:
                    near = np.array([ridge[name] * 4.0**k for k in range(-3, 3)])
                    fits[name].append(fit_near(*pair, train, judged, labels.variance, near))
        best = {name: best_of(row) for name, row in fits.items()}
        ridge = {h: max(float(fits[h][0].ridges[best[h]]), 1e-9) for h in HEADS}
        alone = {name: [f.at(best[name]) for f in row] for name, row in fits.items()}
        yield n, {**alone, "late-fusion": _late(alone, judged, labels.variance)}


def fit_near(
    kernel: Array, cross: Array, train: Labels, test: Labels, variance: float, ridges: Array
) -> Fitted:
    """Fit a few ridges by Cholesky, which is cheaper than all of them where n is large."""
    rows, mean = kernel.mean(0), train.targets.mean(0)
    centred = kernel - rows - rows[:, None] + rows.mean()
    against = cross - cross.mean(1, keepdims=True) - rows + rows.mean()
    scores = []
    for ridge in ridges:
        factor = cho_factor(centred + ridge * np.eye(len(rows)), check_finite=False)
        scores.append(against @ cho_solve(factor, train.targets - mean) + mean)
    stacked = np.stack(scores)
    return Fitted(*judge(stacked, test, variance), stacked, ridges)


def _late(fits: dict[str, list[Fitted]], test: Labels, variance: float) -> list[Fitted]:
    """Return the averages of the two single-modality heads."""
    averaged = []
    for first, second in zip(fits["image-only"], fits["text-only"], strict=True):
        scores = (first.scores + second.scores) / 2
        averaged.append(Fitted(*judge(scores, test, variance), scores, np.full(1, np.nan)))
    return averaged
