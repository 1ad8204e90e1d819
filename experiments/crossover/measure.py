"""Both heads in every cell, measured; the gaps and the crossovers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.crossover.config import CELL, Config
from experiments.crossover.crossings import last_crossing, log_standard_error
from fusiontheory.simulate import simulate
from fusiontheory.symbolic import Orders
from fusiontheory.symbolic import closed_forms as symbolic

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["crossings", "measure", "measured", "results"]

_NAMES = {"pairs.correlation": "correlation", "target.interaction": "interaction"}


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return means over seeds, and n* measured and predicted."""
    table = measured(config, records)
    stars = crossings(config, table, predicted["predictions.csv"])
    return {"results.csv": results(table), "crossings.csv": stars}


def measured(config: Config, records: Records) -> pd.DataFrame:
    """Run the grid and return the risk of each ridge, cell, n, seed (rows) and head (columns)."""
    grid = config.grid()
    table = simulate(grid, records.apart(grid.describe())).rename(columns=_NAMES)
    wide = table.pivot(index=[*CELL, "n", "seed"], columns="head", values="test")
    return wide.reset_index().rename_axis(columns=None)


def results(measured: pd.DataFrame) -> pd.DataFrame:
    """Return means over seeds, one row per ridge, cell and n.

    ``gap`` is the additive less the bilinear risk, ``gap_se`` its standard error over seeds; both
    heads see the same draws.
    """
    measured = measured.assign(gap=measured["additive"] - measured["bilinear"])
    return measured.groupby([*CELL, "n"], as_index=False).agg(
        additive=("additive", "mean"),
        bilinear=("bilinear", "mean"),
        gap=("gap", "mean"),
        gap_se=("gap", "sem"),
    )


def crossings(config: Config, measured: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Return n* of each ridge and cell: measured, with the error of its logarithm, and predicted.

    0 is below the smallest n, infinity beyond the largest. ``predicted`` is read off the predicted
    risks as ``measured`` is off the measured ones. The others know no ridge: ``least_squares`` is
    Level 1, ``orders`` and ``orders_alignment`` Level 0 with c = 1.
    """
    level_1 = symbolic.crossover("bilinear").numpy()
    rows = []
    curves = dict(list(predicted.groupby(CELL)))
    for place, points in measured.groupby(CELL):
        risk = points.pivot(index="seed", columns="n", values=["additive", "bilinear"])
        first, second = (risk[head].to_numpy(dtype=float) for head in config.heads)
        n = np.array(config.n, dtype=float)
        ratio = curves[place]["predicted_additive"] / curves[place]["predicted_bilinear"]
        _, rho, share = (float(str(x)) for x in place)
        rows.append(
            {
                **dict(zip(CELL, place, strict=True)),
                "measured": last_crossing(n, np.log(first.mean(axis=0) / second.mean(axis=0))),
                "log_se": log_standard_error(n, first, second),
                "predicted": last_crossing(n, np.log(ratio.to_numpy())),
                "least_squares": float(
                    level_1(
                        d_v=config.dimension,
                        d_t=config.dimension,
                        b2=1.0,
                        s2=config.noise,
                        eta=share,
                    )
                ),
                "orders": _orders(config, share, 1 - share),
                # As the paper tells it: aligned, concatenation approximates as well as attention.
                "orders_alignment": _orders(config, (1 - rho) * share, 0.0),
            }
        )
    return pd.DataFrame(rows)


def _orders(config: Config, eps_concat: float, eps_attention: float) -> float:
    d = config.dimension
    return Orders(d, d, eps_concat=eps_concat, eps_attention=eps_attention).crossover()
