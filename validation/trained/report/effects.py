"""What each ablation changes: accuracy, and the gap of concatenation to the other heads."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fusiontheory.stats import paired_gap
from validation.trained.report.tables import FIRST

__all__ = ["effect_table"]

_LEVEL = ["setting", "level"]
_PLACE = ["condition", "n", "head"]
# Its levels vary one source of chance alone, so that their seeds are not those of the grid.
_SPREAD_ONLY = "seed"


def effect_table(ablations: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each ablation, level, condition and head.

    Args:
        ablations: runs of the ablations.
        published: runs at the published setting without noise.

    Returns:
        ``accuracy`` and ``sd`` over seeds; ``change`` against the published one with ``low`` and
        ``high``, paired by seed (95 %, t); ``gap``, ``gap_low``, ``gap_high``: `FIRST` at this
        level, at the published setting where the level does not have it, less the head. Fractions.
        Empty where runs are missing. Of the ablation "seed" the spread alone.
    """
    rows = []
    for place, part in ablations.groupby([*_LEVEL, *_PLACE], sort=False):
        setting, level, condition, n, head = place
        own = _by_seed(part)
        where = {"condition": condition, "n": n}
        row: dict[str, Any] = {"ablation": setting, "level": level, **where, "head": head}
        row |= {"seeds": len(own), "accuracy": own.mean(), "sd": own.std()}
        row |= {"diverged": int(part["diverged"].sum()), "parameters": part["parameters"].iloc[0]}
        for name in ("updates", "gradient_start", "gradient_end"):
            row[name] = part[name].mean()
        if setting != _SPREAD_ONLY:
            row |= _paired(("change", "low", "high"), own, _at(published, where, str(head)))
            same = ablations[(ablations["setting"] == setting) & (ablations["level"] == level)]
            first = _at(same, where, FIRST)
            if first.empty:
                first = _at(published, where, FIRST)
            if head != FIRST:
                row |= _paired(("gap", "gap_low", "gap_high"), first, own)
        rows.append(row)
    return pd.DataFrame(rows)


def _by_seed(rows: pd.DataFrame) -> pd.Series[float]:
    return rows.set_index("seed")["accuracy"].dropna().sort_index()


def _at(runs: pd.DataFrame, where: dict[str, Any], head: str) -> pd.Series[float]:
    here = (runs["condition"] == where["condition"]) & (runs["n"] == where["n"])
    return _by_seed(runs[here & (runs["head"] == head)])


def _paired(
    names: tuple[str, str, str], first: pd.Series[float], second: pd.Series[float]
) -> dict[str, float]:
    seeds = first.index.intersection(second.index)
    if len(seeds) < 2:
        return {}
    gap = paired_gap(first[seeds], second[seeds])
    return dict(zip(names, (gap.gap, gap.low, gap.high), strict=True))
