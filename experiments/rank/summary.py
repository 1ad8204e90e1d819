"""The numbers of the README, from the stored tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from experiments.study import Tables, verdict_on

__all__ = ["summary", "verdict"]


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    return verdict_on(tables, verdict)


def verdict(table: pd.DataFrame) -> str:
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
