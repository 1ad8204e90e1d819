"""What the moments of each pilot foretell."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from experiments.extrapolation.config import Config
from experiments.extrapolation.pilots import Pilot, conditions
from fusiontheory.checks import ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.data import FeatureSet
from fusiontheory.moments import Moments
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict", "predicted_rows"]


def predict(config: Config, records: Records) -> Tables:
    """Return a row per condition, pilot, head, kind and n; a record for each pilot."""
    features = conditions(config)
    code = code_version(predicted_rows)
    cells = [
        Cell(records.name, case, features=features[case["condition"]].fingerprint, code=code)
        for case in config.cases
    ]

    def compute(cell: Cell) -> list[dict[str, Any]]:
        condition, n0, repeat = (cell.config[name] for name in ("condition", "n0", "pilot"))
        return predicted_rows(config, features[condition], n0, repeat)

    table = records.computed(cells, compute)
    return {"predictions.csv": table[["head", "kind", "n", "value", "error", *config.keys]]}


def predicted_rows(
    config: Config, features: FeatureSet, n0: int, repeat: int
) -> list[dict[str, Any]]:
    """Return rows (head, kind, n, value, error) of one pilot that nothing is trained for.

    ``kind`` is "moments" (predicted from all n0 images with their texts) or "matched" ("moments" of
    the images and texts of the n0/2 pairs of the first order that are labelled as matched).
    ``error`` is that of the prediction's interval.
    """
    pilot = Pilot.of(config, features, n0, repeat)
    matched = pilot.draws[0].image[pilot.draws[0].label > 0]
    with warnings.catch_warnings():
        # With fewer images than dimensions it warns; what that costs is what is measured here.
        warnings.simplefilter("ignore", ValidityWarning)
        whole = Moments.from_features(pilot.image, pilot.text)
        part = Moments.from_features(pilot.image[matched], pilot.text[matched])
    known = {"moments": whole, "matched": part}
    return [row for kind, moments in known.items() for row in _predicted(config, kind, moments, n0)]


def _predicted(config: Config, kind: str, moments: Moments, n0: int) -> list[dict[str, Any]]:
    sizes = [n0, *(factor * n0 for factor in config.factors)]
    rows = []
    for head in config.heads:
        curve = predict_curve(head, moments, sizes, config.ridge)
        half = (curve["accuracy_high"] - curve["accuracy_low"]) / (2 * 1.96)
        rows += [
            {"head": head, "kind": kind, "n": n, "value": value, "error": error}
            for n, value, error in zip(sizes, curve["accuracy"], half, strict=True)
        ]
    return rows
