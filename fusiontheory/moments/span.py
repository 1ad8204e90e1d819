"""Rows of more columns than there are rows, as coordinates in the space that they span."""

from __future__ import annotations

import numpy as np

from fusiontheory.constraints import checked, numbers
from fusiontheory.typing import AnyArray

__all__ = ["in_own_span"]


@checked(rows=numbers)
def in_own_span(rows: AnyArray) -> AnyArray:
    """Return rows (n, min(n, d)) that have the same inner products.

    What hangs on lengths and angles alone, kernels and covariance eigenvalues for two, is the same
    and does not take the d^2 numbers of a covariance matrix: genes are 20,000 columns.

    Args:
        rows: shape (n, d).

    Example:
        >>> rows = np.random.default_rng(0).standard_normal((3, 1000))
        >>> few = in_own_span(rows)
        >>> few.shape, bool(np.allclose(few @ few.T, rows @ rows.T))
        ((3, 3), True)
    """
    if rows.shape[1] <= len(rows):
        return rows
    kind = np.float32 if rows.dtype == np.float32 else np.float64
    # rows^T = Q R, and Q turns nothing but the axes.
    turned = np.asarray(np.linalg.qr(rows.T.astype(kind), mode="r"))
    return turned.T
