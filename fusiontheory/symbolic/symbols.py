"""The symbols that the formulas are written in."""

from __future__ import annotations

import sympy as sp

__all__ = [
    "DRIVERS",
    "SYMBOLS",
]

D_V, D_T, RANK, CONSTANT, N = sp.symbols("d_v d_t r c n", positive=True)

EPS_CONCAT, EPS_ATTENTION = sp.symbols("eps_concat eps_attention", nonnegative=True)

ALIGNMENT, NOISE = sp.symbols("A s2", nonnegative=True)

MISFIT = sp.Symbol("Delta", positive=True)

SYMBOLS = (D_V, D_T, RANK, CONSTANT, EPS_CONCAT, EPS_ATTENTION, N)
"""The arguments of every `numpy_function`, in this order: d_v, d_t, r, c, two errors, n."""

DRIVERS = (ALIGNMENT, NOISE, MISFIT)
"""What `in_alignment_and_noise` adds: A in [0, 1], s^2 and the misfit Delta, in units of risk."""
