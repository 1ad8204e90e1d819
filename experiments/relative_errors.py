"""How far formulas are from measured risks, a row for each formula and measured point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["relative_errors", "verdict_line"]

_SHARE = 0.06
_STANDARD_ERRORS = 4.0


def relative_errors(results: pd.DataFrame, formulas: Iterable[str]) -> pd.DataFrame:
    """Return the points of a table once for each formula that says something of them.

    Args:
        results: a column for each formula, `measured` and its `standard_error`.
        formulas: names of columns.

    Returns:
        the columns of `results`, with `formula`, `said` (what it says), `error` ((said -
        measured)/measured), `deviation` (in standard errors, without sign) and `outside` (beyond
        both 6 % and 4 standard errors, the bar of the studies).
    """
    parts = []
    for formula in formulas:
        gap = results[formula] - results["measured"]
        parts.append(
            results.assign(
                formula=formula,
                said=results[formula],
                error=gap / results["measured"],
                deviation=gap.abs() / results["standard_error"],
            )
        )
    found: pd.DataFrame = pd.concat(parts, ignore_index=True)
    found = found[np.isfinite(found["error"])]
    outside = (found["deviation"] > _STANDARD_ERRORS) & (found["error"].abs() > _SHARE)
    return found.assign(outside=outside)


def verdict_line(name: str, rows: pd.DataFrame) -> str:
    """Return the number of points of some rows of `relative_errors`, and their errors, in words."""
    error = rows["error"]
    return (
        f"{name}: {len(rows)} points, relative error mean {error.abs().mean():.2%}, signed"
        f" {error.mean():+.2%}, max {error.abs().max():.2%}, {int(rows['outside'].sum())} outside"
    )
