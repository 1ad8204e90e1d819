"""Predict, then measure, then compare; predictions are stored before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from experiments.noise_degradation.config import HEADS, Config, condition_name
from experiments.noise_degradation.measure import cells, measure
from experiments.noise_degradation.predict import predict
from experiments.noise_degradation.summary import summary
from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from fusiontheory.store import RecordStore
from validation.conditions import condition_features
from validation.data import shipped_features
from validation.kernel import fingerprints

PREDICTED = Path(__file__).with_name("predicted.csv")
RESULTS = Path(__file__).with_name("results.csv")
# Heads and records of earlier runs, found again; not part of the repository.
CACHE = Path(__file__).parents[2] / ".cache"
STEPS = ("predict", "measure", "summary")


def main(arguments: Sequence[str] = ()) -> None:
    """Run the named steps, or all of them in order.

    Raises:
        InputError: for a step that there is not.
    """
    for step in arguments:
        if step not in STEPS:
            raise InputError(f"step must be one of {', '.join(STEPS)}, got {step!r}")
    steps = arguments or STEPS
    config = Config()
    if "predict" in steps or "measure" in steps:
        strengths = {condition_name(strength): strength for strength in config.strengths}
        conditions = condition_features(shipped_features(), strengths, CACHE / "heads")
    if "predict" in steps:
        _store(predict(config, conditions), PREDICTED)
    if "measure" in steps:
        _store(measured(config, conditions), RESULTS)
    if "summary" in steps:
        print(summary(pd.read_csv(PREDICTED), pd.read_csv(RESULTS)))


def measured(config: Config, conditions: Mapping[str, FeatureSet]) -> pd.DataFrame:
    """Measure what has no record yet and return all: a row per point, n and seed."""
    store = RecordStore(CACHE / "records")
    wanted = cells(config, fingerprints(conditions))
    for cell in store.missing(wanted):
        store.write(cell, measure(cell, config, conditions))
    keys = ["part", "condition", "side", "level", "n", "seed"]
    table = store.read("noise_degradation", wanted)[[*keys, *HEADS]]
    return table.sort_values(keys)


def _store(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
