"""Predict and measure the test error of both heads; store one row per point."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed

from experiments.correlated_risk.config import Config, Head
from fusiontheory.monte_carlo import simulate_ridge_risk
from fusiontheory.risk import CorrelatedProducts, FusionSetting, ridge_risk

RESULTS = Path(__file__).with_name("results.csv")
COLUMNS = ["head", "target", "rho", "n", "gaussian", "predicted", "measured", "standard_error"]


def run(config: Config, jobs: int = 2) -> pd.DataFrame:
    """Return a row per point: head, target, rho, n, two predictions, measured and its error.

    ``gaussian`` is `ridge_risk` on the exact spectrum, ``predicted`` `CorrelatedProducts` for the
    bilinear head, whose features are not Gaussian, and the same as ``gaussian`` for the other.
    """
    cases = [
        (head, target, rho, config.setting(head, rho, additive, bilinear), draws)
        for head, draws in config.draws
        for target, additive, bilinear in config.targets
        for rho in config.correlations
    ]
    # Every point has its own random numbers, so that errors are independent.
    tasks = [
        (*case, n, gaussian, predicted)
        for case in cases
        for n, gaussian, predicted in zip(config.n, *_predict(case[3], config.n), strict=True)
    ]
    rows = Parallel(n_jobs=jobs)(
        delayed(_point)(*task, seed=config.seed + index) for index, task in enumerate(tasks)
    )
    return pd.DataFrame(rows, columns=COLUMNS)


def _predict(setting: FusionSetting, n: tuple[int, ...]) -> tuple[list[float], list[float]]:
    gaussian = list(
        ridge_risk(
            setting.eigenvalues, setting.target_power, n, setting.ridge, setting.effective_noise
        )
    )
    if setting.head == "additive":
        return gaussian, gaussian
    products = CorrelatedProducts(setting.eigenvalues_v, setting.eigenvalues_t, setting.correlation)
    predicted = products.mean_risk(
        setting.bilinear_power, n, setting.ridge, setting.noise, setting.additive_power
    )
    return gaussian, list(predicted)


def _point(
    head: Head,
    target: str,
    rho: float,
    setting: FusionSetting,
    draws: int,
    n: int,
    gaussian: float,
    predicted: float,
    seed: int,
) -> tuple[str, str, float, int, float, float, float, float]:
    measured = simulate_ridge_risk(setting, n, draws, seed=seed)
    found = (measured.mean, measured.standard_error)
    return (head, target, rho, n, gaussian, predicted, *found)


def verdict(results: pd.DataFrame) -> str:
    """Return the bar held against the results: all, by head, and by correlation."""
    lines = []
    groups = [("all", results)]
    groups += [(str(name), rows) for name, rows in results.groupby("head", sort=False)]
    groups += [(f"rho = {name}", rows) for name, rows in results.groupby("rho", sort=False)]
    for formula in ("gaussian", "predicted"):
        for name, rows in groups:
            gap = rows[formula] - rows["measured"]
            relative = gap / rows["measured"]
            outside = (gap.abs() > 4 * rows["standard_error"]) & (relative.abs() > 0.06)
            lines.append(
                f"{formula}, {name}: {len(rows)} points, relative error mean"
                f" {relative.abs().mean():.2%}, signed {relative.mean():+.2%}, max"
                f" {relative.abs().max():.2%}, {int(outside.sum())} outside"
            )
    return "\n".join(lines)


def main() -> None:
    """Run the study, store its results and print the verdict."""
    results = run(Config())
    results.to_csv(RESULTS, index=False, float_format="%.6g", lineterminator="\n")
    print(verdict(results))
