r"""Levels 1 to 3 in symbols, for spectra so simple that the equations close.

- Level 1, least squares on Gaussian features, at finite n: `approximation`, `estimation`,
  `excess_risk`, `crossover`. The target of power b^2 is an additive part, linear in [v; t], and an
  interaction v^T B t of share eta; a fusion sees what it cannot represent as noise.
- Level 2, ridge regression on p features of one eigenvalue lambda: `isotropic_*`.
- Level 3, image-text matching by the bilinear head on Gaussian pairs with d_v = d_t = d, unit
  variances and all canonical correlations rho, under added noise: `matching_*`.

Each function returns a `Formula`: an expression in sympy with ``numpy()`` and ``latex()``. With
``solved=False`` kappa stays a symbol; at Level 3 it is that of p = d^2 and lam = Lambda.

| symbol | meaning |
|---|---|
| d_v, d_t, d; r | dimensions of the features; rank of a bilinear form |
| p, n | number of features, of samples |
| lam, delta, kappa | eigenvalue, ridge of (K + delta I)^{-1}, effective ridge; in units of lam |
| b2, s2 | power of the target, variance of the noise; in squared label units |
| eta, tau | share of b2 in the interaction; share of the interaction beyond rank r |
| rho | canonical correlation of matched pairs, 0 <= rho < 1 |
| sigma_v2, sigma_t2 | variance of noise added to each image and text feature |

Derivations: ``docs/orders.md`` and ``docs/theory.md``. Sources: Hastie et al., arXiv:1903.08560;
Canatar, Bordelon & Pehlevan, arXiv:2006.13198; Simon et al., arXiv:2110.03922.
"""

from __future__ import annotations

import sympy as sp

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.symbolic import orders
from fusiontheory.symbolic.formula import Formula
from fusiontheory.symbolic.symbols import NOISE, N

__all__ = [
    "FUSIONS",
    "REGIMES",
    "Formula",
    "approximation",
    "crossover",
    "dimension",
    "estimation",
    "excess_risk",
    "isotropic_accuracy",
    "isotropic_gamma",
    "isotropic_kappa",
    "isotropic_optimal_ridge",
    "isotropic_optimal_risk",
    "isotropic_risk",
    "isotropic_training_risk",
    "matching_accuracy",
    "matching_argument",
    "matching_concat_accuracy",
    "matching_noise_slope",
    "matching_risk",
    "matching_signal",
]

P, D, LAM, DELTA, KAPPA, POWER = sp.symbols("p d lam delta kappa b2", positive=True)
RHO, SHARE, TAIL = sp.symbols("rho eta tau", nonnegative=True)
NOISE_V, NOISE_T = sp.symbols("sigma_v2 sigma_t2", nonnegative=True)

FUSIONS = ("concat", "bilinear", "low-rank")
"""Linear in [v; t], in v (x) t, and v^T W t with W of rank at most r."""
REGIMES = ("under", "over")
"""More samples than features (n > p + 1), and fewer (n < p - 1)."""

_LEARNED = LAM / (LAM + KAPPA)
# Lambda, the variance of each product of a noisy image and a noisy text feature.
_VARIANCE = (1 + NOISE_V) * (1 + NOISE_T)
_SIGNAL = D * RHO**2 / (_VARIANCE + RHO**2 / 2 + KAPPA)


# Level 1


@checked
def dimension(fusion: str) -> Formula:
    """p of a fusion: d_v + d_t, d_v d_t, or r (d_v + d_t - r).

    Raises:
        InputError: if ``fusion`` is not one of `FUSIONS`.

    >>> print(dimension("low-rank"))
    r*(d_t + d_v - r)
    """
    if _known("fusion", fusion, FUSIONS) == "concat":
        return Formula(orders.concat_dimension())
    return Formula(orders.attention_dimension(low_rank=fusion == "low-rank"))


@checked
def approximation(fusion: str) -> Formula:
    """Target power that a fusion cannot represent, at any n.

    eta b^2 for concatenation, (1 - eta) b^2 for the bilinear form; at rank r the share tau of the
    interaction comes on top: that of all but the r largest singular values of its matrix.

    Raises:
        InputError: if ``fusion`` is not one of `FUSIONS`.

    >>> print(approximation("concat"), "|", approximation("bilinear"))
    b2*eta | b2*(1 - eta)
    """
    missed = {"concat": SHARE, "bilinear": 1 - SHARE, "low-rank": 1 - SHARE + TAIL * SHARE}
    return Formula(POWER * missed[_known("fusion", fusion, FUSIONS)])


