"""The measured rows of a unit: a head fitted at every n and ridge, and what it gets right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fusiontheory.constraints import checked
from fusiontheory.simulate.fits import HeadFit, fit_head
from fusiontheory.synthetic import population_risk
from fusiontheory.typing import Array

if TYPE_CHECKING:
    from fusiontheory.simulate.units import Unit

__all__ = ["measure_unit"]


@checked
def measure_unit(unit: Unit, streams: tuple[int, int] = (0, 1)) -> list[dict[str, Any]]:
    """Return one row per n, ridge and configuration of a unit with a seed.

    Args:
        unit: with a seed.
        streams: second numbers of the seeds of training and of test rows.
    """
    assert unit.seed is not None
    first = unit.configs[0]
    draw = first.unlabelled(max(unit.n), [unit.seed, streams[0]])
    labels = np.stack([config.labels(draw) for config in unit.configs], axis=1)
    test, test_labels = None, None
    classified = any(config.target.task == "classification" for config in unit.configs)
    if classified or unit.head in ("concat-mlp", "concat-mlp-aligned"):
        rows = first.unlabelled(unit.test_rows, [unit.seed, streams[1]])
        test = rows.v, rows.t
        test_labels = np.stack([config.labels(rows) for config in unit.configs], axis=1)
    return [
        row
        for sizes, ridges in _places(unit)
        for fit in fit_head(
            *(unit.head, draw.v, draw.t, labels, sizes, ridges),
            unit.intercept,
            unit.rank,
            test,
        )
        for row in _scored(unit, fit, test, test_labels)
        if _wanted(unit, row)
    ]


def _places(unit: Unit) -> list[tuple[list[int], list[float]]]:
    """Return sizes with their ridges: each size has its own where they are the best ones."""
    if not unit.best:
        return [(list(unit.n), list(unit.ridges))]
    return [
        ([n], sorted(set(own))) for n, own in zip(unit.n, zip(*unit.best, strict=True), strict=True)
    ]


def _wanted(unit: Unit, row: dict[str, Any]) -> bool:
    """Whether the ridge of a row is the configuration's own at its n."""
    return not unit.best or row["ridge"] == unit.best[row["config"]][unit.n.index(row["n"])]


def _scored(
    unit: Unit, fit: HeadFit, test: tuple[Array, Array] | None, test_labels: Array | None
) -> list[dict[str, Any]]:
    outputs = fit.outputs
    if outputs is None and fit.predictor is not None and test is not None:
        outputs = fit.predictor(*test)
    risks = _exact_risks(unit, fit)
    rows = []
    for k, config in enumerate(unit.configs):
        accuracy, risk, exact = float("nan"), float(risks[k]), True
        if outputs is not None and test_labels is not None:
            y, f = test_labels[:, k], outputs[:, k]
            if np.isnan(risk):
                risk, exact = float(np.mean((y - f) ** 2)), False
            if config.target.task == "classification":
                # An output of 0 counts half.
                accuracy = float(np.mean((np.sign(f) * y + 1) / 2))
        rows.append(
            {
                "config": k,
                "n": fit.n,
                "ridge": fit.ridge,
                "test": risk,
                "training": float(fit.training[k]),
                "accuracy": accuracy,
                "exact": exact,
            }
        )
    return rows


def _exact_risks(unit: Unit, fit: HeadFit) -> Array:
    """Return the population risks, NaN where there is no closed form."""
    labels = [config.label for config in unit.configs]
    known = [label for label in labels if label is not None]
    if fit.predictor is None or not known:
        return np.full(len(labels), np.nan)
    features = unit.configs[0].features
    if len(known) == len(labels):
        return population_risk(features, known, fit.predictor)
    return np.array(
        [
            np.nan
            if label is None
            else population_risk(features, label, fit.predictor.column(k))[0]
            for k, label in enumerate(labels)
        ]
    )
