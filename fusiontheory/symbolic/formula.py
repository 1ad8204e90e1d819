"""A formula in symbols: text, LaTeX and a function of arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike

from fusiontheory.constraints import checked
from fusiontheory.symbolic.symbols import EPS_ATTENTION, SYMBOLS

__all__ = [
    "Formula",
    "latex_text",
    "numpy_function",
    "plain_text",
]

# Symbols whose name in LaTeX is not the one that sympy makes of them, here and at other levels.
_LATEX_NAMES = {
    "eps_concat": r"\epsilon_{\mathrm{concat}}",
    "eps_attention": r"\epsilon_{\mathrm{attn}}",
    "b2": "b^2",
    "lam": r"\lambda",
    "s2": "s^2",
    "sigma_t2": r"\sigma_t^2",
    "sigma_v2": r"\sigma_v^2",
}


@lru_cache(maxsize=64)
def numpy_function(
    expression: sp.Expr, symbols: tuple[sp.Symbol, ...] = SYMBOLS
) -> Callable[..., Any]:
    """Turn one of the expressions into a numpy function of ``symbols``, by position or keyword.

    Arrays broadcast; a crossover that never comes is infinity.

    >>> from fusiontheory.symbolic import dimension_ratio
    >>> numpy_function(dimension_ratio())(512.0, 512.0, None, None, None, None, None)
    256.0
    """
    function: Callable[..., Any] = sp.lambdify(symbols, expression, ["scipy", "numpy"])
    if not expression.has(sp.Piecewise):
        return function

    def branches(*values: Any, **named: Any) -> Any:
        # Both branches are evaluated, and where there is no crossover one divides by 0.
        with np.errstate(divide="ignore", invalid="ignore"):
            return function(
                *(_array(value) for value in values),
                **{name: _array(value) for name, value in named.items()},
            )

    return branches


def _array(value: Any) -> Any:
    return None if value is None else np.asarray(value, dtype=np.float64)


@checked
@dataclass(frozen=True)
class Formula:
    """One equation's right-hand side, with the functions below as methods.

    Attributes:
        expression: in sympy.

    Example:
        >>> from fusiontheory.symbolic import dimension_ratio
        >>> formula = Formula(dimension_ratio(low_rank=True))
        >>> print(formula)
        r*(d_t + d_v - r)/(d_t + d_v)
        >>> formula.numpy()(d_v=6, d_t=4, r=[1, 4]).tolist()
        [0.9, 2.4]
    """

    expression: sp.Expr

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The symbols in the expression, sorted by name."""
        return tuple(sorted(self.expression.free_symbols, key=str))

    def numpy(self) -> Callable[..., Any]:
        """Return a function that takes every symbol by keyword; arrays and lists broadcast."""
        function = numpy_function(self.expression, self.symbols)

        def evaluate(**values: ArrayLike) -> Any:
            return function(**{name: _array(value) for name, value in values.items()})

        return evaluate

    def latex(self) -> str:
        """Return the expression in LaTeX (package amsmath)."""
        return latex_text(self.expression, order=None)

    def __str__(self) -> str:
        """Return the expression on one line."""
        return plain_text(self.expression, order=None)


def plain_text(expression: sp.Expr, order: str | None = "none") -> str:
    """Write one of the expressions on one line, a crossover with its condition in words.

    ``order`` is how sympy sorts terms. Without sorting an approximation error stands before the
    estimation error.

    >>> from fusiontheory.symbolic import concat_risk
    >>> plain_text(concat_risk())
    'eps_concat + c*(d_t + d_v)/n'
    """
    if expression is sp.oo:
        return "never"
    if isinstance(expression, sp.Piecewise):
        finite, condition = _branch(expression)
        return f"{plain_text(finite, order)} if {plain_text(condition, order)}, never otherwise"
    if _fits_float(expression):
        return f"{float(expression):.10g}"
    return str(sp.sstr(expression, order=order, full_prec=False))


def latex_text(expression: sp.Expr, order: str | None = "none") -> str:
    r"""Write one of the expressions in LaTeX, a crossover as two cases (package amsmath).

    ``order`` is that of `plain_text`.

    >>> from fusiontheory.symbolic import concat_risk
    >>> print(latex_text(concat_risk()))
    \epsilon_{\mathrm{concat}} + \frac{c \left(d_{t} + d_{v}\right)}{n}
    """
    if isinstance(expression, sp.Piecewise):
        finite, condition = (latex_text(part, order) for part in _branch(expression))
        cases = rf"{finite} & \text{{if }} {condition} \\ \infty & \text{{otherwise}}"
        return rf"\begin{{cases}} {cases} \end{{cases}}"
    if _fits_float(expression):
        digits, _, power = f"{float(expression):.10g}".partition("e")
        return rf"{digits} \cdot 10^{{{int(power)}}}" if power else digits
    names = {symbol: _LATEX_NAMES.get(symbol.name) for symbol in expression.free_symbols}
    known = {symbol: name for symbol, name in names.items() if name is not None}
    return str(sp.latex(expression, order=order, symbol_names=known))


def _fits_float(expression: sp.Expr) -> bool:
    try:
        return bool(expression.is_number) and math.isfinite(expression)
    except TypeError:  # a complex number
        return False


def _branch(expression: sp.Piecewise) -> tuple[sp.Expr, sp.Expr]:
    """Return the finite branch of a crossover and its condition, concatenation on its left."""
    finite, condition = expression.args[0].args
    return finite, condition.reversed if condition.lhs is EPS_ATTENTION else condition
