"""Levels 1 and 2 in symbols: the library's numbers, limits, signs; all formulas."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from fusiontheory import least_squares_risk, ridge_risk, training_risk
from fusiontheory.checks import InputError
from fusiontheory.risk import effective_ridge, overfitting
from fusiontheory.symbolic import (
    D_T,
    D_V,
    DELTA,
    KAPPA,
    LAM,
    NOISE,
    POWER,
    RANK,
    SHARE,
    TAIL,
    Formula,
    N,
    P,
)
from fusiontheory.symbolic import closed_forms as level

FORMULAS = {
    **{f"{f.__name__} {x}": f(x) for f in (level.approximation, level.estimation, level.excess_risk)
       for x in level.FUSIONS},
    **{f"crossover {x}": level.crossover(x) for x in level.FUSIONS[1:]},
    **{name: getattr(level, name)() for name in level.__all__ if name.startswith("isotropic")},
    **{name: getattr(level, name)() for name in level.__all__ if name.startswith("matching")},
}  # fmt: skip
POINT = {
    "d_v": 6, "d_t": 8, "r": 2, "p": 40, "d": 7, "n": 90, "lam": 0.5, "delta": 3.0, "b2": 0.6,
    "s2": 0.3, "eta": 0.7, "tau": 0.1, "rho": 0.8, "sigma_v2": 0.2, "sigma_t2": 0.4, "kappa": 0.1,
}  # fmt: skip

few = st.integers(1, 12)
shares = st.floats(0.0, 1.0)
positive = st.floats(0.01, 10.0)
# The closed form of kappa loses digits at ridges far below this; see its docstring.
ridges = st.floats(0.01, 1000.0)
sizes = st.integers(1, 2000)


def at(formula: Formula) -> dict[str, float]:
    return {str(symbol): POINT[str(symbol)] for symbol in formula.symbols}


# Level 1


@given(few, few, sizes, positive, st.floats(0.0, 3.0), shares)
@settings(max_examples=60, deadline=None)
def test_estimation_is_least_squares_with_the_missed_power_as_noise(d_v, d_t, n, b2, s2, eta):
    values = {"d_v": d_v, "d_t": d_t, "b2": b2, "s2": s2, "eta": eta}
    for fusion, p, missed in (
        ("concat", d_v + d_t, eta * b2),
        ("bilinear", d_v * d_t, (1 - eta) * b2),
    ):
        if abs(n - p) <= 1:
            continue
        formula = level.estimation(fusion, "under" if n > p else "over")
        expected = least_squares_risk(p, n, noise=s2 + missed, signal=b2 - missed)
        got = formula.numpy()(**values, n=n)
        assert float(got) == pytest.approx(expected, rel=1e-8, abs=1e-14)
        missing = level.approximation(fusion).numpy()(b2=b2, eta=eta)
        assert float(missing) == pytest.approx(missed, rel=1e-12)


def test_excess_risk_is_approximation_plus_estimation_and_the_parts_share_the_target():
    for fusion, regime in (*product(level.FUSIONS[:2], level.REGIMES), ("low-rank", "under")):
        parts = level.approximation(fusion).expression + level.estimation(fusion, regime).expression
        assert sp.simplify(level.excess_risk(fusion, regime).expression - parts) == 0
    both = level.approximation("concat").expression + level.approximation("bilinear").expression
    assert sp.simplify(both - POWER) == 0


def test_low_rank_meets_the_full_form_at_full_rank_with_nothing_left_out():
    for formula in (level.approximation, level.estimation, level.excess_risk):
        low = formula("low-rank").expression.subs({RANK: D_V, TAIL: 0})
        assert sp.simplify(low - formula("bilinear").expression) == 0
    assert level.dimension("low-rank").numpy()(d_v=512, d_t=512, r=64) == 64 * (1024 - 64)


def test_low_rank_misses_the_smaller_singular_values_of_the_interaction():
    rng, rank, additive = np.random.default_rng(0), 2, 0.7
    interaction = rng.standard_normal((5, 6))
    left, values, right = np.linalg.svd(interaction, full_matrices=False)
    best = (left[:, :rank] * values[:rank]) @ right[:rank]
    power = np.sum(interaction**2)
    missed = level.approximation("low-rank").numpy()(
        b2=power + additive,
        eta=power / (power + additive),
        tau=np.sum(values[rank:] ** 2) / power,
    )
    assert float(missed) == pytest.approx(additive + np.sum((interaction - best) ** 2), rel=1e-12)


def total(fusion: str) -> sp.Expr:
    return level.excess_risk(fusion).expression + NOISE


@pytest.mark.parametrize("fusion", level.FUSIONS[1:])
def test_crossover_solves_the_equality_of_the_risks(fusion):
    finite = level.crossover(fusion).expression.args[0].args[0]
    (solution,) = sp.solve(sp.together(total("concat") - total(fusion)), N)[-1:]
    assert sp.simplify(solution - finite) == 0
    # n = 1 is the only other root, where neither formula holds.
    assert set(sp.solve(sp.together(total("concat") - total(fusion)), N)) <= {
        sp.Integer(1),
        solution,
    }


@given(st.integers(3, 12), st.integers(3, 12), positive, positive, st.floats(0.01, 0.99))
@settings(max_examples=60, deadline=None)
def test_crossover_is_finite_exactly_if_concatenation_misses_more(d_v, d_t, b2, s2, eta):
    values = {"d_v": d_v, "d_t": d_t, "b2": b2, "s2": s2, "eta": eta}
    n_star = float(level.crossover().numpy()(**values))
    assert math.isfinite(n_star) == (eta > 0.5)
    start = d_v * d_t + 1
    concat, bilinear = (level.excess_risk(f).numpy() for f in level.FUSIONS[:2])

    def ahead(n: float) -> float:
        return float(bilinear(**values, n=n) - concat(**values, n=n))

    if eta <= 0.5:
        assert all(ahead(n) > 0 for n in start + np.logspace(-3, 8, 30))
    elif eta > 0.5 + 1e-6:
        assert n_star > start
        assert ahead(start + (n_star - start) / 2) > 0 > ahead(start + 2 * (n_star - start))


def test_interpolation_peaks_make_crossings_that_the_crossover_leaves_out():
    values = {"d_v": 10, "d_t": 10, "b2": 1.0, "s2": 0.2, "eta": 0.4}
    assert level.crossover().numpy()(**values) == math.inf
    for n, leader in ((22, "bilinear"), (98, "concat")):
        risk = {
            "concat": level.excess_risk("concat").numpy()(**values, n=n),
            "bilinear": level.excess_risk("bilinear", "over").numpy()(**values, n=n),
        }
        assert min(risk, key=risk.get) == leader


def test_limits_of_the_crossover():
    crossover = level.crossover().expression
    finite = crossover.args[0].args[0]
    d, s2 = sp.Symbol("d", integer=True, positive=True) + 2, sp.Symbol("s2", positive=True)
    square = finite.subs({D_V: d, D_T: d, NOISE: s2})
    beyond = sp.Symbol("beyond", positive=True)
    # Nothing to interact: never. As much interaction as addition: at infinity.
    assert crossover.subs({SHARE: 0, D_V: 5, D_T: 5}) == sp.oo
    assert crossover.subs({SHARE: sp.Rational(1, 2), D_V: 5, D_T: 5}) == sp.oo
    assert sp.limit(square.subs(SHARE, sp.Rational(1, 2) + beyond), beyond, 0) == sp.oo
    # Nothing but interaction and no noise: as soon as the bilinear form is determined.
    p = D_V * D_T
    assert sp.simplify(finite.subs({SHARE: 1, NOISE: 0}) - 1 - p) == 0
    # Large dimensions: n* grows as d^2, by the ratio of concatenation's noise to its surplus.
    size = sp.Symbol("size", positive=True)
    ratio = sp.limit(finite.subs({D_V: size, D_T: size}) / size**2, size, sp.oo)
    assert sp.simplify(ratio - (NOISE + SHARE * POWER) / (POWER * (2 * SHARE - 1))) == 0
    # Noise postpones it without bound.
    assert sp.simplify(sp.diff(finite, NOISE) - (p - D_V - D_T) / (POWER * (2 * SHARE - 1))) == 0


def test_a_target_within_the_additive_class_leaves_least_squares_with_p_over_n():
    expansion = sp.series(
        level.estimation("concat").expression.subs(SHARE, 0).subs(N, 1 / P), P, 0, 2
    )
    assert sp.simplify(expansion.removeO() - NOISE * (D_V + D_T) * P) == 0


def test_dependence_of_the_missed_part_adds_four_features_to_the_first_order():
    # u = v^T B t has E[(|v|^2 + |t|^2) u^2] = (d_v + d_t + 4) |B|^2, not (d_v + d_t) |B|^2.
    rng, d, n, draws = np.random.default_rng(0), 3, 600, 600
    weights = rng.standard_normal((d, d))
    weights /= np.linalg.norm(weights)
    errors = np.empty(draws)
    for draw in range(draws):
        x = rng.standard_normal((n, 2 * d))
        y = np.einsum("ni,ij,nj->n", x[:, :d], weights, x[:, d:])
        errors[draw] = np.sum(np.linalg.lstsq(x, y, rcond=None)[0] ** 2)
    values = {"d_v": d, "d_t": d, "n": n, "b2": 1.0, "s2": 0.0, "eta": 1.0}
    ratio = errors / float(level.estimation("concat").numpy()(**values))
    error = ratio.std() / math.sqrt(draws)
    assert abs(ratio.mean() - (1 + 4 / (2 * d))) < 4 * error
    assert ratio.mean() > 1 + 5 * error


# Level 2


@given(st.integers(1, 300), sizes, positive, ridges, positive, st.floats(0.0, 3.0))
@settings(max_examples=60, deadline=None)
def test_isotropic_formulas_are_the_sharp_asymptotics(p, n, lam, ratio, b2, s2):
    delta = lam * ratio
    spectrum, power = np.full(p, lam), np.full(p, b2 / p)
    values = {"p": p, "n": n, "lam": lam, "delta": delta}
    kappa = effective_ridge(spectrum, n, delta)
    assert float(level.isotropic_kappa().numpy()(**values)) == pytest.approx(kappa, rel=1e-8)
    gamma = float(level.isotropic_gamma().numpy()(**values))
    assert 1 / (1 - gamma) == pytest.approx(overfitting(spectrum, kappa, n, delta), rel=1e-8)
    risk = ridge_risk(spectrum, power, n, delta, s2)
    assert float(level.isotropic_risk().numpy()(**values, b2=b2, s2=s2)) == pytest.approx(
        risk, rel=1e-8
    )
    assert float(level.isotropic_training_risk().numpy()(**values, b2=b2, s2=s2)) == pytest.approx(
        training_risk(spectrum, power, n, delta, s2), rel=1e-7
    )
    best = float(level.isotropic_optimal_risk().numpy()(p=p, n=n, b2=b2, s2=s2))
    assert best <= risk * (1 + 1e-9)


def test_risk_is_stationary_at_the_optimal_ridge_and_curved_upwards():
    best = level.isotropic_optimal_ridge().expression
    slope = sp.diff(level.isotropic_risk(solved=False).expression, KAPPA)
    # The n at which the effective ridge of the optimal ridge is kappa.
    n = P * LAM / (LAM + KAPPA) + best / KAPPA
    assert sp.simplify(slope.subs(N, n)) == 0
    second = sp.factor(sp.simplify(sp.diff(slope, KAPPA).subs(N, n)))
    assert second.is_positive or second.subs(NOISE, sp.Symbol("s2", positive=True)).is_positive
    at_best = level.isotropic_risk(solved=False).expression.subs(N, n)
    assert sp.simplify(at_best - level.isotropic_optimal_risk(solved=False).expression) == 0


def test_optimal_risk_is_the_risk_at_the_optimal_ridge():
    values = {"p": 70, "n": [20, 70, 300], "b2": 0.7, "s2": 0.2}
    delta = level.isotropic_optimal_ridge().numpy()(lam=0.3, p=70, b2=0.7, s2=0.2)
    risks = [
        level.isotropic_risk().numpy()(**values, lam=0.3, delta=delta * factor)
        for factor in (1, 0.99, 1.01)
    ]
    np.testing.assert_allclose(
        level.isotropic_optimal_risk().numpy()(**values), risks[0], rtol=1e-9
    )
    assert (risks[1] > risks[0]).all()
    assert (risks[2] > risks[0]).all()


def test_early_stopping_filters_like_ridge():
    # docs/orders.md: gradient flow until t against ridge 1/t, at x = t times the eigenvalue.
    x = np.logspace(-6, 4, 100_001)
    flow, ridge = -np.expm1(-x), x / (1 + x)
    assert (flow / ridge >= 1 - 1e-12).all()
    assert np.max(flow / ridge) == pytest.approx(1.2984, abs=1e-4)


def test_isotropic_limits():
    risk, training = level.isotropic_risk().expression, level.isotropic_training_risk().expression
    more = sp.Symbol("more", positive=True)
    assert sp.limit(risk, N, sp.oo) == NOISE
    assert sp.simplify(sp.limit(risk, DELTA, sp.oo) - POWER - NOISE) == 0
    under, over = {N: P + more}, {P: N + more}
    # Without ridge: least squares with s^2/(1 - p/n), and the interpolator of least norm.
    unridged = {formula: formula.subs(DELTA, 0) for formula in (risk, training)}
    assert sp.simplify(unridged[risk].subs(under) - NOISE * (P + more) / more) == 0
    assert sp.simplify(unridged[training].subs(under) - NOISE * more / (P + more)) == 0
    least_norm = POWER * more / (N + more) + NOISE * (N + more) / more
    assert sp.simplify(unridged[risk].subs(over) - least_norm) == 0
    assert sp.simplify(unridged[training].subs(over)) == 0


def test_exact_and_asymptotic_least_squares_agree_to_first_order_at_large_size():
    values = {"p": 3000, "n": 9000, "lam": 1.0, "delta": 0.0, "b2": 1.0, "s2": 0.5}
    asymptotic = float(level.isotropic_risk().numpy()(**values)) - 0.5
    assert asymptotic == pytest.approx(least_squares_risk(3000, 9000, noise=0.5), rel=3 / 6000)


@pytest.mark.parametrize(
    ("p", "n", "b2", "delta"), [(100, 60, 0.6, 5.0), (100, 60, 0.3, 30.0), (100, 300, 0.5, 20.0)]
)
def test_accuracy_of_two_gaussian_classes_is_that_of_simulation(p, n, b2, delta):
    rng, draws = np.random.default_rng(1), 60

    def sample(size):
        y = rng.choice([-1.0, 1.0], size)
        x = rng.standard_normal((size, p))
        x[:, 0] = math.sqrt(1 - b2) * x[:, 0] + math.sqrt(b2) * y
        return x, y

    measured = np.empty(draws)
    for draw in range(draws):
        x, y = sample(n)
        weights = np.linalg.solve(x.T @ x + delta * np.eye(p), x.T @ y)
        # The score of a test sample is normal within a class: no test set needed.
        across = math.sqrt(np.sum(weights[1:] ** 2) + (1 - b2) * weights[0] ** 2)
        measured[draw] = norm.cdf(math.sqrt(b2) * weights[0] / across)
    predicted = level.isotropic_accuracy().numpy()(p=p, n=n, lam=1.0, delta=delta, b2=b2)
    assert abs(measured.mean() - predicted) < 4 * measured.std() / math.sqrt(draws) + 0.003


def test_accuracy_meets_the_linear_discriminant_and_chance():
    accuracy = level.isotropic_accuracy().numpy()
    values = {"p": 50, "lam": 2.0, "delta": 1.0}
    assert accuracy(**values, n=1e9, b2=0.6) == pytest.approx(norm.cdf(math.sqrt(0.6 / 0.4)), 1e-6)
    assert accuracy(**values, n=100, b2=1e-12) == pytest.approx(0.5, abs=1e-5)


# All formulas


@pytest.mark.parametrize("name", FORMULAS)
def test_numpy_function_is_the_expression(name):
    formula = FORMULAS[name]
    values = at(formula)
    exact = formula.expression.subs(
        {symbol: sp.Float(values[str(symbol)], 40) for symbol in formula.symbols}
    )
    assert float(formula.numpy()(**values)) == pytest.approx(float(exact), rel=1e-9)
    if formula.symbols:
        last = str(formula.symbols[-1])
        column = formula.numpy()(**(values | {last: np.full((3, 1), values[last])}))
        assert column.shape == (3, 1)


@pytest.mark.parametrize("name", FORMULAS)
def test_latex_is_balanced_and_names_the_symbols(name):
    latex = FORMULAS[name].latex()
    depth = 0
    for character in latex:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert latex.count(r"\left") == latex.count(r"\right")
    for raw in ("lam ", "b2", "s2", "sigma_{v2}", "inf,", "nan"):
        assert raw not in latex
    assert str(FORMULAS[name])


BAD = [
    (lambda: level.dimension("attention"), "fusion must be one of concat, bilinear, low-rank, got"),
    (lambda: level.approximation("x"), "fusion must be one of concat, bilinear, low-rank, got 'x'"),
    (lambda: level.estimation("concat", "peak"), "regime must be one of under, over, got 'peak'"),
    (
        lambda: level.estimation("low-rank", "over"),
        "regime must be 'under' for low-rank, got 'over'",
    ),
    (lambda: level.crossover("concat"), "fusion must be one of bilinear, low-rank, got 'concat'"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_arguments_are_named_with_value_and_rule(call, message):
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(message)


def test_the_library_does_not_import_sympy():
    code = "import sys, fusiontheory; sys.exit('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
