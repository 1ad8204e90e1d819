r"""Level 0: the orders in which Zhou & Xie count samples. Their claim under test, not our finding.

    R_concat(n) = eps_concat    + c D_concat / n,    D_concat    = d_v + d_t
    R_attn(n)   = eps_attention + c D_attention / n, D_attention = d_v d_t

or, by uniform convergence, with c sqrt(D/n) in place of c D/n. A head of total attention width
r < min(d_v, d_t) has a query-key product of rank at most r, of dimension r (d_v + d_t - r). The
two risks are equal at the crossover n*; if both heads approximate equally well, never.

What can be tested against a measured gap: that it decays as 1/n, or as 1/sqrt(n) (`gap_decay`).
The paper also argues with alignment and noise. The simplest way in which they can enter is
`in_alignment_and_noise`; with it `crossover_limits` says what "aligned: never" means.

Each function returns one equation in sympy; `numpy_function` turns it into a function of arrays,
`plain_text` and `latex_text` write it; `Formula` holds one together with these, for Levels 1 to 3
(`fusiontheory.symbolic.closed_forms`) too. `fusiontheory.symbolic.Orders` puts numbers in.
Derivations: ``docs/orders.md``.

Sources: Zhou & Xie, arXiv:2606.01207 (the orders, the ratio, the crossover); Shalev-Shwartz &
Ben-David, *Understanding Machine Learning* (2014), chapters 6 and 9 (both rates).
"""

from __future__ import annotations

import math

import sympy as sp

from fusiontheory.checks import InputError, sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.symbolic.symbols import (
    ALIGNMENT,
    CONSTANT,
    D_T,
    D_V,
    EPS_ATTENTION,
    EPS_CONCAT,
    MISFIT,
    NOISE,
    RANK,
    N,
)

__all__ = [
    "RATES",
    "attention_dimension",
    "attention_risk",
    "concat_dimension",
    "concat_risk",
    "crossover",
    "crossover_limits",
    "dimension_ratio",
    "estimation_error",
    "estimation_gap",
    "exponent",
    "gap_decay",
    "in_alignment_and_noise",
]


RATES = {"fast": sp.Integer(1), "slow": sp.Rational(1, 2)}
"""Exponent of D/n in the estimation error: "fast" is c D/n, "slow" is c sqrt(D/n)."""


def concat_dimension() -> sp.Expr:
    """D_concat = d_v + d_t, the weights of a linear head on [v; t].

    >>> concat_dimension()
    d_t + d_v
    """
    return D_V + D_T


def attention_dimension(low_rank: bool = False) -> sp.Expr:
    """D_attention = d_v d_t, the entries of a query-key product W in v^T W t.

    With ``low_rank`` it is r (d_v + d_t - r), the dimension of the d_v x d_t matrices of rank
    r <= min(d_v, d_t): the two agree at r = min(d_v, d_t).

    >>> attention_dimension(), attention_dimension(low_rank=True)
    (d_t*d_v, r*(d_t + d_v - r))
    """
    return RANK * (D_V + D_T - RANK) if low_rank else D_V * D_T


@checked
def dimension_ratio(low_rank: bool = False) -> sp.Expr:
    """D_attention / D_concat: how many times more samples the claim gives cross-attention.

    >>> dimension_ratio().subs({D_V: 512, D_T: 512})
    256
    """
    return attention_dimension(low_rank) / concat_dimension()


def exponent(rate: str) -> sp.Rational:
    """Return the exponent of D/n in the estimation error: 1 ("fast") or 1/2 ("slow").

    Raises:
        InputError: if ``rate`` is not one of `RATES`.

    >>> exponent("slow")
    1/2
    """
    if not isinstance(rate, str) or rate not in RATES:
        raise InputError(f"rate must be one of {', '.join(RATES)}, got {rate!r}")
    return RATES[rate]


def estimation_error(dimension: sp.Expr, rate: str = "fast") -> sp.Expr:
    """c D/n ("fast") or c sqrt(D/n) ("slow"), in units of risk; c differs between the two.

    Raises:
        InputError: if ``rate`` is not one of `RATES`.

    >>> estimation_error(concat_dimension(), "slow")
    c*sqrt(d_t + d_v)/sqrt(n)
    """
    power = exponent(rate)
    return CONSTANT * dimension**power / N**power


@checked
def concat_risk(rate: str = "fast") -> sp.Expr:
    """R_concat(n) = eps_concat + c (d_v + d_t)/n, or eps_concat + c sqrt((d_v + d_t)/n).

    Raises:
        InputError: if ``rate`` is not one of `RATES`.

    >>> concat_risk()
    c*(d_t + d_v)/n + eps_concat
    """
    return EPS_CONCAT + estimation_error(concat_dimension(), rate)


def attention_risk(rate: str = "fast", low_rank: bool = False) -> sp.Expr:
    """R_attn(n) = eps_attention + c d_v d_t/n, or eps_attention + c sqrt(d_v d_t/n).

    Raises:
        InputError: if ``rate`` is not one of `RATES`.

    >>> attention_risk()
    c*d_t*d_v/n + eps_attention
    """
    return EPS_ATTENTION + estimation_error(attention_dimension(low_rank), rate)


