"""The numbers of the README, from the stored tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from experiments.study import Tables, verdict_on

__all__ = ["errors", "gains", "summary", "verdict"]

_WIDTHS = {0: "rank of the target", 1: "rank above (cone)", -1: "rank below"}
_EDGES = [0, 4, 8, 16, np.inf]
_SAMPLES = ["below 4", "4 to 8", "8 to 16", "16 and more"]


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    return verdict_on(tables, verdict)


def errors(tables: Tables) -> pd.DataFrame:
    """Return the points of low-rank heads with the error of what is predicted.

    Returns:
        the columns of ``results.csv``, with `error` ((predicted - measured)/measured), `deviation`
        (in standard errors, without sign), `outside` (beyond both 10 % and 4 of them),
        `per_parameter` (n over the count) and two names, `width` and `samples`.
    """
    table = tables["results.csv"]
    low = table[(table["head"] == "low-rank") & np.isfinite(table["predicted"])]
    gap = low["predicted"] - low["measured"]
    error, deviation = gap / low["measured"], gap.abs() / low["standard_error"]
    per_parameter = low["n"] / low["dimension"]
    found: pd.DataFrame = low.assign(
        error=error,
        deviation=deviation,
        outside=(error.abs() > 0.1) & (deviation > 4),
        per_parameter=per_parameter,
        width=np.sign(low["head_rank"] - low["target_rank"]).map(_WIDTHS),
        samples=pd.cut(per_parameter, _EDGES, right=False, labels=_SAMPLES).astype(str),
    )
    return found.sort_values(["width", "per_parameter"], ascending=[False, False])


def gains(tables: Tables) -> pd.DataFrame:
    """Return excess risk of the full head at the best ridge over that of each low-rank head.

    Returns:
        target_rank, head_rank, n, `gain`.
    """
    table = tables["results.csv"]
    full = table[(table["head"] == "full") & (table["ridge"] > 0)]
    low = table[table["head"] == "low-rank"]
    both = low.merge(full[["target_rank", "n", "measured"]], on=["target_rank", "n"])
    gain = both["measured_y"] / both["measured_x"]
    return both[["target_rank", "head_rank", "n"]].assign(gain=gain)


def verdict(table: pd.DataFrame) -> str:
    """Return the counts, errors by samples per parameter, and what low rank gains."""
    tables = {"results.csv": table}
    low = table[table["head"] == "low-rank"]
    most = low[(low["n"] == low["n"].max()) & (low["head_rank"] >= low["target_rank"])]
    shown = ["target_rank", "head_rank", "dimension", "effective", "measured_count", "count_error"]
    lines = ["counts at the largest n (matched and over-ranked heads)"]
    lines.append(most[shown].round(1).to_string(index=False))
    for (width, samples), part in errors(tables).groupby(["width", "samples"], sort=False):
        lines.append(
            f"{width}, n per parameter {samples}: {len(part)} points, error"
            f" mean {part['error'].abs().mean():.1%}, signed {part['error'].mean():+.1%},"
            f" max {part['error'].abs().max():.1%}, {int(part['outside'].sum())} outside"
            " 10 % and 4 se"
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
    found = gains(tables).set_index(["target_rank", "head_rank", "n"])["gain"].unstack("n")
    lines.append(found.round(2).to_string())
    return "\n".join(lines)
