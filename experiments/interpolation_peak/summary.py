"""The numbers of the README, from the stored tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from experiments.study import Tables, verdict_on

__all__ = ["summary", "verdict"]

FORMULAS = ["exact", "gaussian", "sharp"]


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    return verdict_on(tables, verdict)


def verdict(table: pd.DataFrame) -> str:
    """Return errors by formula, head and ridge, at the peak and away from it, and peak heights."""
    lines = []
    near = (table["n_over_p"] - 1).abs() <= 0.13
    for formula in FORMULAS:
        for (head, ridge), rows in table.groupby(["head", "ridge_over_trace"], sort=False):
            for name, chosen in (("near n = p", near), ("elsewhere", ~near)):
                part = rows[chosen[rows.index] & np.isfinite(rows[formula])]
                if not len(part):
                    continue
                gap = part[formula] - part["measured"]
                error = gap / part["measured"]
                outside = (gap.abs() > 4 * part["standard_error"]) & (error.abs() > 0.06)
                lines.append(
                    f"{formula}, {head}, ridge {ridge:g} tr, {name}: {len(part)} points, error mean"
                    f" {error.abs().mean():.1%}, signed {error.mean():+.1%},"
                    f" max {error.abs().max():.1%}, {int(outside.sum())} outside"
                )
    shown = table[near | (table["n_over_p"] == 8)]
    lines.append(shown.drop(columns=["draws"]).round(4).to_string(index=False, float_format="%.4g"))
    return "\n".join(lines)
