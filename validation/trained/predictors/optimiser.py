r"""The settings that stop early: kernel ridge regression in Adam's metric, and the intercept's lag.

*Metric.* Adam divides the gradient of each parameter by its root mean square. Where the parameter
multiplies an input x_j, that is sigma_j times what comes from above, sigma_j^2 = E x_j^2: what is
learned in a step is sum_j x_j x'_j / sigma_j in place of x . x'. A head linear in v (x) t learns
with the product kernel of v_i / sqrt(sigma_i) and t_j / sqrt(tau_j). Of the kernel of an MLP on
[v; t] the part of the first layer is x . x' in this metric times a function of x . x' in the plain
one, so that of the two factors of its product part one is in either: features over sigma^{1/4}.

*Ridge* of a head linear in its parameters. Near f = 0 the logistic loss is least squares to 2y
with a curvature of 1/4. A batch of B pairs has gradients of root mean square
sigma_i tau_j / (2 sqrt B), so U updates at rate eta are gradient flow, in that metric, of time
2 sqrt(B) eta U, which is ridge

    4 n / (2 sqrt(B) eta U) = 2 n / (sqrt(B) eta U)

up to a factor of at most 1.3 (docs/orders.md, early stopping). U is what the settings allow.

*Lag* of the published setting. The logits are 2 f, f the ridge regression above. With the right
intercept f has class means -m and m; without it the logits have 0 and 4 m, and the threshold
should be h = 2 m, but the intercept has moved by at most eta U. So with c = min(eta U, h) and
z = Phi^{-1}(accuracy) at the right threshold,

    accuracy = (Phi(z (2 h - c) / h) + Phi(z c / h)) / 2.

An MLP moves its threshold with all of its biases: no lag.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from fusiontheory.curves import predict_curve
from fusiontheory.data import FeatureSet
from fusiontheory.moments import Moments
from fusiontheory.training import TrainingSettings
from fusiontheory.typing import Integers
from validation.trained.predictors.table import PLACE, as_table, prediction, records

__all__ = [
    "POWERS",
    "adam_moments",
    "adam_ridge",
    "half_distance",
    "lagging",
    "optimiser_predictions",
]

POWERS = {"bilinear": 0.5, "concat-mlp": 0.25}
"""Heads that this says something of, and the power of sigma that features are divided by."""

# Coordinates that never vary, as of padded features, stay as they are.
_LEAST = 1e-6


def adam_moments(features: FeatureSet, rows: Integers, power: float) -> Moments:
    """Return the moments of features over sigma^power, sigma the root mean square of a coordinate.

    Of power 1/4 they are brought back to a mean squared length of 1, which a kernel that is not
    homogeneous needs.
    """
    sides = []
    for side in (features.image[rows], features.text[rows]):
        x = np.asarray(side, dtype=np.float64)
        rms = np.sqrt((x.reshape(-1, x.shape[-1]) ** 2).mean(axis=0))
        x = x / np.where(rms > _LEAST, rms, 1.0) ** power
        length = 1.0 if power == 0.5 else float(np.sqrt((x**2).sum(axis=-1).mean()))
        sides.append(x / length)
    return Moments.from_features(*sides)


def adam_ridge(n: int, settings: TrainingSettings) -> float:
    """Return the ridge of stopping after all allowed updates, for a head linear in v (x) t.

    Example:
        >>> round(adam_ridge(2048, TrainingSettings()))  # 2 x 2048 / (16 x 1e-3 x 240)
        1067
    """
    time = float(settings.batch_size) ** 0.5 * settings.learning_rate * settings.updates_of(n)
    return float(2 * n / time)


def lagging(accuracy: float, half: float, moved: float) -> float:
    """Return the accuracy with a threshold that has moved too little.

    Args:
        accuracy: with the right threshold.
        half: where that threshold is, in units of logits.
        moved: how far the intercept can have moved.

    Example:
        >>> lagging(0.9, 0.5, 1.0), round(lagging(0.9, 1.0, 0.0), 3)
        (0.9, 0.747)
    """
    if half <= moved:
        return accuracy
    z, share = float(ndtri(accuracy)), moved / half
    return float((ndtr(z * (2 - share)) + ndtr(z * share)) / 2)


def half_distance(accuracy: float, risk: float) -> float:
    """Return where the threshold of the logits 2 f is, from accuracy and risk of f.

    Of f with the right intercept, class means are -m and m with one standard deviation s: accuracy
    = Phi(m / s), risk = (1 - m)^2 + s^2, of which the smaller root is that of a shrunken f. Without
    the intercept the logits' means are 0 and 4 m.

    >>> round(half_distance(float(ndtr(2.0)), 0.5**2 + 0.25**2), 3)  # m = 1/2, s = 1/4
    1.0
    """
    z = float(ndtri(accuracy))
    lead = 1 + 1 / z**2
    left = max(1 - lead * (1 - risk), 0.0)
    return 2 * (1 - float(np.sqrt(left))) / lead


def optimiser_predictions(
    places: pd.DataFrame,
    features: Mapping[str, FeatureSet],
    rows: Mapping[str, Integers],
    settings: TrainingSettings,
    training_images: int,
    setting: str,
) -> pd.DataFrame:
    """Return what Adam's metric, its ridge and the lag say of each cell without noise.

    Args:
        places: one row per cell, columns `PLACE`.
        features: by condition.
        rows: of the images that predictions may know, by condition.
        settings: of the training.
        training_images: that the training pairs are drawn from.
        setting: "fixed", or "published", whose intercept lags.
    """
    told = []
    for _, part in places.groupby(["condition", "head"], sort=False):
        condition, head = str(part["condition"].iloc[0]), str(part["head"].iloc[0])
        if head not in POWERS:
            continue
        seen = adam_moments(features[condition], rows[condition], POWERS[head])
        for place in records(part[PLACE]):
            n = int(place["n"])
            linear = head == "bilinear"
            ridge: float | Literal["best"] = adam_ridge(n, settings) if linear else "best"
            row = predict_curve(head, seen, n, ridge, training_images=training_images).iloc[0]
            accuracy, by = float(row["accuracy"]), "Adam's metric"
            if linear and setting == "published":
                half = half_distance(accuracy, float(row["risk"]))
                moved = settings.learning_rate * settings.updates_of(n)
                accuracy, by = lagging(accuracy, half, moved), by + ", lagging intercept"
            told.append(prediction(place, "optimiser", by, predicted=accuracy))
    return as_table(told)