def _excess_dimension(rate: str, low_rank: bool) -> sp.Expr:
    """D_attention - D_concat, or the difference of their roots."""
    power = exponent(rate)
    return attention_dimension(low_rank) ** power - concat_dimension() ** power


def estimation_gap(rate: str = "fast", low_rank: bool = False) -> sp.Expr:
    """Estimation error of cross-attention less that of concatenation, c (d_v d_t - d_v - d_t)/n.

    Units of risk; negative where the attention head has the smaller dimension, as at rank 1.

    Raises:
        InputError: if ``rate`` is not one of `RATES`.

    >>> estimation_gap()
    c*(d_t*d_v - d_t - d_v)/n
    """
    return CONSTANT * _excess_dimension(rate, low_rank) / N ** exponent(rate)


def crossover(rate: str = "fast", low_rank: bool = False) -> sp.Expr:
    """n* where R_concat(n*) = R_attn(n*), and infinity where no n > 0 solves that.

        fast: n* = c (D_attention - D_concat)/(eps_concat - eps_attention)
        slow: n* = (c (sqrt(D_attention) - sqrt(D_concat))/(eps_concat - eps_attention))^2

    if the numerator and the denominator have the same sign: for (d_v - 1)(d_t - 1) > 1 at full
    rank, if eps_concat > eps_attention. Units of samples; not rounded.

    Raises:
        InputError: if ``rate`` is not one of `RATES`.

    >>> crossover().subs({D_V: 512, D_T: 512, CONSTANT: 1, EPS_CONCAT: 1, EPS_ATTENTION: 0})
    261120
    """
    excess, advantage = _excess_dimension(rate, low_rank), EPS_CONCAT - EPS_ATTENTION
    finite = (CONSTANT * excess / advantage) ** (1 / exponent(rate))
    return sp.Piecewise((finite, excess * advantage > 0), (sp.oo, True))


def in_alignment_and_noise(expression: sp.Expr) -> sp.Expr:
    """Write eps_concat and c in one of the expressions as functions of alignment and noise.

        eps_concat = eps_attention + (1 - A) Delta,      c -> c s^2

    A in [0, 1] is the alignment: at 1 concatenation approximates as well as attention does, at 0
    it misses Delta. s^2 is the variance of the noise, to which the estimation error of least
    squares is proportional (`fusiontheory.symbolic.estimation`). The paper gives no
    such formulas; these are the simplest that do what it says.

    >>> in_alignment_and_noise(estimation_gap())
    c*s2*(d_t*d_v - d_t - d_v)/n
    """
    aligned = EPS_ATTENTION + (1 - ALIGNMENT) * MISFIT
    return expression.subs({EPS_CONCAT: aligned, CONSTANT: CONSTANT * NOISE}, simultaneous=True)


def crossover_limits(rate: str = "fast", low_rank: bool = False) -> dict[str, sp.Expr]:
    """Return the limits of n* in alignment and in noise, for D_attention > D_concat.

    "aligned" is the limit A -> 1, "unaligned" A -> 0, "noiseless" s^2 -> 0 and "noisy"
    s^2 -> infinity, both at A < 1; in samples.

    Raises:
        InputError: if ``rate`` is not one of `RATES`.

    >>> crossover_limits()["aligned"], crossover_limits()["unaligned"]
    (oo, c*s2*(d_t*d_v - d_t - d_v)/Delta)
    """
    power = exponent(rate)
    # Symbols of known sign, without which a limit depends on the sign of each factor.
    excess, misaligned = sp.symbols("excess misaligned", positive=True)
    finite = (CONSTANT * NOISE * excess / (misaligned * MISFIT)) ** (1 / power)
    limits = {
        "aligned": sp.limit(finite.subs(NOISE, sp.Symbol("s2", positive=True)), misaligned, 0),
        "unaligned": sp.limit(finite, misaligned, 1),
        "noiseless": sp.limit(finite, NOISE, 0),
        "noisy": sp.limit(finite, NOISE, sp.oo),
    }
    return {
        name: limit.subs(excess, _excess_dimension(rate, low_rank))
        for name, limit in limits.items()
    }


@checked
def gap_decay(n_from: float, n_to: float, rate: str = "fast") -> float:
    """Factor by which the estimation gap falls from n_from to n_to: n_to/n_from or its root.

    It holds whatever the constant, the dimensions and the rank, so a gap that stays flat in n
    contradicts the order. The published gap is 4.1 to 5.1 points at every n from 2048 to 16384.

    Raises:
        InputError: if a sample size is below 1, or ``rate`` is not one of `RATES`.

    >>> gap_decay(2048, 16384)
    8.0
    """
    start, end = float(sample_sizes("n_from", n_from)[0]), float(sample_sizes("n_to", n_to)[0])
    return math.pow(end / start, exponent(rate))
