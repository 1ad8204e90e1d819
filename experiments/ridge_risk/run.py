"""Predict and measure the test error of both heads; store one row per point."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from experiments.ridge_risk.config import Config
from fusiontheory.deterministic_equivalent import ridge_risk
from fusiontheory.monte_carlo import FusionSetting, simulate_ridge_risk

CONTROL = "gaussian twin"
RESULTS = Path(__file__).with_name("results.csv")


def run(config: Config) -> pd.DataFrame:
    """Return a row (head, target, n, predicted, measured, standard_error, draws) per point.

    Rows of the control come last: the bilinear head on its own target, features made Gaussian.
    """
    cases: list[tuple[str, str, FusionSetting, int]] = [
        (head, target, config.setting(head, additive, bilinear), draws)
        for head, draws in config.draws
        for target, additive, bilinear in config.targets
    ]
    twin = config.gaussian_twin(config.setting("bilinear", 0.0, 1.0))
    cases.append((CONTROL, "bilinear", twin, dict(config.draws)["bilinear"]))

    rows: list[tuple[str, str, int, float, float, float, int]] = []
    for head, target, setting, draws in cases:
        predicted = ridge_risk(
            setting.eigenvalues,
            setting.target_power,
            config.n,
            setting.ridge,
            setting.effective_noise,
        )
        for n, prediction in zip(config.n, predicted, strict=True):
            # Every point has its own random numbers, so that errors are independent.
            measured = simulate_ridge_risk(setting, n, draws, seed=config.seed + len(rows))
            rows.append(
                (head, target, n, prediction, measured.mean, measured.standard_error, draws)
            )
    columns = ["head", "target", "n", "predicted", "measured", "standard_error", "draws"]
    return pd.DataFrame(rows, columns=columns)


def verdict(results: pd.DataFrame) -> str:
    """Return the bar held against the results, for both heads, each head, and the control."""
    gap = (results["predicted"] - results["measured"]).abs()
    relative = gap / results["measured"]
    outside = (gap > 4 * results["standard_error"]) & (relative > 0.06)
    lines = []
    for name in ["both heads", *results["head"].unique()]:
        rows = results["head"] != CONTROL if name == "both heads" else results["head"] == name
        lines.append(
            f"{name}: {int(rows.sum())} points, relative error mean {relative[rows].mean():.2%},"
            f" max {relative[rows].max():.2%}, {int(outside[rows].sum())} outside"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the study, store its results and print the verdict."""
    results = run(Config())
    results.to_csv(RESULTS, index=False, float_format="%.6g", lineterminator="\n")
    print(verdict(results))
