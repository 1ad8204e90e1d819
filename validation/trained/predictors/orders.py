"""The paper's orders: no accuracy, but a sign, a direction in n, and how fast a gap decays.

R = eps + c D/n, or eps + c sqrt(D/n), with D = d_v + d_t for concatenation and d_v d_t, or
r (d_v + d_t - r) at rank r, for attention (`fusiontheory.symbolic.orders`). c and both eps are not
known, so no accuracy follows. What does, if the head of the lower risk is taken to have the higher
accuracy:

- *Sign of the gap*, where the paper's eps are equal ("aligned"): that of the estimation gap, D_attn
  - D_concat, whatever c and n. Elsewhere eps_concat > eps_attn and the sign turns at an n* that
  needs c and the difference of the eps: not predicted.
- *Rise*: a risk eps + c D/n falls with n, so the accuracy of both classes rises, in all conditions.
- *Ratio* gap(n) / gap(2n), "aligned": 2 at the fast rate, sqrt(2) at the slow one; the paper does
  not say which, and anything between them counts.

The classes are concatenation and query-key products: of other heads nothing is said. The paper
reads its orders, which are of a linear head on [v; t], as those of its MLP, and so do we here.

Source: Zhou & Xie, arXiv:2606.01207; docs/orders.md.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from fusiontheory.symbolic import Orders, gap_decay
from validation.trained.predictors.table import PLACE, as_table, prediction, records

__all__ = ["ATTENTION", "CONCATENATION", "order_predictions"]

CONCATENATION = ("concat-mlp", "concat-linear")

ATTENTION = {
    **dict.fromkeys(("bilinear", "cross-attention", "two-way-attention", "token-attention"), None),
    "low-rank": 16,
}
"""Heads of the attention class, with the rank of the query-key product; None for full rank."""

_BY = "orders: sign, rise and decay only"
_NO_CLASS = "not predicted: the orders have no such head"


def order_predictions(
    places: pd.DataFrame, dimensions: tuple[int, int], aligned: Collection[str]
) -> pd.DataFrame:
    """Return what the orders say of each cell; ``predicted`` is missing everywhere.

    Args:
        places: one row per cell, columns `PLACE`.
        dimensions: d_v and d_t.
        aligned: names of the conditions that count as aligned.

    Example:
        >>> cell = {"condition": "aligned", "head": "bilinear", "n": 2048, "sigma": 0, "side": ""}
        >>> told = order_predictions(pd.DataFrame([cell]), (512, 512), {"aligned"})
        >>> told[["gap_sign", "rises", "ratio_high"]].iloc[0].tolist()
        [1.0, 1.0, 2.0]
    """
    rows = []
    for place in records(places[PLACE]):
        head, n = str(place["head"]), int(place["n"])
        if head not in (*CONCATENATION, *ATTENTION):
            rows.append(prediction(place, "orders", _NO_CLASS))
            continue
        said = {"rises": 1.0}
        if head in ATTENTION and place["condition"] in aligned:
            rank = ATTENTION[head]
            rank = None if rank is None else min(rank, *dimensions)
            gap = Orders(*dimensions, rank=rank).estimation_gap(n)[0]
            said |= {
                "gap_sign": float(np.sign(gap)),
                "ratio_low": gap_decay(n, 2 * n, "slow"),
                "ratio_high": gap_decay(n, 2 * n, "fast"),
            }
        rows.append(prediction(place, "orders", _BY, **said))
    return as_table(rows)
