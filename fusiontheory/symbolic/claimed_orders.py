"""The orders that Zhou & Xie claim, with numbers in them: risks, ratio of dimensions, crossover.

The claim under test, not our finding. The equations are in `fusiontheory.symbolic.orders`, one
function each; here they meet dimensions, approximation errors, a rank and a rate.

Source: Zhou & Xie, arXiv:2606.01207.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike

from fusiontheory.checks import (
    InputError,
    non_negative,
    positive_integer,
    sample_sizes,
    set_checked,
)
from fusiontheory.constraints import checked
from fusiontheory.symbolic import orders as formulas
from fusiontheory.symbolic.formula import latex_text, numpy_function, plain_text
from fusiontheory.symbolic.symbols import EPS_ATTENTION, EPS_CONCAT, SYMBOLS
from fusiontheory.typing import Array

__all__ = ["Orders"]

# Up to here a float64 holds every integer exactly.
_LARGEST_INTEGER = 2**53
_CLAIM = "Orders claimed by Zhou & Xie (arXiv:2606.01207): a claim under test, not a finding."
_HEADS = ("concatenation", "cross-attention")
# The left-hand side of each equation, in text and in LaTeX.
_NAMES = {
    "concat_dimension": ("D_concat", r"D_{\mathrm{concat}}"),
    "attention_dimension": ("D_attn", r"D_{\mathrm{attn}}"),
    "dimension_ratio": ("D_attn/D_concat", r"D_{\mathrm{attn}} / D_{\mathrm{concat}}"),
    "concat_risk": ("R_concat(n)", r"R_{\mathrm{concat}}(n)"),
    "attention_risk": ("R_attn(n)", r"R_{\mathrm{attn}}(n)"),
    "estimation_gap": ("gap(n)", r"\mathrm{gap}(n)"),
    "crossover": ("n*", r"n^{*}"),
}


@checked
@dataclass(frozen=True)
class Orders:
    """The claimed orders at given dimensions, c and approximation errors.

    Args:
        d_v: dimension of the image feature, 1 to 2^53.
        d_t: dimension of the text feature, 1 to 2^53.
        constant: c > 0, the same for both heads, in units of risk; each rate has its own.
        eps_concat: approximation error of concatenation, in units of risk. None: not known.
        eps_attention: approximation error of cross-attention. Both errors are given, or neither;
            without them the crossover is a formula and the risks have no value.
        rank: total attention width r <= min(d_v, d_t). None: full rank.
        rate: "fast" (c D/n) or "slow" (c sqrt(D/n)).

    Raises:
        InputError: if an argument is outside these ranges.

    >>> orders = Orders(512, 512, eps_concat=0.2, eps_attention=0.1)
    >>> orders.dimension_ratio
    256.0
    >>> round(orders.crossover())
    2611200
    """

    d_v: int = 512
    d_t: int = 512
    constant: float = 1.0
    eps_concat: float | None = None
    eps_attention: float | None = None
    rank: int | None = None
    rate: str = "fast"

    def __post_init__(self) -> None:
        """Check every argument and store it as the type it is declared as."""
        checked = {name: _dimension(name, getattr(self, name)) for name in ("d_v", "d_t")}
        if self.rank is not None:
            largest = min(checked.values())
            checked["rank"] = positive_integer("rank", self.rank)
            if checked["rank"] > largest:
                raise InputError(
                    f"rank must be at most min(d_v, d_t) = {largest}, got {self.rank}; "
                    "leave it out for full rank"
                )
        formulas.exponent(self.rate)
        for name, value in (checked | self._checked_errors()).items():
            set_checked(self, name, value)

    def _checked_errors(self) -> dict[str, float]:
        constant = non_negative("constant", self.constant)
        if constant == 0:
            raise InputError(f"constant must be above 0, got {self.constant!r}")
        if (self.eps_concat is None) != (self.eps_attention is None):
            raise InputError(
                "eps_concat and eps_attention must be given together, "
                f"got {self.eps_concat!r} and {self.eps_attention!r}"
            )
        if self.eps_concat is None:
            return {"constant": constant}
        names = ("eps_concat", "eps_attention")
        return {"constant": constant} | {k: non_negative(k, getattr(self, k)) for k in names}

    @property
    def concat_dimension(self) -> int:
        """D_concat = d_v + d_t."""
        return self.d_v + self.d_t

    @property
    def attention_dimension(self) -> int:
        """D_attention = d_v d_t, or r (d_v + d_t - r) at rank r."""
        if self.rank is None:
            return self.d_v * self.d_t
        return self.rank * (self.d_v + self.d_t - self.rank)

    @property
    def dimension_ratio(self) -> float:
        """D_attention / D_concat."""
        return self.attention_dimension / self.concat_dimension

    def concat_risk(self, n: ArrayLike) -> Array:
        """R_concat at the sample sizes n: shape () or (m,) gives shape (1,) or (m,).

        Raises:
            InputError: if a sample size is below 1, or the approximation errors are not known.

        >>> Orders(2, 3, eps_concat=0.5, eps_attention=0.0).concat_risk(10)
        array([1.])
        """
        self._require_errors()
        return self._evaluate(formulas.concat_risk(self.rate), n)

    def attention_risk(self, n: ArrayLike) -> Array:
        """R_attn at the sample sizes n: shape () or (m,) gives shape (1,) or (m,).

        Raises:
            InputError: if a sample size is below 1, or the approximation errors are not known.

        >>> Orders(2, 3, eps_concat=0.5, eps_attention=0.0).attention_risk([6, 12])
        array([1. , 0.5])
        """
        self._require_errors()
        return self._evaluate(formulas.attention_risk(self.rate, self.rank is not None), n)

    def estimation_gap(self, n: ArrayLike) -> Array:
        """Estimation error of cross-attention less that of concatenation at n, shape (m,).

        Raises:
            InputError: if a sample size is below 1.

        >>> Orders(512, 512).estimation_gap([2048, 16384])
        array([127.5   ,  15.9375])
        """
        return self._evaluate(formulas.estimation_gap(self.rate, self.rank is not None), n)

    def crossover(self) -> float:
        """n* where both risks are equal, in samples; infinity if they never are.

        Raises:
            InputError: if the approximation errors are not known.

        >>> Orders(512, 512, eps_concat=0.1, eps_attention=0.1).crossover()
        inf
        """
        self._require_errors()
        if not self._signs_agree():
            return float("inf")
        return float(self._put(self.crossover_formula()))

    def crossover_formula(self) -> sp.Expr:
        """`crossover` with its condition reduced to the one on the errors, at these dimensions.

        >>> Orders(2, 2).crossover_formula()
        oo
        """
        excess = self._excess_sign()
        if excess == 0:
            return sp.oo
        finite = formulas.crossover(self.rate, self.rank is not None).args[0].args[0]
        errors = (EPS_CONCAT, EPS_ATTENTION)
        higher, lower = errors if excess > 0 else errors[::-1]
        return sp.Piecewise((finite, higher > lower), (sp.oo, True))

    def verdict(self) -> str:
        """Say in one sentence which fusion the claim gives the lower risk, and where.

        >>> Orders(512, 512, eps_concat=0.1, eps_attention=0.1).verdict()
        'never: concatenation has the lower risk at every n'
        """
        if self.eps_concat is None or self.eps_attention is None:
            return "not known: eps_concat and eps_attention were not given"
        excess = self._excess_sign()
        below, above = _HEADS if excess > 0 else _HEADS[::-1]
        if self._signs_agree():
            if np.isfinite(self.crossover()):
                return f"{below} has the lower risk below n*, {above} above"
            return f"never: {below} has the lower risk at every n that a float64 holds"
        # Without a crossover, R_attn - R_concat has one sign for all n: that of this difference.
        sign = excess - _sign(self.eps_concat, self.eps_attention)
        if sign == 0:
            return "never: both have the same risk at every n"
        return f"never: {_HEADS[0] if sign > 0 else _HEADS[1]} has the lower risk at every n"

    def to_dict(self) -> dict[str, Any]:
        """Return arguments, dimensions, formulas and crossover as values that JSON can hold.

        ``crossover`` is None where there is none or it is not known; ``verdict`` then says why.

        >>> Orders(512, 512).to_dict()["dimension_ratio"]
        256.0
        """
        finite = self.eps_concat is not None and np.isfinite(self.crossover())
        return {
            "claim": _CLAIM,
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "concat_dimension": self.concat_dimension,
            "attention_dimension": self.attention_dimension,
            "dimension_ratio": self.dimension_ratio,
            "crossover": self.crossover() if finite else None,
            "verdict": self.verdict(),
            "gap_decay": {"n_from": 2048, "n_to": 16384, "factor": self._published_decay()},
            "formulas": {name: plain_text(formula) for name, formula in self._formulas().items()},
        }

    def to_text(self) -> str:
        """Return formulas and numbers as lines of plain text.

        >>> print(Orders(512, 512).to_text().splitlines()[4])
        D_attn/D_concat = d_t*d_v/(d_t + d_v) = 256
        """
        rank = "full rank" if self.rank is None else f"rank r = {self.rank}"
        given = f"d_v = {self.d_v}, d_t = {self.d_t}, {rank}, c = {self.constant:g}"
        width = max(len(text) for text, _ in _NAMES.values())
        # A crossover with its condition is long: the one with numbers gets a line of its own.
        breaks = {"crossover": "\n" + " " * width}
        equations = [
            f"{breaks.get(name, '')} = ".join(
                [f"{_NAMES[name][0]:<{width}} = {sides[0]}", *sides[1:]]
            )
            for name, sides in self._sides(plain_text)
        ]
        falls = f"a factor of {self._published_decay():.4g}"
        return "\n".join(
            [
                _CLAIM,
                f"{given}, {self.rate} rate",
                *equations,
                f"Crossover: {self.verdict()}.",
                f"The gap falls by {falls} from n = 2048 to 16384, whatever c, d_v, d_t and r.",
            ]
        )

    def to_latex(self) -> str:
        r"""Return formulas and numbers as an ``align*`` environment of the package amsmath.

        >>> print(Orders(512, 512).to_latex().splitlines()[4].strip())
        D_{\mathrm{attn}} / D_{\mathrm{concat}} &= \frac{d_{t} d_{v}}{d_{t} + d_{v}} = 256 \\
        """
        body = " \\\\\n".join(
            f"  {_NAMES[name][1]} &= {' = '.join(sides)}" for name, sides in self._sides(latex_text)
        )
        return f"% {_CLAIM}\n\\begin{{align*}}\n{body}\n\\end{{align*}}"

    def _formulas(self) -> dict[str, sp.Expr]:
        low_rank = self.rank is not None
        return {
            "concat_dimension": formulas.concat_dimension(),
            "attention_dimension": formulas.attention_dimension(low_rank),
            "dimension_ratio": formulas.dimension_ratio(low_rank),
            "concat_risk": formulas.concat_risk(self.rate),
            "attention_risk": formulas.attention_risk(self.rate, low_rank),
            "estimation_gap": formulas.estimation_gap(self.rate, low_rank),
            "crossover": self.crossover_formula(),
        }

    def _sides(self, write: Callable[[sp.Expr], str]) -> Iterator[tuple[str, list[str]]]:
        """Each equation's right-hand sides: in symbols and, if it differs, with numbers."""
        for name, formula in self._formulas().items():
            both = [write(formula), write(self._put(formula))]
            yield name, both[:1] if both[0] == both[1] else both

    def _values(self) -> dict[sp.Symbol, float | None]:
        values = (self.d_v, self.d_t, self.rank, self.constant, self.eps_concat, self.eps_attention)
        return dict(zip(SYMBOLS, values, strict=False))

    def _put(self, formula: sp.Expr) -> sp.Expr:
        """Put the known numbers into a formula; what is not known stays a symbol."""
        known = {symbol: v for symbol, v in self._values().items() if v is not None}
        # Whole numbers as integers, for 1024/n and not 1024.0/n.
        whole = {k: int(v) for k, v in known.items() if v == int(v) and v <= _LARGEST_INTEGER}
        return formula.subs(known | whole)

    def _evaluate(self, formula: sp.Expr, n: ArrayLike) -> Array:
        sizes = sample_sizes("n", n)
        values = [None if value is None else float(value) for value in self._values().values()]
        return np.asarray(numpy_function(formula)(*values, sizes), dtype=np.float64)

    def _excess_sign(self) -> int:
        return _sign(self.attention_dimension, self.concat_dimension)

    def _signs_agree(self) -> bool:
        if self.eps_concat is None or self.eps_attention is None:
            return False
        return self._excess_sign() * _sign(self.eps_concat, self.eps_attention) > 0

    def _published_decay(self) -> float:
        return formulas.gap_decay(2048, 16384, self.rate)

    def _require_errors(self) -> None:
        if self.eps_concat is None:
            raise InputError(
                "eps_concat and eps_attention must be given to evaluate a risk or the crossover, "
                "got None"
            )


def _dimension(name: str, value: Any) -> int:
    dimension = positive_integer(name, value)
    if dimension > _LARGEST_INTEGER:
        raise InputError(f"{name} must be at most 2^53, got {dimension}")
    return dimension


def _sign(left: float, right: float) -> int:
    return (left > right) - (left < right)