@checked
def estimation(fusion: str, regime: str = "under") -> Formula:
    """Error from fitting n samples, above the approximation error.

        under, n > p + 1:  u p/(n - p - 1)
        over,  n < p - 1:  (1 - n/p) (b^2 - approximation) + u n/(p - n - 1)

    with u = s^2 + approximation. Exact for Gaussian features ("over": isotropic ones too) if the
    missed part is independent of them, as the noise is; ``docs/orders.md`` has what dependence
    changes. For "low-rank", no linear class, it is the first order in 1/n at best.

    Raises:
        InputError: for a fusion or regime that is not known, and for "low-rank" with "over".

    >>> print(estimation("bilinear"))
    d_t*d_v*(b2*(1 - eta) + s2)/(-d_t*d_v + n - 1)
    """
    missed, p = approximation(fusion).expression, dimension(fusion).expression
    if _known("regime", regime, REGIMES) == "under":
        return Formula((NOISE + missed) * p / (N - p - 1))
    if fusion == "low-rank":
        raise InputError(
            "regime must be 'under' for low-rank, got 'over': matrices of rank r are no linear"
            " space and have no interpolator of least norm in closed form"
        )
    return Formula((1 - N / p) * (POWER - missed) + (NOISE + missed) * N / (p - N - 1))


@checked
def excess_risk(fusion: str, regime: str = "under") -> Formula:
    """Return `approximation` plus `estimation`: the test error above the noise.

    Raises:
        InputError: as `estimation`.

    >>> print(excess_risk("concat"))
    b2*eta + (d_t + d_v)*(b2*eta + s2)/(-d_t - d_v + n - 1)
    """
    return Formula(approximation(fusion).expression + estimation(fusion, regime).expression)


@checked
def crossover(fusion: str = "bilinear") -> Formula:
    """n* > p + 1 where concatenation and ``fusion`` have the same risk; infinity if never.

    With u = s^2 + approximation, the risk on a noisy label is u (n - 1)/(n - p - 1); equal where
    u_concat (n - 1 - p) = u (n - 1 - p_concat):

        n* = 1 + (u_concat p - u p_concat)/(u_concat - u),

    beyond both interpolation thresholds if the fusion of more features misses less, for the full
    bilinear form of d_v, d_t > 2: if eta > 1/2. Below the thresholds, at n < p + 1, the curves can
    cross again at the interpolation peak of concatenation; that is not counted here.

    Raises:
        InputError: if ``fusion`` is not "bilinear" or "low-rank".

    >>> crossover().numpy()(d_v=10, d_t=10, b2=1, s2=[0.1, 1], eta=0.75).round(1).tolist()
    [157.0, 301.0]
    >>> crossover().numpy()(d_v=10, d_t=10, b2=1, s2=1, eta=0.5).tolist()
    inf
    """
    _known("fusion", fusion, FUSIONS[1:])
    few, many = dimension("concat").expression, dimension(fusion).expression
    missed, other = approximation("concat").expression, approximation(fusion).expression
    advantage = sp.expand((missed - other) / POWER)
    finite = 1 + ((NOISE + missed) * many - (NOISE + other) * few) / (POWER * advantage)
    return Formula(sp.Piecewise((finite, (many - few) * advantage > 0), (sp.oo, True)))


# Level 2


def isotropic_kappa() -> Formula:
    """kappa, the positive root of n kappa^2 + (n lam - p lam - delta) kappa = delta lam.

    That is p lam/(lam + kappa) + delta/kappa = n. In floats it loses digits where n > p and
    delta is tiny: a relative error of 1e-16 (n - p)^2 lam/(n delta).

    >>> isotropic_kappa().numpy()(p=100, n=50, lam=1.0, delta=0.0).tolist()
    1.0
    """
    return Formula(_kappa(P, LAM))


@checked
def isotropic_gamma(solved: bool = True) -> Formula:
    """gamma = (p/n) L^2, L = lam/(lam + kappa): the share of the test error that is variance.

    >>> print(isotropic_gamma(solved=False))
    lam**2*p/(n*(kappa + lam)**2)
    """
    return _solved(_gamma(P, LAM), P, LAM, solved)


@checked
def isotropic_risk(solved: bool = True) -> Formula:
    """Test error ((1 - L)^2 b^2 + s^2)/(1 - gamma) on a noisy label; b^2 over all p features.

    >>> isotropic_risk().numpy()(p=100, n=200, lam=1.0, delta=0.0, b2=1.0, s2=1.0).tolist()
    2.0
    """
    return _solved(_risk(), P, LAM, solved)


