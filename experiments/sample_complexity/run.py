"""Predict at which n each head reaches a level of excess risk, measure it, and fit exponents."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from experiments.sample_complexity.config import Case, Config, Head
from fusiontheory.risk import effective_ridge, optimal_ridge, product_ridge_risk
from fusiontheory.simulate import SimulationGrid, simulate
from fusiontheory.synthetic import SyntheticConfig

_Array: TypeAlias = NDArray[np.float64]

HERE = Path(__file__).parent
RESULTS = HERE / "results.csv"
CURVES = HERE / "curves.csv"
EXPONENTS = HERE / "exponents.csv"
CACHE = HERE.parents[1] / ".cache" / "experiments" / "sample_complexity"
POINT = ["case", "head", "level", "d"]
QUANTITIES = ["measured", "predicted", "gaussian", "effective_dimension", "count"]


@dataclass(frozen=True, eq=False)
class Point:
    """One head at one dimension: what is predicted, and what is to be run.

    Attributes:
        case, head, level, d: which one; the level is the excess risk over the target's power.
        draws: training sets.
        seed: of the first of them.
        configurations: features with each target.
        ridge: the best one at ``gaussian`` (`optimal_ridge`), used at every n.
        gaussian: n at which `ridge_risk` reaches the level with the best ridge.
        predicted: n at which `product_ridge_risk` does with that ridge; ``gaussian`` for the
            additive head, whose features are Gaussian.
        effective_dimension: sum lambda_i / (lambda_i + kappa) at n = ``gaussian``.
        sizes: n that are run.
    """

    case: str
    head: Head
    level: float
    d: int
    draws: int
    seed: int
    configurations: tuple[SyntheticConfig, ...]
    ridge: float
    gaussian: float
    predicted: float
    effective_dimension: float
    sizes: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of parameters, d_v + d_t or d_v d_t."""
        return 2 * self.d if self.head == "additive" else self.d**2


def points(config: Config) -> list[Point]:
    """Return every point that can be run, with its predictions."""
    found: list[Point] = []
    for case in config.cases:
        for head in config.heads:
            for level, most in config.levels:
                for d, additive, bilinear in config.draws:
                    draws = additive if head == "additive" else bilinear
                    # Draws of different points are independent.
                    seed = config.seed + 1000 * len(found)
                    point = _predict(config, case, head, level, d, draws, seed)
                    kept = tuple(n for n in point.sizes if n <= most)
                    # At least one n has to lie beyond the level.
                    if kept and kept[-1] >= 1.09 * point.predicted:
                        found.append(
                            Point(**{**point.__dict__, "sizes": kept}),
                        )
    return found


def _predict(
    config: Config, case: Case, head: Head, level: float, d: int, draws: int, seed: int
) -> Point:
    configurations = config.configurations(case, head, d)
    pairs = configurations[0].pairs
    values_v, values_t = np.diagonal(pairs.model().covariance_v), pairs.model().covariance_t
    values_t = np.diagonal(values_t)
    coefficients = [one.coefficients for one in configurations]
    if head == "additive":
        values = np.concatenate([values_v, values_t])
        power = np.mean([one.additive**2 for one in coefficients], axis=0)
    else:
        values = np.outer(values_v, values_t)
        power = np.mean([one.bilinear**2 for one in coefficients], axis=0)
    wanted = config.noise + level
    gaussian = _reaches(lambda n: float(optimal_ridge(values, power, n, config.noise).risk), wanted)
    ridge = float(optimal_ridge(values, power, gaussian, config.noise).ridge)
    predicted = gaussian
    if head == "bilinear":
        predicted = _reaches(
            lambda n: product_ridge_risk(values_v, values_t, power, n, ridge, config.noise),
            wanted,
            (0.7 * gaussian, 1.5 * gaussian),
        )
    kappa = effective_ridge(values, gaussian, ridge)
    return Point(
        case=case.name,
        head=head,
        level=level,
        d=d,
        draws=draws,
        seed=seed,
        configurations=configurations,
        ridge=ridge,
        gaussian=gaussian,
        predicted=predicted,
        effective_dimension=float(np.sum(values / (values + kappa))),
        sizes=tuple(dict.fromkeys(round(ratio * predicted) for ratio in config.ratios)),
    )


