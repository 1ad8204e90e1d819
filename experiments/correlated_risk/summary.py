"""The verdict, from the stored tables."""

from __future__ import annotations

import pandas as pd

from experiments.study import Tables, verdict_on

__all__ = ["summary", "verdict"]


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    return verdict_on(tables, verdict)


def verdict(results: pd.DataFrame) -> str:
    """Return the bar held against the results: all, by head, and by correlation."""
    lines = []
    groups = [("all", results)]
    groups += [(str(name), rows) for name, rows in results.groupby("head", sort=False)]
    groups += [(f"rho = {name}", rows) for name, rows in results.groupby("rho", sort=False)]
    for formula in ("gaussian", "predicted"):
        for name, rows in groups:
            gap = rows[formula] - rows["measured"]
            relative = gap / rows["measured"]
            outside = (gap.abs() > 4 * rows["standard_error"]) & (relative.abs() > 0.06)
            lines.append(
                f"{formula}, {name}: {len(rows)} points, relative error mean"
                f" {relative.abs().mean():.2%}, signed {relative.mean():+.2%}, max"
                f" {relative.abs().max():.2%}, {int(outside.sum())} outside"
            )
    return "\n".join(lines)
