"""The n at which each head reaches the level, measured."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.sample_complexity.config import POINT, Config, Head
from experiments.sample_complexity.exponents import crossing, exponents
from fusiontheory.simulate import SimulationGrid, simulate

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]

_PREDICTED = [*POINT, "count", "ridge", "effective_dimension", "gaussian", "predicted"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return points (predicted and measured n), curves (excess risk by n) and exponents."""
    rows, curves, resampled = [], [], {}
    for index, point in enumerate(predicted["predictions.csv"].to_dict("records")):
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            excess = _measured(config, records, index, point)
        sizes = excess.columns.to_numpy(dtype=np.float64)
        values = excess.to_numpy()
        generator = np.random.default_rng([config.seed, index])
        chosen = generator.integers(len(values), size=(config.resamples, len(values)))
        again = crossing(sizes, values[chosen].mean(axis=1), point["level"])
        key: tuple[str, Head, float, int] = tuple(point[name] for name in POINT)
        resampled[key] = again
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        curves += [
            (*key, int(n), mean, se)
            for n, mean, se in zip(sizes, values.mean(axis=0), error, strict=True)
        ]
        crossed = {
            "measured": float(crossing(sizes, values.mean(axis=0)[None], point["level"])[0]),
            "standard_error": float(np.nanstd(again, ddof=1)),
            "share_outside": float(np.mean(np.isnan(again))),
            "draws": len(values),
        }
        rows.append({**{name: point[name] for name in _PREDICTED}, **crossed})
    table = pd.DataFrame(rows)
    return {
        "results.csv": table,
        "curves.csv": pd.DataFrame(curves, columns=[*POINT, "n", "excess", "standard_error"]),
        "exponents.csv": exponents(table, resampled),
    }


def _measured(config: Config, records: Records, index: int, point: dict[Any, Any]) -> pd.DataFrame:
    """Run the point; return excess risk, the mean over targets, by draw (rows) and n (columns)."""
    case = next(case for case in config.cases if case.name == point["case"])
    head, d = point["head"], point["d"]
    # Draws of different points are independent.
    seed = config.seed + 1000 * index
    grid = SimulationGrid(
        configs=config.configurations(case, head, d),
        heads=(head,),
        n=config.sizes(point["predicted"], dict(config.levels)[point["level"]]),
        seeds=tuple(range(seed, seed + config.training_sets(head, d))),
        ridges=(point["ridge"],),
        intercept=False,
        predict="none",
        study="sample-complexity",
    )
    table = simulate(grid, records.apart(grid.describe()))
    excess = table.assign(excess=table["test"] - config.noise)
    return excess.groupby(["seed", "n"])["excess"].mean().unstack("n")
