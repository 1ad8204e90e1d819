"""Make `fusiontheory/pilot/accuracy_error.json` from the calibration worlds that have classes.

``python -m experiments.choice.calibrate_accuracy FOLDER`` with the records of `collect`; run
`calibrate` first, as intervals of accuracy rest on the forecasts of the risk.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import nnls

import fusiontheory.pilot
from experiments.choice.calibrate import FOLDS, LEVELS, hats, weighted_quantile
from experiments.choice.collect import CALIBRATION, read_records
from experiments.choice.pilots import Record, pilot_curves
from experiments.side_tables import arguments
from fusiontheory.pilot import error_parts
from fusiontheory.typing import Array

RATIOS = np.array([1 / 8, 1 / 2, 1.0, 2.0, 4.0, 8.0, 16.0])
PARTS = ("moved", "sampling", "law")


def accuracy_rows(records: Iterable[Record]) -> pd.DataFrame:
    """Return one row for each pilot, head and size: the accuracy's error and parts of its scale.

    ``noise`` is the variance that the items have that judged the truth.
    """
    rows = []
    for record in records:
        if record["world"].classes == 0:
            continue
        sizes = sorted(record["truth"])
        for number, pilot in enumerate(record["pilots"]):
            for curve in pilot_curves(pilot):
                law, found = curve.score_law, curve.forecast(sizes)
                said = law.at(found.risk)["accuracy"]
                for n, value, parts in zip(
                    sizes, said, error_parts(law, found, "accuracy"), strict=True
                ):
                    truth = record["truth"][n][curve.head][1]
                    noise = max(truth * (1 - truth), 0.01) / CALIBRATION.test
                    row = (record["name"], number, curve.head, n / curve.items, value - truth)
                    rows.append((*row, noise, *parts))
    names = ["world", "pilot", "head", "ratio", "error", "noise", *PARTS]
    return pd.DataFrame(rows, columns=names)


def fitted_deviations(rows: pd.DataFrame) -> Array:
    """Return c >= 0 (ratios, 3) so that squared errors, less the noise, are ((c parts)^2).sum()."""
    parts, error, noise = (rows[c].to_numpy() for c in (list(PARTS), "error", "noise"))
    result = []
    for near in hats(rows["ratio"].to_numpy(), RATIOS).T:
        variance = np.full(len(error), float((error**2).mean()))
        for _ in range(5):
            weight = np.sqrt(near) / variance
            squares, _ = nnls(parts**2 * weight[:, None], (error**2 - noise) * weight)
            variance = np.maximum(parts**2 @ squares + noise, 1e-5)
        result.append(np.sqrt(squares))
    return np.stack(result)


def standard_errors(rows: pd.DataFrame, deviations: Array) -> Array:
    """Return error over scale, to which the noise of the truth is added."""
    weights = hats(rows["ratio"].to_numpy(), RATIOS) @ deviations
    squares = ((weights * rows[list(PARTS)].to_numpy()) ** 2).sum(1)
    result: Array = rows["error"].to_numpy() / np.sqrt(squares + rows["noise"].to_numpy())
    return result


def calibrate_accuracy(rows: pd.DataFrame) -> dict[str, Any]:
    """Return deviations from all worlds, and quantiles of errors on worlds left out of them."""
    worlds = rows["world"].unique()
    standard = np.empty(len(rows))
    for fold in range(FOLDS):
        test = rows["world"].isin(worlds[fold::FOLDS]).to_numpy()
        standard[test] = standard_errors(rows[test], fitted_deviations(rows[~test]))
    near = hats(rows["ratio"].to_numpy(), RATIOS)
    quantiles = {
        f"{level:g}": [
            [weighted_quantile(standard, column, q) for q in ((1 - level) / 2, (1 + level) / 2)]
            for column in near.T
        ]
        for level in LEVELS
    }
    return {
        "ratios": RATIOS.tolist(),
        "parts": list(PARTS),
        "deviations": np.round(fitted_deviations(rows), 5).tolist(),
        "quantiles": {k: np.round(v, 4).tolist() for k, v in quantiles.items()},
        "worlds": len(worlds),
        "rows": len(rows),
    }


def main() -> None:
    """Read the records, calibrate, write into the package."""
    [folder] = arguments(__doc__, {"folder": Path})
    stored = calibrate_accuracy(accuracy_rows(read_records(folder)))
    path = Path(fusiontheory.pilot.__file__).with_name("accuracy_error.json")
    path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