@checked
def isotropic_training_risk(solved: bool = True) -> Formula:
    """Training error (delta/(n kappa))^2 times `isotropic_risk`, delta/kappa = n - p L.

    >>> isotropic_training_risk().numpy()(p=100, n=200, lam=1, delta=0, b2=1, s2=1).tolist()
    0.5
    """
    return _solved((1 - P * _LEARNED / N) ** 2 * _risk(), P, LAM, solved)


@checked
def isotropic_accuracy(solved: bool = True) -> Formula:
    """Accuracy Phi(L b^2/sqrt(L^2 b^2 (1 - b^2) + gamma E)) for labels y = +-1, half of each.

    Here b^2 < 1 is the power of the best linear predictor f* of y, so that s^2 = 1 - b^2, and E
    is `isotropic_risk`. It applies where f* is normal within a class, with the same variance in
    both: E[y f*] = E[f*^2] = b^2 makes its class means +-b^2 and its variance b^2 (1 - b^2). So
    it is for two Gaussian classes of one covariance, and for n large that of the linear
    discriminant, Phi(b/sqrt(1 - b^2)); for y = sign(f* + noise) it does not apply.

    >>> round(float(isotropic_accuracy().numpy()(p=1, n=1e9, lam=1, delta=0, b2=0.5)), 4)
    0.8413
    """
    mean = _LEARNED * POWER
    risk = _risk().subs(NOISE, 1 - POWER)
    variance = _LEARNED**2 * POWER * (1 - POWER) + _gamma(P, LAM) * risk
    return _solved(_normal(mean / sp.sqrt(variance)), P, LAM, solved)


def isotropic_optimal_ridge() -> Formula:
    """delta of least test error, s^2 lam p/b^2: noise over the signal of one feature, at any n.

    >>> print(isotropic_optimal_ridge())
    lam*p*s2/b2
    """
    return Formula(NOISE * LAM * P / POWER)


@checked
def isotropic_optimal_risk(solved: bool = True) -> Formula:
    """Test error at `isotropic_optimal_ridge`, s^2 + (1 - L) b^2; lam drops out when solved.

    >>> print(isotropic_optimal_risk(solved=False))
    b2*kappa/(kappa + lam) + s2
    """
    risk = NOISE + POWER * KAPPA / (LAM + KAPPA)
    if not solved:
        return Formula(risk)
    # Only kappa/lam enters, and it depends on delta/lam alone.
    kappa = _kappa(P, sp.Integer(1)).subs(DELTA, NOISE * P / POWER)
    return Formula(risk.subs({LAM: 1, KAPPA: kappa}, simultaneous=True))


# Level 3


@checked
def matching_signal(solved: bool = True) -> Formula:
    """q = d rho^2/(Lambda + rho^2/2 + kappa).

    The class means of v (x) t differ by C = rho I, of square d rho^2. For Gaussian pairs its
    covariance takes a matrix W to Lambda W in the mismatched class and to Lambda W + C W^T C in
    the matched one, so that C itself has the variance Lambda + rho^2/2 on average. Noise adds to
    Lambda and leaves C alone.

    >>> print(matching_signal(solved=False))
    d*rho**2/(kappa + rho**2/2 + (sigma_t2 + 1)*(sigma_v2 + 1))
    """
    return _solved(_SIGNAL, D**2, _VARIANCE, solved)


@checked
def matching_risk(solved: bool = True) -> Formula:
    """E = ((1 - m)^2 + s)/(1 - gamma), m = q/(4 + q), s = 4 (q + kappa dq/dkappa)/(4 + q)^2.

    The test error against labels +-1, as in `fusiontheory.matching.model`.

    >>> matching_risk().numpy()(d=2, n=8, delta=0, rho=1, sigma_v2=0, sigma_t2=0).tolist()
    1.5
    """
    q = _SIGNAL
    within = 4 * (q + KAPPA * sp.diff(q, KAPPA))
    risk = (16 + within) / (4 + q) ** 2 / (1 - _gamma(D**2, _VARIANCE))
    return _solved(risk, D**2, _VARIANCE, solved)


@checked
def matching_argument(solved: bool = True) -> Formula:
    """z = m/sqrt(s + gamma E), the accuracy being Phi(z).

    m, s and E of `matching_risk` give, with A = Lambda + rho^2/2 and g = gamma/(1 - gamma),

        1/z^2 = 4 (1 + g) A/(d rho^2) + 16 g ((A + kappa)/(d rho^2))^2.

    >>> z = matching_argument().numpy()(d=10, n=1e12, delta=1, rho=1, sigma_v2=0, sigma_t2=0)
    >>> round(float(z**2), 6)  # d rho^2/(4 + 2 rho^2), the linear discriminant
    1.666667
    """
    return _solved(_argument(_VARIANCE), D**2, _VARIANCE, solved)