def _reaches(
    risk: Callable[[float], float], wanted: float, between: tuple[float, float] = (2.0, 1e6)
) -> float:
    """Return the n at which a falling risk is ``wanted``."""
    low, high = np.log(between[0]), np.log(between[1])
    return float(np.exp(brentq(lambda x: risk(float(np.exp(x))) - wanted, low, high, xtol=1e-4)))


def measure(point: Point, noise: float) -> pd.DataFrame:
    """Run the point; return excess risk, the mean over targets, by draw (rows) and n (columns)."""
    name = f"{point.case.replace(', ', '-').replace(' ', '-')}-{point.head}"
    grid = SimulationGrid(
        configs=point.configurations,
        heads=(point.head,),
        n=point.sizes,
        seeds=tuple(range(point.seed, point.seed + point.draws)),
        ridges=(point.ridge,),
        intercept=False,
        predict="none",
        study="sample-complexity",
    )
    table = simulate(grid, CACHE / f"{name}-{point.level:g}-{point.d}")
    excess = table.assign(excess=table["test"] - noise)
    return excess.groupby(["seed", "n"])["excess"].mean().unstack("n")


def crossing(sizes: _Array, excess: _Array, level: float) -> _Array:
    """Return n at which curves fall to ``level``, by interpolation in log n and log excess.

    Args:
        sizes: n, ascending, shape (k,).
        excess: rows of curves, shape (r, k).
        level: excess risk.

    Returns:
        Shape (r,); NaN where a curve does not pass the level between two of the n.
    """
    result = np.full(len(excess), np.nan)
    x, height = np.log(sizes), np.log(excess) - np.log(level)
    for row, curve in enumerate(height):
        below = np.flatnonzero((curve[:-1] > 0) & (curve[1:] <= 0))
        if below.size:
            k = below[0]
            result[row] = np.exp(x[k] + (x[k + 1] - x[k]) * curve[k] / (curve[k] - curve[k + 1]))
    return result


