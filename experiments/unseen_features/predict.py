"""What the library says of samples of every population, interval and trust as people get them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from experiments.foreign_features import groups_of, heads_of, sample_of
from experiments.unseen_features.config import Config
from fusiontheory.checks import ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.moments import Moments
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict", "predicted"]

_COLUMNS = [
    *("population", "images", "sample", "groups", "head", "ridge", "n"),
    *("predicted", "low", "high", "trusted"),
]


def predict(config: Config, records: Records) -> Tables:
    """Return a row for each moment sample, with groups given or not, head, ridge and n."""
    code = code_version(predicted)
    shared = {name: getattr(config, name) for name in ("heads", "sizes", "ridge", "seed")}
    cells = [
        Cell(
            records.name,
            {"population": name, "images": images, "sample": sample, **shared},
            features=name,
            code=code,
        )
        for name in config.populations
        for images in config.images
        for sample in range(config.samples)
    ]
    found = records.computed(cells, predicted)
    found["ridge"] = found["kind"]
    return {"predictions.csv": found[_COLUMNS]}


def predicted(cell: Cell) -> list[dict[str, Any]]:
    """Return the rows of one sample, twice where it has copies: without and with groups."""
    given = cell.config
    sample = sample_of(given["seed"], given["population"], given["images"], given["sample"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        return [
            {"groups": groups is not None, "head": head, **row}
            for groups in groups_of(sample)
            for moments in [Moments.from_features(sample.image, sample.text, groups=groups)]
            for head in heads_of(given["heads"], given["population"])
            for row in _curves(head, moments, given["sizes"], given["ridge"])
        ]


def _curves(
    head: str, moments: Moments, sizes: tuple[int, ...], ridge: float
) -> Iterator[dict[str, Any]]:
    fixed, best = (predict_curve(head, moments, sizes, chosen) for chosen in (ridge, "best"))
    for kind, curve in (("0.1", fixed), ("best", best)):
        for point in curve.itertuples(index=False):
            yield {
                "kind": kind,
                "n": point.n,
                "predicted": point.accuracy,
                "low": point.accuracy_low,
                "high": point.accuracy_high,
                "trusted": bool(point.trusted),
            }
