"""Made-up tables of trained cells: places and runs."""

from __future__ import annotations

import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from validation.trained.predictors import (
    PLACE,
)


def places(
    heads: list[str], sizes: list[int], condition: str = "aligned", sigma: float = 0.0
) -> pd.DataFrame:
    return pd.DataFrame(
        [(condition, head, n, sigma, "both") for head in heads for n in sizes], columns=PLACE
    )


def measured(
    values: dict[tuple[str, int], list[float]], condition: str = "aligned"
) -> pd.DataFrame:
    """Return runs from accuracies by head and n, one for each seed."""
    return pd.DataFrame(
        [
            (condition, head, n, 0.0, "both", seed, accuracy)
            for (head, n), accuracies in values.items()
            for seed, accuracy in enumerate(accuracies)
        ],
        columns=[*PLACE, "seed", "accuracy"],
    )
