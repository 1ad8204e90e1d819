"""Every head on degraded features, measured: the gaps and how they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.degradation.config import Config
from experiments.degradation.gaps import PLACE, gaps
from fusiontheory.simulate import simulate

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure", "measured"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return what is measured; the prediction stays a table of its own."""
    del predicted
    return {"results.csv": measured(config, records)}


def measured(config: Config, records: Records) -> pd.DataFrame:
    """Return the measured gaps and changes, means over seeds with standard errors."""
    frames = []
    for target, _ in config.targets:
        grid = config.grid(target)
        table = simulate(grid, records.apart(grid.describe()))
        cases = pd.DataFrame(config.cases, columns=["degradation", "level"])
        table = table.drop(
            columns=[c for c in table if str(c).startswith(("degradation.", "target."))]
        )
        table = table.join(cases, on="config_index").rename(columns={"test": "risk"})
        frames.append(table.assign(target=target))
    each = gaps(config, pd.concat(frames))
    grouped = each.groupby([*PLACE, "first", "second"], as_index=False, sort=False)
    return grouped.agg(
        first_risk=("first_risk", "mean"),
        second_risk=("second_risk", "mean"),
        gap=("gap", "mean"),
        gap_se=("gap", "sem"),
        change=("change", "mean"),
        change_se=("change", "sem"),
        accuracy_gap=("accuracy_gap", "mean"),
        accuracy_change=("accuracy_change", "mean"),
        accuracy_change_se=("accuracy_change", "sem"),
    )
