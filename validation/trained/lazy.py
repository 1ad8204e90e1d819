"""How often the criterion of laziness is right: it, and whether a network is at its first kernel.

`fusiontheory.tangent.signal_growth` says from moments, before any training, by what factor the
growth of a head's signal changes. If that is within a factor of `LAZY`, the head is called lazy,
and a network at the fixed setting should be where its kernel at the start brings it in the allowed
time, the *derived* ridge. A network that never left chance tells nothing of this: its cells are
counted apart.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from validation.trained.predictors import AT_CHANCE, LAZY

__all__ = ["AGREES", "lazy_table"]

AGREES = 2.0
"""Points within which a network is said to be at its first kernel."""

_PLACE = ["head", "condition", "n"]
_NEAR_CHANCE = 2.0


def lazy_table(kernels: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each cell of the fixed setting of heads that see both modalities.

    Args:
        kernels: `adam_kernel_table`.
        measured: setting, condition, head, n and accuracy, means over seeds.

    Returns:
        head, condition, n, growth, error (kernel at the start less the network, points), lazy (what
        the criterion says; a head without a signal that is seen is not called lazy), learns
        (whether the network is more than two points from chance), agrees, and right: whether what
        is called lazy agrees and what is not called so does not.
    """
    derived = kernels[(kernels["ridge_rule"] == "derived") & ~kernels["head"].isin(AT_CHANCE)]
    derived = derived[derived["head"] != "concat-linear"]
    fixed = measured[measured["setting"] == "fixed"]
    both = derived.merge(fixed, on=_PLACE, validate="1:1")
    error = 100 * (both["predicted"] - both["accuracy"])
    table = both[[*_PLACE, "growth"]].assign(error=error)
    table["lazy"] = table["growth"].between(1 / LAZY, LAZY)
    table["learns"] = np.abs(100 * both["accuracy"] - 50) > _NEAR_CHANCE
    table["agrees"] = error.abs() <= AGREES
    return table.assign(right=table["lazy"] == table["agrees"])
