"""Predict, measure, take apart: the steps of the study and its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from experiments.surrogates.config import STRENGTHS, Config
from experiments.surrogates.law import CaptionLaw
from experiments.surrogates.measure import cells, measure
from experiments.surrogates.predict import predict
from experiments.surrogates.summary import summary
from experiments.surrogates.worlds import Worlds
from fusiontheory.checks import InputError
from fusiontheory.store import RecordStore
from validation.conditions import condition_features
from validation.data import shipped_features

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
        worlds = _worlds(config)
    if "predict" in steps:
        _store(predict(config, worlds), PREDICTED)
    if "measure" in steps:
        _store(measured(config, worlds), RESULTS)
    if "summary" in steps:
        print(summary(pd.read_csv(PREDICTED), pd.read_csv(RESULTS)))


def _worlds(config: Config) -> dict[str, Worlds]:
    conditions = condition_features(shipped_features(), STRENGTHS, CACHE / "heads")
    found = {}
    for name, features in conditions.items():
        # Of the same images as `condition_moments`.
        splits = ("align", "train") if STRENGTHS[name] == 0 else ("train",)
        rows = features.rows(*splits)
        law = CaptionLaw.of_features(features.image[rows], features.text[rows])
        found[name] = Worlds(config, features, law)
    return found


def measured(config: Config, worlds: Mapping[str, Worlds]) -> pd.DataFrame:
    """Measure what has no record yet and return all: a row per world, seed, head and n."""
    store = RecordStore(CACHE / "records")
    wanted = cells(config, {name: world.features.fingerprint for name, world in worlds.items()})
    for cell in store.missing(wanted):
        store.write(cell, measure(cell, worlds))
    keys = ["world", "condition", "head", "n", "seed"]
    table = store.read("surrogates", wanted)[[*keys, "accuracy", "risk"]]
    return table.sort_values(keys)


def _store(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
