"""Predict and measure the test error of both heads; store one row per point."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from experiments.ridge_risk.config import Config
from fusiontheory.monte_carlo import simulate_ridge_risk
from fusiontheory.risk import FusionSetting, product_ridge_risk, ridge_risk

CONTROL = "gaussian twin"
FORMULAS = ["predicted", "predicted_product"]
RESULTS = Path(__file__).with_name("results.csv")


def run(config: Config) -> pd.DataFrame:
    """Return a row per point: head, target, n, two predictions, measured, its error, draws.

    ``predicted`` is `ridge_risk`; ``predicted_product`` is `product_ridge_risk`, of the bilinear
    head only. Rows of the control come last: the bilinear head on its own target, features made
    Gaussian.
    """
    cases: list[tuple[str, str, FusionSetting, int]] = [
        (head, target, config.setting(head, additive, bilinear), draws)
        for head, draws in config.draws
        for target, additive, bilinear in config.targets
    ]
    twin = config.gaussian_twin(config.setting("bilinear", 0.0, 1.0))
    cases.append((CONTROL, "bilinear", twin, dict(config.draws)["bilinear"]))

    rows: list[tuple[str, str, int, float, float, float, float, int]] = []
    for head, target, setting, draws in cases:
        predictions = zip(
            config.n, _gaussian(setting, config.n), _product(setting, config.n), strict=True
        )
        for n, gaussian, product in predictions:
            # Every point has its own random numbers, so that errors are independent.
            measured = simulate_ridge_risk(setting, n, draws, seed=config.seed + len(rows))
            found = (measured.mean, measured.standard_error, draws)
            rows.append((head, target, n, gaussian, product, *found))
    columns = ["head", "target", "n", *FORMULAS, "measured", "standard_error", "draws"]
    return pd.DataFrame(rows, columns=columns)


def verdict(results: pd.DataFrame) -> str:
    """Return the bar held against the results, for both heads, each head, and the control."""
    lines = []
    for formula in FORMULAS:
        known = results.dropna(subset=[formula])
        gap = (known[formula] - known["measured"]).abs()
        relative = gap / known["measured"]
        signed = (known[formula] - known["measured"]) / known["measured"]
        outside = (gap > 4 * known["standard_error"]) & (relative > 0.06)
        names = list(known["head"].unique())
        for name in [*(["both heads"] if len(names) > 1 else []), *names]:
            rows = known["head"] != CONTROL if name == "both heads" else known["head"] == name
            lines.append(
                f"{formula}, {name}: {int(rows.sum())} points, relative error mean"
                f" {relative[rows].mean():.2%}, signed {signed[rows].mean():+.2%}, max"
                f" {relative[rows].max():.2%}, {int(outside[rows].sum())} outside"
            )
    return "\n".join(lines)


def _gaussian(setting: FusionSetting, n: tuple[int, ...]) -> list[float]:
    risk = ridge_risk(
        setting.eigenvalues, setting.target_power, n, setting.ridge, setting.effective_noise
    )
    return list(risk)


def _product(setting: FusionSetting, n: tuple[int, ...]) -> list[float]:
    if setting.head != "bilinear":
        return [float("nan")] * len(n)
    risk = product_ridge_risk(
        setting.eigenvalues_v,
        setting.eigenvalues_t,
        setting.bilinear_power,
        n,
        setting.ridge,
        setting.noise,
        additive_power=setting.additive_power,
    )
    return list(risk)


def main() -> None:
    """Run the study, store its results and print the verdict."""
    results = run(Config())
    results.to_csv(RESULTS, index=False, float_format="%.6g", lineterminator="\n")
    print(verdict(results))
