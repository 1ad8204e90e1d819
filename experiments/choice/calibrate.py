"""Make `fusiontheory/pilot/calibration.json` and `prior.csv` from the calibration worlds alone.

``python -m experiments.choice.calibrate FOLDER`` with the records of `collect`.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import nnls

import fusiontheory.pilot
from experiments.choice.collect import read_records
from experiments.choice.pilots import Record, pilot_curves
from experiments.side_tables import arguments
from fusiontheory.pilot import FEATURES, Prior, choose, forecast_features
from fusiontheory.store import check_kept
from fusiontheory.typing import Array

RATIOS = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
LEVELS = (0.5, 0.8, 0.9, 0.95)
PENALTY = 0.1
FOLDS = 8
SIZES = (50, 100, 200, 400, 800)
BANDWIDTHS = (0.4, 0.8, 1.2)
# Log score that may be given up for less regret.
LOG_SCORE = 0.05
TARGET = 800


def forecast_rows(records: list[Record]) -> pd.DataFrame:
    """Return one row for each pilot, head and size from the pilot's on: features and truth."""
    rows = []
    for record in records:
        sizes = sorted(record["truth"])
        for number, pilot in enumerate(record["pilots"]):
            ratios = np.array([n / pilot["n0"] for n in sizes if n >= pilot["n0"]])
            for curve in pilot_curves(pilot, late=False):
                if curve.within is None:
                    continue
                risk = float(curve.within.best(curve.items)[0][0])
                for ratio, x in zip(ratios, forecast_features(curve.within, ratios), strict=True):
                    truth = record["truth"][round(ratio * curve.items)][curve.head][0]
                    row = (record["name"], number, curve.head, ratio, truth, risk)
                    rows.append((*row, curve.standard_error, *x))
    names = ["world", "pilot", "head", "ratio", "truth", "risk", "error", *FEATURES]
    return pd.DataFrame(rows, columns=names)


def hats(ratio: Array, ratios: Array = RATIOS) -> Array:
    """Return the weights (rows, ratios) of linear interpolation between the log ratios."""
    knots, x = np.log(ratios), np.log(ratio)
    weights: Array = np.stack([np.interp(x, knots, row) for row in np.eye(len(knots))], axis=1)
    return weights


def fitted_gain(train: pd.DataFrame) -> Array:
    """Return weights (5, features) of the gain risk(n0) - risk(n); zero at ratio 1."""
    x, y = train[list(FEATURES)].to_numpy(), (train["risk"] - train["truth"]).to_numpy()
    scale = np.maximum(x.std(0), 1e-3)
    design = (hats(train["ratio"].to_numpy())[:, 1:, None] * (x / scale)[:, None]).reshape(
        len(x), -1
    )
    # The penalty is that of one ratio's rows, of which each knot has about a fifth.
    penalty = PENALTY * len(x) / len(RATIOS) * np.eye(design.shape[1])
    weights = np.linalg.solve(design.T @ design + penalty, design.T @ y)
    return np.vstack([np.zeros(len(scale)), weights.reshape(-1, len(scale)) / scale])


def predicted(weights: Array, rows: pd.DataFrame) -> Array:
    """Return the forecast risk of each row."""
    anchor = rows["risk"].to_numpy()
    gain = ((hats(rows["ratio"].to_numpy()) @ weights) * rows[list(FEATURES)].to_numpy()).sum(1)
    result: Array = anchor - np.clip(gain, 0, anchor)
    return result


def scale_parts(rows: pd.DataFrame, risk: Array) -> Array:
    """Return the terms (rows, 4) of `fusiontheory.pilot.beyond.error_scale`."""
    anchor = rows["risk"].to_numpy()
    rest = np.maximum(risk, 0) * np.maximum(1 - risk, 0)
    return np.column_stack([np.ones(len(risk)), rows["error"], anchor - risk, rest])


def fitted_scale(parts: Array, error: Array, weights: Array) -> Array:
    """Return c >= 0 (4,) so that squared errors are about ((c parts)^2).sum, weighted rows."""
    variance = np.full(len(error), float((error**2).mean()))
    for _ in range(4):
        w = np.sqrt(weights) / variance
        squares, _ = nnls(parts**2 * w[:, None], error**2 * w)
        variance = np.maximum(parts**2 @ squares, 1e-5)
    return np.sqrt(squares)


