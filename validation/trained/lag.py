"""How far the threshold of the published setting really had to move, read off the stored runs.

The formula of the lag (`validation.trained.predictors.optimiser`) takes the logits to be twice a
least-squares fit, which stops growing once the pairs are fitted. The logistic loss of a network
does not stop there. The same formula solved for the distance h of the threshold, with the measured
accuracies of the fixed setting (threshold right) and the published one, says what h was.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtri

from fusiontheory.curves import predict_curve
from fusiontheory.moments import Moments
from fusiontheory.training import TrainingSettings
from validation.trained.predictors import adam_ridge, half_distance, lagging

__all__ = ["implied_half", "lag_table"]

_HEAD = "bilinear"
_FARTHEST = 100.0


def lag_table(
    moments: Mapping[str, Moments],
    measured: pd.DataFrame,
    settings: TrainingSettings,
    training_images: int,
) -> pd.DataFrame:
    """Return a row per condition and n of the bilinear head's runs at the published setting.

    Args:
        moments: by condition, in Adam's metric.
        measured: setting, condition, head, n and accuracy, means over seeds.
        settings: of the training.
        training_images: that the pairs are drawn from.

    Returns:
        condition, n, moved (by which the intercept can have moved), half (where the threshold is
        predicted to be), implied (where it was by the measured accuracies; NaN where they show no
        lag) and logistic, 2 Phi^{-1}(accuracy)^2, where the logistic loss has its minimum.
    """
    means = measured[measured["head"] == _HEAD].set_index(["setting", "condition", "n"])["accuracy"]
    rows = []
    for condition, n in means.loc["published"].index:
        if condition not in moments or ("fixed", condition, n) not in means.index:
            continue
        known = (moments[condition], n, adam_ridge(n, settings))
        told = predict_curve(_HEAD, *known, training_images=training_images).iloc[0]
        half = half_distance(float(told["accuracy"]), float(told["risk"]))
        moved = settings.learning_rate * settings.updates_of(n)
        right, lagged = (float(means[name, condition, n]) for name in ("fixed", "published"))
        implied = implied_half(right, lagged, moved)
        rows.append((condition, n, moved, half, implied, 2 * float(ndtri(right)) ** 2))
    return pd.DataFrame(rows, columns=["condition", "n", "moved", "half", "implied", "logistic"])


def implied_half(right: float, lagged: float, moved: float) -> float:
    """Return the distance of the threshold at which an accuracy is lowered to another.

    Args:
        right: accuracy with the right threshold.
        lagged: accuracy with one that has moved too little.
        moved: how far it has moved.

    >>> round(implied_half(0.9, lagging(0.9, 2.0, 1.0), 1.0), 6)
    2.0
    """
    if not lagging(right, _FARTHEST * moved, moved) < lagged < right:
        return float("nan")
    found = brentq(lambda half: lagging(right, half, moved) - lagged, moved, _FARTHEST * moved)
    return float(found)
