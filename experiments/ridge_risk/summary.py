"""The verdict, from the stored tables."""

from __future__ import annotations

import pandas as pd

from experiments.ridge_risk.config import CONTROL, FORMULAS
from experiments.study import Tables, verdict_on

__all__ = ["summary", "verdict"]


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    return verdict_on(tables, verdict)


def verdict(results: pd.DataFrame) -> str:
    """Return the bar held against the results, for both heads, each head, and the control."""
    lines = []
    for formula in FORMULAS:
        known = results.dropna(subset=[formula])
        gap = (known[formula] - known["measured"]).abs()
        relative = gap / known["measured"]
        signed = (known[formula] - known["measured"]) / known["measured"]
        outside = (gap > 4 * known["standard_error"]) & (relative > 0.06)
        names = list(known["head"].unique())
        for name in [*(["both heads"] if len(names) > 1 else []), *names]:
            rows = known["head"] != CONTROL if name == "both heads" else known["head"] == name
            lines.append(
                f"{formula}, {name}: {int(rows.sum())} points, relative error mean"
                f" {relative[rows].mean():.2%}, signed {signed[rows].mean():+.2%}, max"
                f" {relative[rows].max():.2%}, {int(outside[rows].sum())} outside"
            )
    return "\n".join(lines)