@checked
def matching_accuracy(solved: bool = True) -> Formula:
    """Accuracy Phi(z) of the bilinear head, scores within a class taken as normal.

    The law of products and of scores differs from the normal one at order 1/d, more so at strong
    correlation: on simulated pairs with rho = 2.2/sqrt(d), n = d^2/2 the risk is 35, 14, 8 and 2 %
    above `matching_risk` at d = 6, 12, 24, 36 and the accuracy within 0.6 points; with rho = 0.9
    and d = 20 the accuracy is 2 points above.

    >>> accuracy = matching_accuracy().numpy()
    >>> accuracy(d=10, n=[20, 200], delta=10, rho=0.9, sigma_v2=0, sigma_t2=0).round(3).tolist()
    [0.737, 0.786]
    """
    return _solved(_normal(_argument(_VARIANCE)), D**2, _VARIANCE, solved)


def matching_concat_accuracy() -> Formula:
    """1/2 at any n: a score linear in [v; t] has the same mean for matched and mismatched pairs.

    >>> print(matching_concat_accuracy())
    0.5
    """
    return Formula(sp.Rational(1, 2))


@checked
def matching_noise_slope(solved: bool = True) -> Formula:
    """dz/d sigma_v^2 of `matching_argument` at fixed n and delta; below 0 wherever rho > 0.

    Noise enters through Lambda alone. Put x = kappa/Lambda and R = rho^2/Lambda: then 1/z^2 is

        4 (1 + g) (1/R + 1/2)/d + 16 g ((1 + x)/R + 1/2)^2/d^2,  g = d^2/(n (1 + x)^2 - d^2),

    which falls in R and in x: g falls in x, and so does g ((1 + x)/R + 1/2)^2, whose logarithm
    has the slope -(2 d^2 + n (1 + x) R)/((1 + x + R/2) (n (1 + x)^2 - d^2)). More noise lowers R,
    and x too, as d^2/(1 + x) + (delta/Lambda)/x = n. So z falls.

    >>> slope = matching_noise_slope().numpy()
    >>> bool(slope(d=10, n=200, delta=10, rho=0.9, sigma_v2=0, sigma_t2=0) < 0)
    True
    """
    level = sp.Symbol("Lambda", positive=True)
    z = _argument(level)
    # From d^2 L + delta/kappa = n at fixed delta, with delta/kappa = n - d^2 L.
    kappa_slope = (D * KAPPA / (level + KAPPA)) ** 2 / (N * (1 - _gamma(D**2, level)))
    slope = (sp.diff(z, level) + sp.diff(z, KAPPA) * kappa_slope) * (1 + NOISE_T)
    return _solved(slope.subs(level, _VARIANCE), D**2, _VARIANCE, solved)


# Parts that Levels 2 and 3 share; kappa is a symbol.


def _kappa(p: sp.Expr, eigenvalue: sp.Expr) -> sp.Expr:
    room = p * eigenvalue + DELTA - N * eigenvalue
    return (room + sp.sqrt(room**2 + 4 * N * DELTA * eigenvalue)) / (2 * N)


def _gamma(p: sp.Expr, eigenvalue: sp.Expr) -> sp.Expr:
    return p * (eigenvalue / (eigenvalue + KAPPA)) ** 2 / N


def _risk() -> sp.Expr:
    return ((KAPPA / (LAM + KAPPA)) ** 2 * POWER + NOISE) / (1 - _gamma(P, LAM))


def _argument(level: sp.Expr) -> sp.Expr:
    square, within = D * RHO**2, level + RHO**2 / 2
    gamma = _gamma(D**2, level)
    inverse = 4 * square * within + 16 * gamma * (within + KAPPA) ** 2
    return square * sp.sqrt((1 - gamma) / inverse)


def _normal(argument: sp.Expr) -> sp.Expr:
    return (1 + sp.erf(argument / sp.sqrt(2))) / 2  # the normal distribution function


def _solved(expression: sp.Expr, p: sp.Expr, eigenvalue: sp.Expr, solved: bool) -> Formula:
    return Formula(expression.subs(KAPPA, _kappa(p, eigenvalue)) if solved else expression)


def _known(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise InputError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    return value
