"""Types that several rooms share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["AnyArray", "Array", "Floats", "Integers", "Orders", "Single", "Sizes"]

Array: TypeAlias = NDArray[np.float64]
"""Numbers that are computed with, in double precision."""

AnyArray: TypeAlias = NDArray[Any]
"""Features, in the precision in which they came."""

Floats: TypeAlias = NDArray[np.floating[Any]]
"""Real numbers in double or single precision."""

Single: TypeAlias = NDArray[np.float32]
"""Real numbers in single precision, as features are kept."""

Integers: TypeAlias = NDArray[np.int64]
"""Row numbers, ranks and counts."""

Sizes: TypeAlias = Sequence[float] | NDArray[Any]
"""Numbers of samples, in a list or an array."""

Orders: TypeAlias = Mapping[tuple[int, int], float]
"""k_ab of a kernel sum_ab k_ab (v.v')^a (t.t')^b, by (a, b)."""