def calibrate_forecast(rows: pd.DataFrame) -> dict[str, Any]:
    """Return weights from all worlds, and scale and quantiles of errors on left-out worlds."""
    worlds = rows["world"].unique()
    risk = np.empty(len(rows))
    for fold in range(FOLDS):
        test = rows["world"].isin(worlds[fold::FOLDS]).to_numpy()
        risk[test] = predicted(fitted_gain(rows[~test]), rows[test])
    error, parts, near = (
        risk - rows["truth"].to_numpy(),
        scale_parts(rows, risk),
        hats(rows["ratio"].to_numpy()),
    )
    scales = np.stack([fitted_scale(parts, error, column) for column in near.T])
    deviation = np.sqrt((((near @ scales) * parts) ** 2).sum(1))
    standard = error / deviation
    quantiles: dict[str, list[list[float]]] = {}
    for level in LEVELS:
        ends = ((1 - level) / 2, (1 + level) / 2)
        quantiles[f"{level:g}"] = [
            [weighted_quantile(standard, column, q) for q in ends] for column in near.T
        ]
    return {
        "features": list(FEATURES),
        "ratios": RATIOS.tolist(),
        "weights": np.round(fitted_gain(rows), 5).tolist(),
        "deviations": np.round(scales, 5).tolist(),
        "quantiles": {k: np.round(v, 4).tolist() for k, v in quantiles.items()},
        "worlds": len(worlds),
        "rows": len(rows),
    }


def weighted_quantile(values: Array, weights: Array, q: float) -> float:
    """Return the quantile of values with weights."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, q * total[-1])])


def prior_table(records: list[Record]) -> pd.DataFrame:
    """Return the true risk of each head in each world at each size."""
    rows = [
        {"world": r["name"], "n": n, **{h: round(x[0], 4) for h, x in r["truth"][n].items()}}
        for r in records
        for n in SIZES
        if all(m in r["truth"] for m in SIZES)
    ]
    return pd.DataFrame(rows)


def error_products(records: list[Record], heads: tuple[str, ...]) -> Array:
    """Return mean products of two heads' errors beyond the pilot, over their deviations."""
    errors = []
    for record in records:
        for pilot in record["pilots"]:
            curves = {c.head: c for c in pilot_curves(pilot)}
            for n in (m for m in SIZES if m > pilot["n0"]):
                row = []
                for head in heads:
                    found = curves[head].forecast([n])
                    row.append((found.risk[0] - record["truth"][n][head][0]) / found.deviation[0])
                errors.append(row)
    seen = np.array(errors)
    products: Array = seen.T @ seen / len(seen)
    return products


def tune_choice(records: list[Record], table: pd.DataFrame) -> dict[str, Any]:
    """Return the bandwidth of least regret among those with about the best log score of P(best).

    Each world is left out of its own prior.
    """
    heads = tuple(c for c in table.columns if c not in ("world", "n"))
    risks = {w: g.sort_values("n")[list(heads)].to_numpy() for w, g in table.groupby("world")}
    products = error_products(records, heads)
    logs: dict[float, list[float]] = {b: [] for b in BANDWIDTHS}
    regrets: dict[float, list[float]] = {b: [] for b in BANDWIDTHS}
    for record in records[::2]:
        others = np.stack([r for w, r in risks.items() if w != record["name"]])
        accuracy = {h: x[1] for h, x in record["truth"][TARGET].items()}
        best = max(accuracy, key=lambda h: accuracy[h])
        for pilot in {p["n0"]: p for p in record["pilots"] if p["n0"] in (100, 300)}.values():
            curves = pilot_curves(pilot)
            for bandwidth in BANDWIDTHS:
                prior = Prior(heads, np.log(SIZES), others, bandwidth, products)
                choice = choose(curves, TARGET, prior=prior)
                p_best = choice.table.set_index("head")["p_best"]
                logs[bandwidth].append(-math.log(max(float(p_best[best]), 0.001)))
                regrets[bandwidth].append(accuracy[best] - accuracy[choice.recommended])
    scores = [(float(np.mean(regrets[b])), float(np.mean(logs[b])), b) for b in BANDWIDTHS]
    print(scores, flush=True)
    least = min(log for _, log, _ in scores)
    regret, log_score, bandwidth = min(s for s in scores if s[1] <= least + LOG_SCORE)
    return {
        "bandwidth": bandwidth,
        "errors": np.round(products, 4).tolist(),
        "log_score": round(log_score, 4),
        "regret": round(regret, 5),
    }


def main() -> None:
    """Read the records, calibrate, write into the package."""
    [given] = arguments(__doc__, {"folder": Path})
    records = list(read_records(given))
    folder = Path(fusiontheory.pilot.__file__).parent
    table = prior_table(records)
    # A folder of fewer worlds is not what the package was calibrated on.
    check_kept(folder, {"prior": table})
    stored = calibrate_forecast(forecast_rows(records))
    path = folder / "calibration.json"
    path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    table.to_csv(folder / "prior.csv", index=False)
    whole = [r for r in records if r["name"] in set(table["world"])]
    stored["choice"] = tune_choice(whole, table)
    path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
