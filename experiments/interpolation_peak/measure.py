"""Excess risk across n = p, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.interpolation_peak.config import Config, Head
from fusiontheory.simulate import SimulationGrid, simulate

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]

_KEYS = ["head", "ridge_over_trace", "n"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return a row per head, ridge and n: predictions, measured mean, its error, and median."""
    tables = [
        measured(config, records, head, draws, config.seed + 1000 * index)
        for index, (head, draws) in enumerate(config.draws)
    ]
    table = predicted["predictions.csv"].merge(
        pd.concat(tables), on=_KEYS, how="left", validate="one_to_one"
    )
    table.insert(3, "n_over_p", table["n"] / table["head"].map(dict(config.counts)))
    return {"results.csv": table}


def measured(config: Config, records: Records, head: Head, draws: int, seed: int) -> pd.DataFrame:
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
    table = simulate(grid, records.apart(grid.describe()))
    table["excess"] = table["test"] - config.noise
    draw = table.groupby(["ridge", "n", "seed"], as_index=False)["excess"].mean()
    excess = draw.groupby(["ridge", "n"])["excess"].agg(
        measured="mean",
        standard_error=lambda x: x.std() / np.sqrt(len(x)),
        median="median",
        draws="size",
    )
    names = {ratio * trace: ratio for ratio in config.ridges}
    excess = excess.reset_index()
    excess["ridge_over_trace"] = excess.pop("ridge").map(names)
    excess["head"] = head
    return pd.DataFrame(excess)
