"""Many tests at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from fusiontheory.checks import InputError, finite_array
from fusiontheory.constraints import checked
from fusiontheory.stats.seed_gaps import check_level

__all__ = ["holm"]


@checked
def holm(table: pd.DataFrame, p: str = "p_value", level: float = 0.05) -> pd.DataFrame:
    """Return a table of tests with Holm's correction over all of its rows.

    With the p-values in order, p_(1) <= .. <= p_(m), the corrected ones are

        max_{j <= i} min(1, (m - j + 1) p_(j)).

    The probability that any true null is rejected is at most ``level``, whatever the dependence
    of the tests. (Holm, Scand. J. Stat. 6, 1979.)

    Args:
        table: one row per test; all rows count, so pass the grid and not a part of it.
        p: column with the p-values.
        level: that probability.

    Returns:
        The same rows with ``p_holm`` and ``rejected``.

    Raises:
        InputError: if the column is missing, a p-value is NaN or outside [0, 1], there is no row,
            or for a level outside (0, 1).

    Example:
        >>> holm(pd.DataFrame({"n": [1, 2, 3], "p_value": [0.01, 0.04, 0.03]}))["p_holm"].tolist()
        [0.03, 0.06, 0.06]
    """
    family_level = check_level("level", level)
    if p not in table.columns:
        raise InputError(f"table must have the column {p!r}, got {list(table.columns)}")
    values = finite_array(f"table column {p!r}", table[p].to_numpy(), 1)
    if values.min() < 0 or values.max() > 1:
        outside = values[(values < 0) | (values > 1)][0]
        raise InputError(f"table column {p!r} must hold values from 0 to 1, got {outside:g}")
    rejected, corrected = multipletests(values, alpha=family_level, method="holm")[:2]
    return table.assign(p_holm=np.asarray(corrected), rejected=np.asarray(rejected))