def run(config: Config) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return points (predicted and measured n), curves (excess risk by n) and exponents."""
    rows, curves, resampled = [], [], {}
    for index, point in enumerate(points(config)):
        excess = measure(point, config.noise)
        sizes = excess.columns.to_numpy(dtype=np.float64)
        values = excess.to_numpy()
        generator = np.random.default_rng([config.seed, index])
        chosen = generator.integers(len(values), size=(config.resamples, len(values)))
        again = crossing(sizes, values[chosen].mean(axis=1), point.level)
        measured = float(crossing(sizes, values.mean(axis=0)[None], point.level)[0])
        key = (point.case, point.head, point.level, point.d)
        resampled[key] = again
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        curves += [
            (*key, int(n), mean, se)
            for n, mean, se in zip(sizes, values.mean(axis=0), error, strict=True)
        ]
        rows.append(
            (
                *key,
                point.count,
                point.ridge,
                point.effective_dimension,
                point.gaussian,
                point.predicted,
                measured,
                float(np.nanstd(again, ddof=1)),
                float(np.mean(np.isnan(again))),
                point.draws,
            )
        )
    columns = [*POINT, "count", "ridge", "effective_dimension", "gaussian", "predicted"]
    columns += ["measured", "standard_error", "share_outside", "draws"]
    found = pd.DataFrame(rows, columns=columns)
    curve = pd.DataFrame(curves, columns=[*POINT, "n", "excess", "standard_error"])
    return found, curve, exponents(found, resampled)


def exponents(
    found: pd.DataFrame, resampled: dict[tuple[str, Head, float, int], _Array]
) -> pd.DataFrame:
    """Return the slopes of log n, log count and log effective dimension in log d.

    The interval of the measured one holds the middle 95 % of the slopes of resampled draws.
    """
    rows = []
    for key, group in found.groupby(POINT[:3], sort=False):
        slopes = slopes_of(group, QUANTITIES)
        again = np.stack([resampled[(*key, d)] for d in group["d"]])
        drawn = slope_weights(group) @ np.log(again)
        low, high = np.nanpercentile(drawn, [2.5, 97.5])
        rows.append((*key, int(group["d"].max()), *slopes.values(), low, high))
    return pd.DataFrame(rows, columns=[*POINT[:3], "largest_d", *QUANTITIES, "low", "high"])


def predictions(config: Config) -> pd.DataFrame:
    """Return what is predicted before anything is run, a row per point."""
    columns = [*POINT, "count", "ridge", "effective_dimension", "gaussian", "predicted"]
    return pd.DataFrame(
        [[getattr(point, name) for name in columns] for point in points(config)], columns=columns
    )


def slopes_of(group: pd.DataFrame, names: list[str]) -> dict[str, float]:
    """Return the least-squares slope of the logarithm of each column in log d."""
    weights = slope_weights(group)
    return {name: float(weights @ np.log(group[name].to_numpy())) for name in names}


def slope_weights(group: pd.DataFrame) -> _Array:
    """Return the weights of log y in the slope of log y in log d."""
    x = np.log(group["d"].to_numpy(dtype=np.float64))
    centred = x - x.mean()
    return np.asarray(centred / np.sum(centred**2))


def summary(found: pd.DataFrame, slopes: pd.DataFrame) -> str:
    """Return exponents, errors of the predictions, and the heads' ratio, as text."""
    lines = ["exponents of n in d", slopes.round(3).to_string(index=False)]
    for formula in ("gaussian", "predicted"):
        error = found[formula] / found["measured"] - 1
        z = (found[formula] - found["measured"]) / found["standard_error"]
        for head, rows in found.groupby("head", sort=False):
            e, s = error[rows.index], z[rows.index]
            lines.append(
                f"{formula} n, {head}: {len(rows)} points, relative error mean"
                f" {e.abs().mean():.2%}, signed {e.mean():+.2%}, max {e.abs().max():.2%},"
                f" {int(((e.abs() > 0.05) & (s.abs() > 4)).sum())} outside"
            )
    ratios = found.assign(
        over_count=found["measured"] / found["count"],
        over_effective=found["measured"] / found["effective_dimension"],
        share=found["standard_error"] / found["measured"],
    )
    lines.append("measured n over parameters, over effective dimension; relative standard error")
    lines.append(
        ratios.groupby(POINT[:3], sort=False)[["over_count", "over_effective", "share"]]
        .agg(["min", "max"])
        .round(3)
        .to_string()
    )
    wide = found.pivot(
        index=["case", "level", "d"], columns="head", values=["measured", "predicted"]
    )
    lines.append("bilinear n over additive n")
    lines.append(
        pd.DataFrame(
            {
                name: wide[name]["bilinear"] / wide[name]["additive"]
                for name in ("measured", "predicted")
            }
        )
        .round(2)
        .dropna()
        .to_string()
    )
    return "\n".join(lines)


def main() -> None:
    """Predict, or run and store (the default), or print the summary of what is stored."""
    what = sys.argv[1] if len(sys.argv) > 1 else "run"
    if what == "predict":
        table = predictions(Config())
        print(table.round(4).to_string(index=False))
        for key, group in table.groupby(POINT[:3], sort=False):
            print(*key, {k: round(v, 3) for k, v in slopes_of(group, QUANTITIES[1:]).items()})
        return
    if what == "run":
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            tables = run(Config())
        for table, path in zip(tables, (RESULTS, CURVES, EXPONENTS), strict=True):
            table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
    print(summary(pd.read_csv(RESULTS), pd.read_csv(EXPONENTS)))
