"""Types that several rooms share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["AnyArray", "Array", "Orders", "Rows"]

Array: TypeAlias = NDArray[np.float64]
"""Numbers that are computed with, in double precision."""

AnyArray: TypeAlias = NDArray[Any]
"""Features, in the precision in which they came."""

Rows: TypeAlias = NDArray[np.int64]
"""Rows of a feature set."""

Orders: TypeAlias = Mapping[tuple[int, int], float]
"""k_ab of a kernel sum_ab k_ab (v.v')^a (t.t')^b, by (a, b)."""
