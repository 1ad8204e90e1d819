"""What a head costs: weights, multiply-adds, and seconds measured on this machine."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pandas as pd

from fusiontheory.heads import PilotHead, Views, find_pilot_head
from fusiontheory.typing import Array

__all__ = ["cost_table", "parameters"]


# Rows that prediction is timed on.
_ROWS = 250


def parameters(head: PilotHead, d_v: int, d_t: int, columns: int) -> float:
    """Return the weights of a head with explicit features; NaN where there is only a kernel."""
    if head.members:
        return sum(parameters(find_pilot_head(m), d_v, d_t, columns) for m in head.members)
    return float("nan") if head.parameters is None else head.parameters(d_v, d_t) * float(columns)


def cost_table(
    heads: list[str],
    image: Array,
    text: Array,
    columns: int,
    target: float,
    fit_seconds: dict[str, float],
) -> pd.DataFrame:
    """Return a row a head: what it takes to store, to fit and to predict.

    ``multiply_adds`` are for one prediction: one for each weight of a head with explicit
    features; else n inner products with the items of the target size. ``fit_seconds`` are of one
    processor at the pilot's size, the choice of the ridge included; ``predict_seconds`` for 1000
    items by the kernel with the pilot's.

    Args:
        heads: names.
        image, text: (n, d_v), (n, d_t) of the pilot.
        columns: outputs.
        target: n that kernels are counted at.
        fit_seconds: measured, by head.
    """
    v, t = Views.from_features(image, text).apply(image, text)
    d_v, d_t = v.shape[1], t.shape[1]
    dual = np.random.default_rng(0).standard_normal((len(v), columns))
    rows = min(_ROWS, len(v))
    table = []
    for name in heads:
        head = find_pilot_head(name)
        weights = parameters(head, d_v, d_t, columns)
        start = perf_counter()
        for member in [find_pilot_head(m) for m in head.members] or [head]:
            member.kernel(v[:rows], t[:rows], v, t) @ dual
        seconds = (perf_counter() - start) * 1000 / rows
        adds = weights if np.isfinite(weights) else target * (d_v + d_t + columns)
        table.append((name, weights, adds, fit_seconds[name], seconds))
    names = ["head", "parameters", "multiply_adds", "fit_seconds", "predict_seconds"]
    return pd.DataFrame(table, columns=names)
