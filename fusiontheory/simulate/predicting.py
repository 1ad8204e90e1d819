"""The predicted rows of a unit: floors and closed forms at every n and ridge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
        for delta in unit.ridges:
            found = None
            if unit.predict != "none":
                found = predict_head(
                    config,
                    unit.head,
                    list(unit.n),
                    delta,
                    unit.intercept,
                    unit.rank,
                    sharp=unit.predict == "sharp",
                )
            for position, n in enumerate(unit.n):
                rows.append(
                    {
                        "config": k,
                        "n": n,
                        "ridge": delta,
                        "predicted_test": _at(found, "test", position),
                        "predicted_training": _at(found, "training", position),
                        "predicted_accuracy": _at(found, "accuracy", position),
                        "formula": found.formula if found else "none",
                        **bounds,
                    }
                )
    return rows


def _at(found: Prediction | None, name: str, position: int) -> float:
    return float("nan") if found is None else float(getattr(found, name)[position])
