"""What the theory and a trial say of each population, from one and the same sample."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from experiments.foreign_features import groups_of, sample_of
from experiments.own_trials.config import Config
from fusiontheory.checks import ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.moments import Moments
from fusiontheory.store import Cell, code_version
from fusiontheory.trial import trial_curve

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["COLUMNS", "predict", "predicted"]

COLUMNS = [
    *("population", "images", "head", "ridge", "n", "trusted"),
    *("theory", "theory_low", "theory_high", "trial", "trial_low", "trial_high", "tried"),
    "seconds",
]


def predict(config: Config, records: Records) -> Tables:
    """Return a row for each population, number of images, head, ridge and n."""
    code = code_version(predicted)
    shared = {
        "sample": config.sample,
        "sizes": list(config.sizes),
        "ridge": config.ridge,
        "seed": config.seed,
    }
    cells = [
        Cell(
            records.name,
            {"population": name, "images": images, "head": head, **shared},
            features=name,
            code=code,
        )
        for images in config.images
        for name in config.populations
        for head in config.heads
    ]
    found = records.computed(cells, predicted)
    found["ridge"] = found["kind"]
    return {"predictions.csv": found[COLUMNS]}


def predicted(cell: Cell) -> list[dict[str, Any]]:
    """Return the rows of one sample and head; groups are those of near copies, if there are any."""
    given = cell.config
    sample = sample_of(given["seed"], given["population"], given["images"], given["sample"])
    groups = groups_of(sample)[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        moments = Moments.from_features(sample.image, sample.text, groups=groups)
        return [
            row
            for kind, ridge in (("0.1", given["ridge"]), ("best", "best"))
            for row in _both(given, moments, (sample.image, sample.text, groups), kind, ridge)
        ]


def _both(
    given: Mapping[str, Any],
    moments: Moments,
    features: tuple[Any, Any, Any],
    kind: str,
    ridge: Any,
) -> Iterator[dict[str, Any]]:
    theory = predict_curve(given["head"], moments, given["sizes"], ridge)
    image, text, groups = features
    start = time.perf_counter()
    tried = trial_curve(given["head"], image, text, given["sizes"], ridge, groups=groups)
    seconds = time.perf_counter() - start
    merged = pd.merge(theory, tried, on="n", suffixes=("_theory", "_trial"))
    for point in merged.itertuples(index=False):
        yield {
            "kind": kind,
            "n": point.n,
            "trusted": point.trusted,
            "theory": point.accuracy_theory,
            "theory_low": point.accuracy_low_theory,
            "theory_high": point.accuracy_high_theory,
            "trial": point.accuracy_trial,
            "trial_low": point.accuracy_low_trial,
            "trial_high": point.accuracy_high_trial,
            "tried": point.tried,
            "seconds": seconds,
        }
