"""Predict every judged pilot from its own arrays alone.

``python -m experiments.choice.predict FOLDER`` writes `predictions.csv` (curves) and `choices.csv`
(probabilities and other rules) before `summary` looks at a truth.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.choice.records import Record, pilot_curves, read_records
from fusiontheory.pilot import PilotCurve, choose, plain_power, score_metrics

HERE = Path(__file__).parent
SIZES = np.array([50.0, 100.0, 200.0, 400.0, 800.0])
TARGET = 800.0


def label(record: Record) -> tuple[str, str, str]:
    """Return task, family and kind of label of a record."""
    world = record["world"]
    if isinstance(world, str):
        return world, "digits", "classes"
    return record["name"], world.family, "classes" if world.classes else "numbers"


def curve_rows(curve: PilotCurve) -> pd.DataFrame:
    """Return the forecast of a head at each size, with the flat and the power-law forecast."""
    found = curve.forecast(SIZES)
    metrics = curve.score_law.at(found.risk)
    flat = curve.forecast([curve.items]).risk[0]
    if curve.within is None:
        power = np.full(SIZES.size, np.nan)
    else:
        power = plain_power(curve.within, SIZES / curve.items)
    return pd.DataFrame(
        {
            "head": curve.head,
            "n": SIZES,
            "risk": found.risk,
            "low": found.low,
            "high": found.high,
            "accuracy": metrics.get("accuracy", metrics.get("r2")),
            "flat": np.where(found.beyond, flat, found.risk),
            "power": np.where(found.beyond, power, found.risk),
        }
    )


def choice_rows(curves: list[PilotCurve]) -> pd.DataFrame:
    """Return P(best) and expected regret of each head at the target, and what other rules see."""
    choice = choose(curves, TARGET)
    table = choice.table[["head", "risk", "p_best", "expected_regret"]].copy()
    by_head = {c.head: c for c in curves}
    table["cv_risk"] = [float(by_head[h].item_risk.mean()) for h in table["head"]]
    table["cv_accuracy"] = [
        next(
            iter(
                score_metrics(
                    by_head[h].labels.targets - by_head[h].errors, by_head[h].labels
                ).values()
            )
        )
        for h in table["head"]
    ]
    table["power"] = [
        float(plain_power(w, TARGET / by_head[h].items)[0]) if (w := by_head[h].within) else np.nan
        for h in table["head"]
    ]
    table["verdict"] = choice.verdict
    return table


def validated(curve: PilotCurve) -> float:
    """Return the plain leave-one-out accuracy, or R^2."""
    metrics = score_metrics(curve.labels.targets - curve.errors, curve.labels)
    return metrics.get("accuracy", metrics.get("r2", float("nan")))


def main() -> None:
    """Write the two tables."""
    predictions: list[pd.DataFrame] = []
    choices: list[pd.DataFrame] = []
    for kind in ("jud", "real"):
        for record in read_records(Path(sys.argv[1]), kind):
            task, family, labels = label(record)
            for number, pilot in enumerate(record["pilots"]):
                curves = pilot_curves(pilot)
                for made, tables in (
                    (pd.concat([curve_rows(c) for c in curves]), predictions),
                    (choice_rows(curves), choices),
                ):
                    made["task"], made["family"], made["labels"] = task, family, labels
                    made["pilot"], made["n0"] = number, pilot["n0"]
                    tables.append(made)
    pd.concat(predictions).round(4).to_csv(HERE / "predictions.csv", index=False)
    pd.concat(choices).round(4).to_csv(HERE / "choices.csv", index=False)


if __name__ == "__main__":
    main()
