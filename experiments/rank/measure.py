"""Excess risk of every head, measured, and the count that is read off it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.rank.config import Config
from fusiontheory.simulate import SimulationGrid, simulate

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]

ROW = ["head", "target_rank", "head_rank", "ridge", "n"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return predictions and measurements, a row per head, target, ridge and n.

    ``measured_count`` is the k for which s^2 k / (n - k - 1) is the measured excess.
    """
    table = predicted["predictions.csv"].merge(
        measured(config, records), on=ROW, how="left", validate="one_to_one"
    )
    level = config.noise + table["measured"]
    table["measured_count"] = table["measured"] * (table["n"] - 1) / level
    # d count / d excess = s^2 (n - 1) / (s^2 + excess)^2.
    slope = config.noise * (table["n"] - 1) / level**2
    table["count_error"] = slope * table["standard_error"]
    return {"results.csv": table}


def measured(config: Config, records: Records) -> pd.DataFrame:
    """Run every head; return the mean excess risk and its standard error per row."""
    tables = []
    for index, (target_rank, head_rank, draws) in enumerate(config.pairs):
        seed = config.seed + 1000 * index
        table = _simulate(config, records, (target_rank,), head_rank, draws, seed)
        tables.append(table.assign(head="low-rank", target_rank=target_rank, head_rank=head_rank))
    ranks = config.target_ranks
    full = _simulate(config, records, tuple(ranks), None, config.full_draws, config.seed + 90000)
    position = full["config_index"].map(dict(enumerate(ranks)))
    tables.append(full.assign(head="full", target_rank=position, head_rank=config.d))
    together = pd.concat(tables, ignore_index=True)
    together["excess"] = together["test"] - config.noise
    grouped = together.groupby(ROW)["excess"]
    grouped_means = grouped.agg(measured="mean", standard_error=lambda x: x.std() / np.sqrt(len(x)))
    return grouped_means.reset_index()


def _simulate(
    config: Config,
    records: Records,
    ranks: tuple[int, ...],
    head_rank: int | None,
    draws: int,
    seed: int,
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
    return simulate(grid, records.apart(grid.describe())).drop(columns="rank")
