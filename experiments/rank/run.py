"""Predict and measure the excess risk of low-rank and full bilinear heads on low-rank targets."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.rank.config import Config
from fusiontheory.checks import ValidityWarning
from fusiontheory.risk import LowRankTarget, low_rank_dimension, low_rank_risk, product_ridge_risk
from fusiontheory.simulate import SimulationGrid, simulate

_Array: TypeAlias = NDArray[np.float64]

HERE = Path(__file__).parent
RESULTS = HERE / "results.csv"
CACHE = HERE.parents[1] / ".cache" / "experiments" / "rank"
ROW = ["head", "target_rank", "head_rank", "ridge", "n"]


def predictions(config: Config) -> pd.DataFrame:
    """Return a row per head, target and n with the excess risk that is predicted.

    ``dimension`` counts r (2 d - r), or d^2 for the full head; ``effective`` is the count whose
    excess s^2 k / (n - k - 1) is predicted: the dimension, or for a head of more rank than the
    target that of the tangent cone (`cone_dimension`). It is NaN where another formula holds.
    """
    rows: list[dict[str, Any]] = []
    for target_rank, head_rank, draws in config.pairs:
        dimension = low_rank_dimension(config.d, config.d, head_rank)
        effective, found = float(dimension), None
        if head_rank < target_rank:
            effective = float("nan")
            found = _missing_rank(config, target_rank, head_rank)
        elif head_rank > target_rank:
            effective = cone_dimension(config, target_rank, head_rank)
        for k, n in enumerate(config.n):
            room = n - effective - 1
            excess = found[k] if found is not None else np.inf
            if found is None and room > 0:
                excess = config.noise * effective / room
            rows.append(
                {
                    "head": "low-rank",
                    "target_rank": target_rank,
                    "head_rank": head_rank,
                    "ridge": 0.0,
                    "n": n,
                    "dimension": dimension,
                    "effective": effective,
                    "predicted": float(excess),
                    "draws": draws,
                }
            )
    return pd.DataFrame(rows + _full(config))


def _missing_rank(config: Config, target_rank: int, head_rank: int) -> _Array:
    """Return the predicted excess of a head of too low a rank, what it leaves out included."""
    coefficients = config.configuration(target_rank).coefficients
    target = LowRankTarget(
        config.d,
        config.d,
        head_rank,
        np.asarray(np.linalg.svd(coefficients.bilinear, compute_uv=False), np.float64),
        config.noise,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)  # the README says where it is no guide
        return np.asarray(low_rank_risk(target, list(config.n)) - config.noise)


def _full(config: Config) -> list[dict[str, Any]]:
    """Return rows of the full head, the same prediction for every target: features are flat."""
    flat, power = np.full(config.d, 1 / config.d), np.full((config.d, config.d), config.d**-2.0)
    rows: list[dict[str, Any]] = []
    for ridge in (0.0, config.best_ridge):
        risk = product_ridge_risk(flat, flat, power, list(config.n), ridge, config.noise)
        rows += [
            {
                "head": "full",
                "target_rank": rank,
                "head_rank": config.d,
                "ridge": ridge,
                "n": n,
                "dimension": config.d**2,
                "effective": float("nan"),
                "predicted": float(value - config.noise),
                "draws": config.full_draws,
            }
            for rank in _target_ranks(config)
            for n, value in zip(config.n, risk, strict=True)
        ]
    return rows


def _target_ranks(config: Config) -> list[int]:
    return sorted({target for target, _, _ in config.pairs})


def cone_dimension(config: Config, target_rank: int, head_rank: int) -> float:
    """Return the mean squared length of a normal vector's projection on the tangent cone.

    At a matrix of rank r0 the matrices of rank r > r0 have the tangent cone of the r0 (2 d - r0)
    tangent directions and, off them, all (d - r0) x (d - r0) matrices of rank r - r0. Noise N
    projected on those keeps its r - r0 largest singular values: the count is
    r0 (2 d - r0) + E[sum_{i <= r - r0} sigma_i(N)^2], which is d^2 at r = d.
    """
    rest = config.d - target_rank
    generator = np.random.default_rng([config.seed, target_rank, head_rank])
    noise = generator.standard_normal((config.cone_draws, rest, rest))
    values = np.linalg.svd(noise, compute_uv=False)[:, : head_rank - target_rank]
    inside = low_rank_dimension(config.d, config.d, target_rank)
    return inside + float((values**2).sum(axis=1).mean())


def measure(config: Config) -> pd.DataFrame:
    """Run every head; return the mean excess risk and its standard error per row."""
    tables = []
    for index, (target_rank, head_rank, draws) in enumerate(config.pairs):
        seed = config.seed + 1000 * index
        table = _simulate(
            config, f"low-rank-{target_rank}-{head_rank}", (target_rank,), head_rank, draws, seed
        )
        tables.append(table.assign(head="low-rank", target_rank=target_rank, head_rank=head_rank))
    ranks = _target_ranks(config)
    full = _simulate(config, "full", tuple(ranks), None, config.full_draws, config.seed + 90000)
    position = full["config_index"].map(dict(enumerate(ranks)))
    tables.append(full.assign(head="full", target_rank=position, head_rank=config.d))
    together = pd.concat(tables, ignore_index=True)
    together["excess"] = together["test"] - config.noise
    grouped = together.groupby(ROW)["excess"]
    found = grouped.agg(measured="mean", standard_error=lambda x: x.std() / np.sqrt(len(x)))
    return found.reset_index()


def _simulate(
    config: Config, name: str, ranks: tuple[int, ...], head_rank: int | None, draws: int, seed: int
) -> pd.DataFrame:
    grid = SimulationGrid(
        configs=tuple(config.configuration(rank) for rank in ranks),
        heads=("bilinear" if head_rank is None else "low-rank",),
        n=config.n,
        seeds=tuple(range(seed, seed + draws)),
        ridges=(0.0, config.best_ridge),
        intercept=False,
        rank=head_rank,
        predict="none",
        study="rank",
    )
    # Both heads call their columns rank; the table's own is not needed.
    return simulate(grid, CACHE / name).drop(columns="rank")


def run(config: Config) -> pd.DataFrame:
    """Return predictions and measurements, a row per head, target, ridge and n.

    ``measured_count`` is the k for which s^2 k / (n - k - 1) is the measured excess.
    """
    table = predictions(config).merge(measure(config), on=ROW, how="left", validate="one_to_one")
    level = config.noise + table["measured"]
    table["measured_count"] = table["measured"] * (table["n"] - 1) / level
    # d count / d excess = s^2 (n - 1) / (s^2 + excess)^2.
    slope = config.noise * (table["n"] - 1) / level**2
    table["count_error"] = slope * table["standard_error"]
    return table


def summary(table: pd.DataFrame) -> str:
    """Return the counts, errors by samples per parameter, and what low rank gains."""
    low = table[table["head"] == "low-rank"].copy()
    low["error"] = low["predicted"] / low["measured"] - 1
    low["per_parameter"] = low["n"] / low["dimension"]
    matched = low[low["target_rank"] == low["head_rank"]]
    over = low[low["target_rank"] < low["head_rank"]]
    under = low[low["target_rank"] > low["head_rank"]]
    lines = ["counts at the largest n (matched and over-ranked heads)"]
    most = pd.concat([matched, over])
    most = most[most["n"] == most["n"].max()]
    shown = ["target_rank", "head_rank", "dimension", "effective", "measured_count", "count_error"]
    lines.append(most[shown].round(1).to_string(index=False))
    for name, rows in (("matched", matched), ("over-ranked", over), ("under-ranked", under)):
        for least, below in ((16, np.inf), (8, 16), (4, 8), (0, 4)):
            part = rows[(rows["per_parameter"] >= least) & (rows["per_parameter"] < below)]
            part = part[np.isfinite(part["predicted"])]
            if len(part):
                far = (part["error"].abs() > 0.1) & (
                    (part["predicted"] - part["measured"]).abs() > 4 * part["standard_error"]
                )
                lines.append(
                    f"{name}, n from {least} to {below} per parameter: {len(part)} points, error"
                    f" mean {part['error'].abs().mean():.1%}, signed {part['error'].mean():+.1%},"
                    f" max {part['error'].abs().max():.1%}, {int(far.sum())} outside 10 % and 4 se"
                )
    full = table[table["head"] == "full"]
    error = full["predicted"] / full["measured"] - 1
    for ridge, rows in full.groupby("ridge"):
        e = error[rows.index]
        lines.append(
            f"full, ridge {ridge:g}: {len(rows)} points, error mean {e.abs().mean():.1%},"
            f" signed {e.mean():+.1%}, max {e.abs().max():.1%}"
        )
    lines.append("excess of the full head with the best ridge over that of the low-rank head")
    best = full[full["ridge"] > 0].set_index(["target_rank", "n"])["measured"]
    right = matched.set_index(["target_rank", "n"])["measured"]
    lines.append((best / right).unstack("n").round(2).to_string())
    lines.append("the same on the target of rank 4, by rank of the head")
    fixed = low[low["target_rank"] == 4].set_index(["head_rank", "n"])["measured"].unstack("n")
    lines.append((best.loc[4] / fixed).round(2).to_string())
    return "\n".join(lines)


def main() -> None:
    """Predict, or run and store (the default), or print the summary of what is stored."""
    what = sys.argv[1] if len(sys.argv) > 1 else "run"
    if what == "predict":
        print(predictions(Config()).round(4).to_string(index=False))
        return
    if what == "run":
        run(Config()).to_csv(RESULTS, index=False, float_format="%.6g", lineterminator="\n")
    print(summary(pd.read_csv(RESULTS)))
