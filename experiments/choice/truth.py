"""Measured risk and accuracy of kernel ridge heads at chosen sizes, on items never trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusiontheory.heads import PilotHead, Views
from fusiontheory.pilot import Labels, PilotSpectrum

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fitted:
    """Risk (in the label's variance), accuracy and scores at every ridge of one training set."""

    risk: _Array
    accuracy: _Array
    scores: _Array
    ridges: _Array


def fit(kernel: _Array, cross: _Array, train: Labels, test: Labels, variance: float) -> Fitted:
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


def judge(scores: _Array, test: Labels, variance: float) -> tuple[_Array, _Array]:
    """Return risk and accuracy of scores (k, test, c); accuracy is R^2 for a regression."""
    risk = ((scores - test.targets) ** 2).sum(2).mean(1) / variance
    if test.codes is None:
        return risk, 1 - risk
    found = (scores[:, :, 0] > 0).astype(int) if scores.shape[2] == 1 else scores.argmax(2)
    return risk, (found == test.codes).mean(1)


def best_of(fits: list[Fitted]) -> tuple[float, float, int]:
    """Return risk, accuracy and index of the ridge that is best on average over training sets."""
    risk = np.mean([f.risk for f in fits], axis=0)
    best = int(risk.argmin())
    return float(risk[best]), float(np.mean([f.accuracy[best] for f in fits])), best


def kernels(
    head: PilotHead, views: Views, train: tuple[_Array, _Array], test: tuple[_Array, _Array]
) -> tuple[_Array, _Array]:
    """Return kernel matrices of training items, and of test against training items."""
    v, t = views.apply(*train)
    v2, t2 = views.apply(*test)
    return head.kernel(v, t, v, t), head.kernel(v2, t2, v, t)
