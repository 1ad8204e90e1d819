"""What is predicted from samples of every population, with intervals as the theory gives them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.foreign_features.config import SAMPLE, Config, heads_of, population_seed
from fusiontheory.checks import ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.moments import Moments, diagnose
from fusiontheory.store import Cell, code_version
from fusiontheory.synthetic import ForeignSample, find_population
from fusiontheory.typing import Integers

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["groups_of", "predict", "predicted", "sample_of", "samples"]

_SAMPLES = 1
# Share of near copies from which a person is asked for groups.
_COPIES = 0.01
_COLUMNS = ["groups", "head", "ridge", "n", "delta", "predicted", "low", "high"]


def predict(config: Config, records: Records) -> Tables:
    """Return a row for each moment sample, with groups given or not, head, ridge and n."""
    code = code_version(predicted)
    cells = [
        Cell(
            records.name,
            {
                **place,
                "sizes": config.sizes,
                "ridge": config.ridge,
                "heads": config.heads,
                "seed": config.seed,
            },
            features=place["population"],
            code=code,
        )
        for place in samples(config)
    ]
    found = records.computed(cells, predicted)
    found["ridge"] = found["kind"]
    return {"predictions.csv": found[[*SAMPLE, *_COLUMNS]]}


def samples(config: Config) -> Iterator[dict[str, Any]]:
    """Yield population, number of images and number of every moment sample."""
    for name in config.populations:
        for images in config.images:
            for number in range(config.samples):
                yield {"population": name, "images": images, "sample": number}


def sample_of(seed: int, population: str, images: int, sample: int) -> ForeignSample:
    """Return a moment sample; the first ones stay if there are more."""
    own = population_seed(seed, population, _SAMPLES + images)
    key = (*own.spawn_key, sample)
    rng = np.random.default_rng(np.random.SeedSequence(own.entropy, spawn_key=key))
    return find_population(population).draw(images, rng)


def groups_of(sample: ForeignSample) -> list[Integers | None]:
    """Return the groups to predict with: none, and those of near copies where there are some."""
    found = diagnose(sample.image, sample.text)
    return [None, *([found.groups] if found.values["near_duplicates"] > _COPIES else [])]


def predicted(cell: Cell) -> list[dict[str, Any]]:
    """Return the predictions of one sample, twice where it has copies: without and with groups."""
    given = cell.config
    sample = sample_of(given["seed"], *(given[name] for name in SAMPLE))
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        for groups in groups_of(sample):
            moments = Moments.from_features(sample.image, sample.text, groups=groups)
            # Without a diagnosis intervals are the theory's own, as the calibration needs them.
            moments = replace(moments, source=None)
            for head in heads_of(given["heads"], given["population"]):
                rows += [
                    {"groups": groups is not None, "head": head, **row}
                    for row in curves(head, moments, given["sizes"], given["ridge"])
                ]
    return rows


def curves(
    head: str, moments: Moments, sizes: tuple[int, ...], ridge: float
) -> Iterator[dict[str, Any]]:
    """Yield a row for the fixed and the best ridge at each n."""
    fixed = predict_curve(head, moments, sizes, ridge).assign(ridge=ridge)
    for kind, curve in ("0.1", fixed), ("best", predict_curve(head, moments, sizes, "best")):
        for point in curve.itertuples(index=False):
            yield {
                "kind": kind,
                "n": point.n,
                "delta": point.ridge,
                "predicted": point.accuracy,
                "low": point.accuracy_low,
                "high": point.accuracy_high,
            }
