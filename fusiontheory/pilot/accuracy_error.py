r"""Intervals of accuracy at any size.

The error of a forecast accuracy a has three sources: the risk, which the law of scores turns into
accuracy; the pilot's items, of which there are few; and the law itself. With a(R) the metric at
risk R, D the deviation of the risk's forecast and m the items,

.. math::
    s^2 = \left(c_1 \frac{a(R - D) - a(R + D)}{2}\right)^2 + c_2^2 \frac{a (1 - a)}{m}
        + (c_3 a (1 - a))^2.

The weights c and the quantiles of error / s are stored at a few ratios n/n0 from an eighth to 16
(`accuracy_error.json`, made by ``python -m experiments.choice.calibrate_accuracy``): each world of
the calibration was left out of the weights when its errors were standardised. Balanced accuracy has
weights and quantiles of its own, from worlds of unequal classes (``python -m
experiments.pilot_accuracy.unequal``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.pilot.accuracy import ScoreLaw, effective_items
from fusiontheory.pilot.beyond import Forecast
from fusiontheory.typing import Array

__all__ = ["error_parts", "metric_interval"]


@dataclass(frozen=True, eq=False)
class _Errors:
    """Stored weights and quantiles at a few ratios n/n0."""

    log_ratios: Array
    deviations: Array
    quantiles: dict[str, Array]


@cache
def _errors(metric: str) -> _Errors:
    """Read what ``accuracy_error.json`` has of a metric; of the AUC, what it has of accuracy."""
    text = files("fusiontheory.pilot").joinpath("accuracy_error.json").read_text(encoding="utf-8")
    held: dict[str, Any] = json.loads(text)
    stored = held.get(metric, held)
    return _Errors(
        np.log(stored["ratios"]),
        np.array(stored["deviations"]),
        {key: np.array(value) for key, value in stored["quantiles"].items()},
    )


@checked
def metric_interval(
    law: ScoreLaw, found: Forecast, metric: str, level: float = 0.9
) -> tuple[Array, Array]:
    """Return low and high ends (k,) of a metric at the sizes of a forecast.

    Of R^2, which is 1 - risk, the interval is that of the risk.

    Args:
        law: of the head.
        found: its forecast risk.
        metric: "accuracy", "balanced_accuracy", "auc" or "r2".
        level: 0.5, 0.8, 0.9 or 0.95: those that the calibration holds.

    Raises:
        InputError: for a metric that these labels do not have, or a level that is not stored.
    """
    stored = _errors(metric)
    key = f"{level:g}"
    if key not in stored.quantiles:
        raise InputError(f"level must be one of {', '.join(stored.quantiles)}, got {level!r}")
    if metric == "r2" and law.labels.codes is None:
        return 1 - found.high, 1 - found.low
    middle = law.at(found.risk)
    if metric not in middle:
        raise InputError(f"metric must be one of {', '.join(middle)}, got {metric!r}")
    parts = error_parts(law, found, metric)
    log_ratios = np.log(found.sizes / law.labels.items)
    weights, ends = (
        np.stack([np.interp(log_ratios, stored.log_ratios, column) for column in table.T], axis=1)
        for table in (stored.deviations, stored.quantiles[key])
    )
    scale = np.sqrt(((weights * parts) ** 2).sum(1))
    low, high = (middle[metric] - q * scale for q in (ends[:, 1], ends[:, 0]))
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


@checked
def error_parts(law: ScoreLaw, found: Forecast, metric: str) -> Array:
    """Return the three parts (k, 3) of the error's scale, before their weights."""
    worse, value, better = (
        law.at(np.maximum(found.risk + sign * found.deviation, 0.0))[metric] for sign in (1, 0, -1)
    )
    spread = value * (1 - value)
    sampling = np.sqrt(spread / effective_items(law.labels, metric))
    parts: Array = np.column_stack([np.abs(better - worse) / 2, sampling, spread])
    return parts
