"""Predict and measure the excess risk across n = p, without ridge and with it."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.interpolation_peak.config import Config, Head
from fusiontheory.checks import ValidityWarning
from fusiontheory.risk import least_squares_risk, product_ridge_risk, ridge_risk
from fusiontheory.simulate import SimulationGrid, simulate

HERE = Path(__file__).parent
RESULTS = HERE / "results.csv"
CACHE = HERE.parents[1] / ".cache" / "experiments" / "interpolation_peak"
FORMULAS = ["exact", "gaussian", "sharp"]


def predict(config: Config, head: Head, sizes: list[int]) -> pd.DataFrame:
    """Return a row per ridge and n with the excess risk that each formula predicts.

    ``exact`` is `least_squares_risk`, without ridge only and exact for Gaussian features;
    ``gaussian`` is `ridge_risk`; ``sharp`` is `product_ridge_risk`, of the bilinear head only.
    """
    d, p = config.d, config.features(head)
    values, power = np.full(p, config.trace(head) / p), np.full(p, 1 / p)
    tables = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)  # infinite at the peak, and so recorded
        for ratio in config.ridges:
            ridge = ratio * config.trace(head)
            nan = np.full(len(sizes), np.nan)
            exact = least_squares_risk(p, sizes, config.noise, 1.0) if ridge == 0 else nan
            sharp = nan
            if head == "bilinear":
                flat = np.full(d, 1 / d)
                sharp = product_ridge_risk(
                    flat, flat, power.reshape(d, d), sizes, ridge, config.noise
                )
                sharp = sharp - config.noise
            gaussian = ridge_risk(values, power, sizes, ridge, config.noise) - config.noise
            tables.append(
                pd.DataFrame(
                    {
                        "head": head,
                        "ridge_over_trace": ratio,
                        "n": sizes,
                        "exact": exact,
                        "gaussian": gaussian,
                        "sharp": sharp,
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def measure(config: Config, head: Head, draws: int, seed: int) -> pd.DataFrame:
    """Run the head; return mean, standard error and median of the excess risk over draws.

    A draw's excess is the mean over the targets, which share its training set.
    """
    trace = config.trace(head)
    grid = SimulationGrid(
        configs=config.configurations(head),
        heads=(head,),
        n=config.sizes(head),
        seeds=tuple(range(seed, seed + draws)),
        ridges=tuple(ratio * trace for ratio in config.ridges),
        intercept=False,
        predict="none",
        study="interpolation-peak",
    )
    table = simulate(grid, CACHE / head)
    table["excess"] = table["test"] - config.noise
    draw = table.groupby(["ridge", "n", "seed"], as_index=False)["excess"].mean()
    found = draw.groupby(["ridge", "n"])["excess"].agg(
        measured="mean",
        standard_error=lambda x: x.std() / np.sqrt(len(x)),
        median="median",
        draws="size",
    )
    names = {ratio * trace: ratio for ratio in config.ridges}
    found = found.reset_index()
    found["ridge_over_trace"] = found.pop("ridge").map(names)
    found["head"] = head
    return pd.DataFrame(found)


def run(config: Config) -> pd.DataFrame:
    """Return a row per head, ridge and n: predictions, measured mean, its error, and median."""
    tables = []
    for index, (head, draws) in enumerate(config.draws):
        predicted = predict(config, head, list(config.sizes(head)))
        measured = measure(config, head, draws, config.seed + 1000 * index)
        key = ["head", "ridge_over_trace", "n"]
        tables.append(predicted.merge(measured, on=key, how="left", validate="one_to_one"))
    table = pd.concat(tables, ignore_index=True)
    table.insert(3, "n_over_p", table["n"] / table["head"].map(dict(_features(config))))
    return table


def _features(config: Config) -> list[tuple[Head, int]]:
    return [(head, config.features(head)) for head, _ in config.draws]


def curves(config: Config) -> pd.DataFrame:
    """Return predictions on a fine grid of n, for the lines of the figure."""
    ratios = np.unique(np.concatenate([np.geomspace(0.25, 8, 61), np.linspace(0.85, 1.15, 31)]))
    tables = []
    for head, p in _features(config):
        sizes = sorted({round(ratio * p) for ratio in ratios} - {p})
        tables.append(predict(config, head, sizes).assign(features=p))
    return pd.concat(tables, ignore_index=True)


def summary(table: pd.DataFrame) -> str:
    """Return errors by formula, head and ridge, at the peak and away from it, and peak heights."""
    lines = []
    near = (table["n_over_p"] - 1).abs() <= 0.13
    for formula in FORMULAS:
        for (head, ridge), rows in table.groupby(["head", "ridge_over_trace"], sort=False):
            for name, chosen in (("near n = p", near), ("elsewhere", ~near)):
                part = rows[chosen[rows.index] & np.isfinite(rows[formula])]
                if not len(part):
                    continue
                gap = part[formula] - part["measured"]
                error = gap / part["measured"]
                outside = (gap.abs() > 4 * part["standard_error"]) & (error.abs() > 0.06)
                lines.append(
                    f"{formula}, {head}, ridge {ridge:g} tr, {name}: {len(part)} points, error mean"
                    f" {error.abs().mean():.1%}, signed {error.mean():+.1%},"
                    f" max {error.abs().max():.1%}, {int(outside.sum())} outside"
                )
    shown = table[near | (table["n_over_p"] == 8)]
    lines.append(shown.drop(columns=["draws"]).round(4).to_string(index=False, float_format="%.4g"))
    return "\n".join(lines)


def main() -> None:
    """Predict, or run and store (the default), or print the summary of what is stored."""
    what = sys.argv[1] if len(sys.argv) > 1 else "run"
    config = Config()
    if what == "predict":
        for head, _ in config.draws:
            table = predict(config, head, list(config.sizes(head)))
            print(table.round(4).to_string(index=False))
        return
    if what == "run":
        tables = {RESULTS: run(config), HERE / "curves.csv": curves(config)}
        for path, table in tables.items():
            table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
    print(summary(pd.read_csv(RESULTS)))
