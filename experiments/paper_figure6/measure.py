"""The points: risk and accuracy of each panel, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.paper_figure6.config import PANELS, Config
from fusiontheory.simulate import simulate

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure", "measured"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return what is measured; the prediction stays a table of its own."""
    del predicted
    return {"results.csv": measured(config, records)}


def measured(config: Config, records: Records) -> pd.DataFrame:
    """Return a row per panel, head and n: risk and accuracy with standard errors over seeds.

    ``gap`` is the additive less this head's risk on the same draws.
    """
    frames = []
    for target in ("story", "matching"):
        grid = config.grid(target)
        table = simulate(grid, records.apart(grid.describe()))
        panels = {p.correlation: p.condition for p in PANELS if p.target == target}
        table["condition"] = table["pairs.correlation"].map(panels)
        table["target"] = target
        same = ["condition", "n", "seed"]
        additive = table[table["head"] == "additive"].set_index(same)["test"].rename("additive")
        table = table.join(additive, on=same)
        frames.append(table.assign(gap=table["additive"] - table["test"]))
    grouped = pd.concat(frames).groupby(["target", "condition", "head", "n"], as_index=False)
    return grouped.agg(
        risk=("test", "mean"),
        risk_se=("test", "sem"),
        accuracy=("accuracy", "mean"),
        accuracy_se=("accuracy", "sem"),
        gap=("gap", "mean"),
        gap_se=("gap", "sem"),
        floor=("floor", "first"),
    )
