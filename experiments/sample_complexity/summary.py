"""The numbers of the README, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.relative_errors import relative_errors, verdict_line
from experiments.sample_complexity.config import POINT, QUANTITIES
from experiments.sample_complexity.exponents import slopes_of

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["errors", "summary", "verdict"]


def summary(tables: Tables) -> str:
    """Return what is predicted, exponents too, or where it is measured the verdict."""
    if "results.csv" in tables:
        return verdict(tables["results.csv"], tables["exponents.csv"])
    table = tables["predictions.csv"]
    lines = [table.round(4).to_string(index=False)]
    for key, group in table.groupby(POINT[:3], sort=False):
        slopes = {k: round(v, 3) for k, v in slopes_of(group, QUANTITIES[1:]).items()}
        lines.append(f"{', '.join(map(str, key))}: {slopes}")
    return "\n".join(lines)


def errors(tables: Tables) -> pd.DataFrame:
    """Return the error of both formulas at every point (`relative_errors`); outside: 5 %, not 6."""
    found = relative_errors(tables["results.csv"], ("gaussian", "predicted"))
    return found.assign(outside=(found["error"].abs() > 0.05) & (found["deviation"] > 4))


def verdict(found: pd.DataFrame, slopes: pd.DataFrame) -> str:
    """Return exponents, errors of the predictions, and the heads' ratio, as text."""
    lines = ["exponents of n in d", slopes.round(3).to_string(index=False)]
    by_formula = errors({"results.csv": found}).groupby(["formula", "head"], sort=False)
    lines += [verdict_line(f"{formula} n, {head}", rows) for (formula, head), rows in by_formula]
    ratios = found.assign(
        over_count=found["measured"] / found["count"],
        over_effective=found["measured"] / found["effective_dimension"],
        share=found["standard_error"] / found["measured"],
    )
    lines.append("measured n over parameters, over effective dimension; relative standard error")
    lines.append(
        ratios.groupby(POINT[:3], sort=False)[["over_count", "over_effective", "share"]]
        .agg(["min", "max"])
        .round(3)
        .to_string()
    )
    wide = found.pivot(
        index=["case", "level", "d"], columns="head", values=["measured", "predicted"]
    )
    lines.append("bilinear n over additive n")
    lines.append(
        pd.DataFrame(
            {
                name: wide[name]["bilinear"] / wide[name]["additive"]
                for name in ("measured", "predicted")
            }
        )
        .round(2)
        .dropna()
        .to_string()
    )
    return "\n".join(lines)
