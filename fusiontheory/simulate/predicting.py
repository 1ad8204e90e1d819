"""The predicted rows of a unit: floors and closed forms at every n and ridge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fusiontheory.simulate.best import best_of
from fusiontheory.simulate.predictions import Prediction, predict_head

if TYPE_CHECKING:
    from fusiontheory.simulate.units import Unit

__all__ = ["predict_unit"]


def predict_unit(unit: Unit) -> list[dict[str, Any]]:
    """Return one row per n, ridge and configuration of a unit without a seed."""
    rows = []
    for k, config in enumerate(unit.configs):
        floor = config.floor(unit.intercept)
        bounds = {
            "bayes": floor.bayes,
            "floor": {
                "additive": floor.additive,
                "bilinear": floor.bilinear,
                "sum": floor.both,
                "dot-product": floor.dot_product,
            }.get(unit.head, float("nan")),
        }
        for position, n, delta, prediction in _predictions(unit, k):
            rows.append(
                {
                    "config": k,
                    "n": n,
                    "ridge": delta,
                    "predicted_test": _at(prediction, "test", position),
                    "predicted_training": _at(prediction, "training", position),
                    "predicted_accuracy": _at(prediction, "accuracy", position),
                    "formula": prediction.formula if prediction else "none",
                    **bounds,
                }
            )
    return rows


def _predictions(unit: Unit, k: int) -> Iterator[tuple[int, int, float, Prediction | None]]:
    """Yield place in a prediction, n, ridge and prediction, at the best ridge or at each."""
    if unit.predict == "none":
        ridges = (float("nan"),) if unit.chosen else unit.ridges
        for delta in ridges:
            yield from ((position, n, delta, None) for position, n in enumerate(unit.n))
        return
    if not unit.chosen:
        for delta in unit.ridges:
            prediction = _predicted(unit, k, list(unit.n), delta, unit.predict == "sharp")
            yield from ((position, n, delta, prediction) for position, n in enumerate(unit.n))
        return
    for n, best in zip(unit.n, _best_ridges(unit, k), strict=True):
        prediction = _predicted(unit, k, [n], best, unit.predict == "sharp")
        # Without a formula all ridges are alike.
        yield 0, n, float("nan") if prediction.formula == "none" else best, prediction


def _best_ridges(unit: Unit, k: int) -> tuple[float, ...]:
    """Return the ridge of highest predicted accuracy, or least test error, at each n.

    Formulas for Gaussian features decide: the sharp ones take a second or so for each ridge.
    """
    table = [
        {
            "config": 0,
            "n": n,
            "ridge": delta,
            "accuracy": prediction.accuracy[position],
            "test": prediction.test[position],
        }
        for delta in unit.ridges
        for prediction in (_predicted(unit, k, list(unit.n), delta, sharp=False),)
        for position, n in enumerate(unit.n)
    ]
    return best_of(replace(unit, configs=unit.configs[k : k + 1]), table)[0]


def _predicted(unit: Unit, k: int, sizes: list[int], delta: float, sharp: bool) -> Prediction:
    config = unit.configs[k]
    return predict_head(config, unit.head, sizes, delta, unit.intercept, unit.rank, sharp=sharp)


def _at(prediction: Prediction | None, name: str, position: int) -> float:
    return float("nan") if prediction is None else float(getattr(prediction, name)[position])
