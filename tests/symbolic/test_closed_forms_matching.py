"""Level 3 in symbols: the hand-built model's curve, limits, signs, simulation."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from fusiontheory.heads import find_head
from fusiontheory.matching import FunctionSignal, MatchingModel, matching_curve
from fusiontheory.risk import Spectrum, effective_ridge
from fusiontheory.solvers import PairFeatures, measure_curve
from fusiontheory.symbolic import (
    DELTA,
    KAPPA,
    LAM,
    RHO,
    D,
    N,
    P,
)
from fusiontheory.symbolic import closed_forms as level

# The closed form of kappa loses digits at ridges far below this; see its docstring.
ridges = st.floats(0.01, 1000.0)
sizes = st.integers(1, 2000)
correlations = st.floats(0.05, 0.99)
noises = st.floats(0.0, 3.0)
# Made once: the expressions are long.
NOISE_SLOPE, ARGUMENT = level.matching_noise_slope().numpy(), level.matching_argument().numpy()


def isotropic_model(d, rho, big):
    """The hand-built model: d^2 equal eigenvalues and the signal along C = rho I."""

    def signal(kappa):
        width = big + rho**2 / 2 + np.asarray(kappa)
        q = d * rho**2 / width
        return q, -q * np.asarray(kappa) / width

    flat = Spectrum.from_eigenvalues(np.full(d * d, big))
    return MatchingModel(flat, 0.0, FunctionSignal(signal, np.zeros_like))


@given(st.integers(1, 30), sizes, ridges, correlations, noises, noises)
@settings(max_examples=60, deadline=None)
def test_matching_formulas_are_the_curve_of_the_hand_built_model(d, n, delta, rho, image, text):
    big = (1 + image) * (1 + text)
    model = isotropic_model(d, rho, big)
    curve = matching_curve(model, np.array([float(n)]), delta)
    values = {"d": d, "n": n, "delta": delta, "rho": rho, "sigma_v2": image, "sigma_t2": text}
    assert float(level.matching_risk().numpy()(**values)) == pytest.approx(curve.risk[0], rel=1e-8)
    accuracy = float(level.matching_accuracy().numpy()(**values))
    assert accuracy == pytest.approx(curve.accuracy[0], rel=1e-8)
    argument = float(level.matching_argument().numpy()(**values))
    assert norm.cdf(argument) == pytest.approx(accuracy, rel=1e-12)
    kappa = effective_ridge(np.full(d * d, big), n, delta)
    q = float(level.matching_signal().numpy()(**values))
    assert q == pytest.approx(float(model.signal(kappa)[0]), rel=1e-8)


def test_matching_argument_is_mean_over_deviation():
    q = level.matching_signal(solved=False).expression
    mean, within = q / (4 + q), 4 * (q + KAPPA * sp.diff(q, KAPPA)) / (4 + q) ** 2
    gamma = level.isotropic_gamma(solved=False).expression.subs(
        {P: D**2, LAM: (1 + level.NOISE_V) * (1 + level.NOISE_T)}
    )
    risk = level.matching_risk(solved=False).expression
    assert sp.simplify(((1 - mean) ** 2 + within) / (1 - gamma) - risk) == 0
    argument = level.matching_argument(solved=False).expression
    assert sp.simplify(mean**2 / (within + gamma * risk) - argument**2) == 0


@pytest.mark.parametrize("noise", [(0.0, 0.0), (0.5, 2.0)])
def test_signal_uses_the_covariance_of_gaussian_products(noise):
    # All fourth moments by Isserlis' theorem, from the joint covariance of v and t alone.
    d, rho, kappa = 3, 0.7, 0.4
    joint = np.block([[np.eye(d), rho * np.eye(d)], [rho * np.eye(d), np.eye(d)]])
    joint += np.diag([noise[0]] * d + [noise[1]] * d)
    covariances = []
    for cross in (joint, np.where(np.kron(np.eye(2), np.ones((d, d))) > 0, joint, 0)):
        covariance = np.empty((d, d, d, d))
        for i, j, k, m in product(range(d), repeat=4):
            covariance[i, j, k, m] = (
                cross[i, k] * cross[d + j, d + m] + cross[i, d + m] * cross[d + j, k]
            )
        covariances.append(covariance.reshape(d * d, d * d))
    c = (rho * np.eye(d)).ravel()
    q = c @ np.linalg.solve(sum(covariances) / 2 + kappa * np.eye(d * d), c)
    values = {"d": d, "rho": rho, "kappa": kappa, "sigma_v2": noise[0], "sigma_t2": noise[1]}
    formula = level.matching_signal(solved=False).numpy()
    assert float(formula(**values)) == pytest.approx(q, rel=1e-12)


@given(st.integers(1, 30), sizes, ridges, correlations, noises, noises)
@settings(max_examples=60, deadline=None)
def test_noise_slope_is_the_derivative_and_below_0(d, n, delta, rho, image, text):
    values = {"d": d, "n": n, "delta": delta, "rho": rho, "sigma_t2": text}
    slope = float(NOISE_SLOPE(**values, sigma_v2=image))
    assert slope < 0
    argument, step = ARGUMENT, 1e-4 * (1 + image)
    low, high = argument(**values, sigma_v2=[image - step, image + step])
    scale = float(argument(**values, sigma_v2=image)) / (1 + image)
    assert slope == pytest.approx((high - low) / (2 * step), rel=1e-5, abs=1e-7 * scale)


def test_noise_slope_is_below_0_for_every_value_of_the_symbols():
    x, rest, correlation = sp.symbols("x rest R", positive=True)
    argument = level.matching_argument(solved=False).expression
    big = sp.Symbol("Lambda", positive=True)
    scaled = {
        level.NOISE_V: big - 1,
        level.NOISE_T: 0,
        RHO: sp.sqrt(correlation * big),
        KAPPA: x * big,
    }
    inverse = sp.simplify(1 / argument.subs(scaled, simultaneous=True) ** 2)
    assert big not in inverse.free_symbols
    # gamma < 1 is n (1 + x)^2 > d^2: with rest > 0 every term of a derivative has the same sign.
    room = (D**2 + rest) / (1 + x) ** 2
    for variable in (x, correlation):
        slope = sp.together(sp.simplify(sp.diff(inverse, variable).subs(N, room)))
        top, bottom = (
            {float(c) > 0 for c in sp.Poly(sp.expand(part), D, x, rest, correlation).coeffs()}
            for part in sp.fraction(slope)
        )
        assert len(top) == len(bottom) == 1
        assert top != bottom


def test_matching_limits():
    accuracy, argument = level.matching_accuracy().numpy(), level.matching_argument()
    quiet = {level.NOISE_V: 0, level.NOISE_T: 0}
    # Many samples: the linear discriminant, which perfect correlation does not make perfect.
    short = level.matching_argument(solved=False).expression.subs(quiet)
    many = sp.limit(short.subs(KAPPA, DELTA / N), N, sp.oo)
    assert sp.simplify(many**2 - D * RHO**2 / (4 + 2 * RHO**2)) == 0
    values = {"d": 20, "delta": 5.0, "sigma_v2": 0.0, "sigma_t2": 0.0}
    assert accuracy(**values, n=1e10, rho=1.0) == pytest.approx(norm.cdf(math.sqrt(20 / 6)), 1e-5)
    # No correlation, or all of it drowned in noise: chance.
    rho = sp.Symbol("rho", positive=True)
    assert sp.limit(argument.expression.subs(quiet).subs(RHO, rho), rho, 0) == 0
    assert accuracy(**values, n=500, rho=0.0) == 0.5
    noisy = {"d": 20, "delta": 5.0, "sigma_v2": [1e4, 1e8], "sigma_t2": 0.0, "n": 500, "rho": 0.9}
    np.testing.assert_allclose(accuracy(**noisy), 0.5, atol=1e-3)
    # A huge ridge: the classifier of the class means. Accuracy rises with the ridge all the way.
    ridge = np.logspace(-2, 9, 12)
    curve = accuracy(**(values | {"delta": ridge}), n=300, rho=0.8)
    assert (np.diff(curve) > -1e-7).all()
    means = 20 * 0.8**2 / 4 / math.sqrt(20 * 0.8**2 * (1 + 0.8**2 / 2) / 4 + 20**2 / 300)
    assert curve[-1] == pytest.approx(norm.cdf(means), rel=1e-4)
    # No ridge: chance at the interpolation peak n = d^2, better on either side.
    bare = accuracy(**(values | {"delta": 0.0}), n=[200, 399.999, 800], rho=0.8)
    assert bare[1] == pytest.approx(0.5, abs=0.01)
    assert min(bare[0], bare[2]) > 0.6


def simulate(rng, head, *, d, n, delta, rho, sigma_v2=0.0):
    train, test = (draw_pairs(rng, size, d, rho, sigma_v2) for size in (n, 2000))
    return measure_curve(find_head(head), train, test, [n], delta)[0]


def draw_pairs(rng, n, d, rho, noise):
    label = np.tile([1.0, -1.0], n // 2)
    image, fresh = rng.standard_normal((2, n, d))
    text = np.where(label[:, None] > 0, rho * image + math.sqrt(1 - rho**2) * fresh, fresh)
    return PairFeatures(image + math.sqrt(noise) * rng.standard_normal((n, d)), text, label)


def test_matching_formulas_are_the_limit_of_simulation():
    # Same q, n/d^2 and delta/d^2 at every d. Measured / predicted risk 1.35, 1.14, 1.08, 1.02 at
    # d = 6, 12, 24, 36: products of Gaussians are not Gaussian, an effect of order 1/d.
    rng, excess = np.random.default_rng(3), []
    for d, draws in ((6, 200), (12, 60), (24, 30)):
        n = d * d // 2
        values = {"d": d, "n": n, "delta": d * d / 20, "rho": 2.2 / math.sqrt(d)}
        runs = [simulate(rng, "bilinear", **values) for _ in range(draws)]
        quiet = values | {"sigma_v2": 0.0, "sigma_t2": 0.0}
        risk = float(level.matching_risk().numpy()(**quiet))
        excess.append(np.mean([run.risk for run in runs]) / risk - 1)
        accuracy = float(level.matching_accuracy().numpy()(**quiet))
        assert np.mean([run.accuracy for run in runs]) == pytest.approx(accuracy, abs=0.015)
    assert excess[0] > 1.5 * excess[1] > 1.5 * excess[2]
    assert abs(excess[2]) < 0.11


def test_strong_correlation_is_predicted_two_points_low_and_concatenation_at_chance():
    # Scores v^T W t are skewed: measured here .86 against .84 predicted, with noise on the images.
    rng = np.random.default_rng(2)
    values = {"d": 20, "n": 800, "delta": 50.0, "rho": 0.9, "sigma_v2": 0.5}
    accuracy = float(level.matching_accuracy().numpy()(**values, sigma_t2=0.0))
    measured = np.mean([simulate(rng, "bilinear", **values).accuracy for _ in range(10)])
    assert 0.01 < measured - accuracy < 0.03
    linear = np.mean([simulate(rng, "concat-linear", **values).accuracy for _ in range(5)])
    assert linear == pytest.approx(float(level.matching_concat_accuracy().expression), abs=0.02)
