"""Values that little code expects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


def _deep(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


HOSTILE: tuple[Callable[[], Any], ...] = (
    lambda: None, lambda: "", lambda: "x" * 5000, lambda: "a\0b", lambda: b"bytes",
    lambda: "\ud800",
    lambda: -1, lambda: 0, lambda: True, lambda: 2**63, lambda: -(2**63), lambda: 10**400,
    lambda: 10**12, lambda: 10**7, lambda: 1.5, lambda: -0.5, lambda: float("nan"),
    lambda: float("inf"), lambda: -float("inf"), lambda: 1e300, lambda: 1e-300, lambda: 1e30,
    lambda: 1 + 2j, lambda: [], lambda: (), lambda: {}, lambda: set(), lambda: [[1.0], [1.0, 2.0]],
    lambda: [None], lambda: ["a", 1], lambda: {"a": 1}, lambda: object(), lambda: abs,
    lambda: int, lambda: np.zeros(0), lambda: np.zeros((0, 3)), lambda: np.zeros((3, 3)),
    lambda: np.ones((4, 4, 4)), lambda: np.full((8, 3), np.nan), lambda: np.full(4, np.inf),
    lambda: np.array([1, "a", None], dtype=object), lambda: np.ones(3, dtype=complex),
    lambda: np.ones(4, dtype=np.longdouble), lambda: np.array(["a", "b"]), lambda: np.float32(1),
    lambda: np.array("2020-01-01", dtype="datetime64[D]"), lambda: np.ones((8, 3)) * 1e200,
    lambda: np.full((8, 3), 1e-200), lambda: [1, 2], lambda: [3, 1, 2], lambda: [-1.0, 2.0],
    lambda: np.arange(12).reshape(4, 3), lambda: pd.DataFrame({"a": [1.0, 2.0]}),
    lambda: np.ma.masked_array([1.0, 2.0], [True, False]), lambda: iter([1]), lambda: range(3),
    lambda: _deep(500), lambda: [2**70], lambda: [1e308, 1e308], lambda: np.array(5),
)  # fmt: skip
