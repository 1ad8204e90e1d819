"""Risk on products of correlated modalities: spectrum, simulation, limits, invariances, input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.monte_carlo import simulate_ridge_risk
from fusiontheory.risk import CorrelatedProducts, FusionSetting, product_ridge_risk, ridge_risk


def power_law(d, exponent):
    values = np.arange(1.0, d + 1) ** -exponent
    return values / values.sum()


def second_moment(v, t, rho):
    """E[phi phi^T] of all products by Isserlis' theorem, and their mean, entry by entry."""
    d_v, d_t = v.size, t.size
    cross = np.zeros((d_v, d_t))
    np.fill_diagonal(cross, rho * np.sqrt(v[: rho.size] * t[: rho.size]))
    moment = np.zeros((d_v, d_t, d_v, d_t))
    for i, j, k, m in np.ndindex(d_v, d_t, d_v, d_t):
        moment[i, j, k, m] = (
            cross[i, j] * cross[k, m]
            + (v[i] * t[j] if (i, j) == (k, m) else 0.0)
            + cross[i, m] * cross[k, j]
        )
    return moment.reshape(d_v * d_t, -1), cross.ravel()


@pytest.mark.parametrize(("d_v", "d_t"), [(3, 3), (4, 2), (2, 5)])
@pytest.mark.parametrize("intercept", [False, True])
def test_spectrum_is_that_of_the_second_moment(d_v, d_t, intercept):
    v, t = power_law(d_v, 0.7), 3 * power_law(d_t, 0.2)
    rho = np.linspace(0.9, 0.2, min(d_v, d_t))
    moment, mean = second_moment(v, t, rho)
    if intercept:
        moment -= np.outer(mean, mean)
    products = CorrelatedProducts(v, t, rho, intercept=intercept)
    np.testing.assert_allclose(products.eigenvalues, np.linalg.eigvalsh(moment), atol=1e-12)


@pytest.mark.parametrize("rho", [0.0, 0.3, 1.0])
def test_isotropic_spectrum(rho):
    d = 5
    values = CorrelatedProducts(np.ones(d), np.ones(d), rho, intercept=True).eigenvalues
    low, high = d * (d - 1) // 2, d * (d + 1) // 2
    expected = np.concatenate([np.full(low, 1 - rho**2), np.full(high, 1 + rho**2)])
    np.testing.assert_allclose(values, expected, atol=1e-12)


@pytest.mark.parametrize(("n", "ridge"), [(30, 1e-3), (150, 1e-3), (150, 0.3), (400, 1e-3)])
def test_without_correlation_it_is_the_product_risk(n, ridge):
    v, t = power_law(14, 1.0), power_law(10, 0.5)
    power = np.outer(v, t)
    known = product_ridge_risk(v, t, power, n, ridge, 0.3, np.full(24, 0.01))
    found = CorrelatedProducts(v, t, 0.0).mean_risk(power, n, ridge, 0.3, np.full(24, 0.01))
    assert found[0] == pytest.approx(known, rel=0.01)


def agrees(setting, n, predicted, seed, draws=60, share=0.04):
    measured = simulate_ridge_risk(setting, n, draws=draws, seed=seed)
    gap = abs(predicted - measured.mean)
    assert gap < max(4 * measured.standard_error, share * measured.mean), (predicted, measured.mean)


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("n", [32, 150, 256, 700])
def test_agrees_with_simulation(rho, n):
    v, t = power_law(16, 0.8), power_law(16, 0.4)
    power, additive = np.outer(v, t), np.concatenate([v, t]) / 2
    setting = FusionSetting(
        "bilinear", v, t, additive, power, ridge=1e-3, noise=0.25, correlation=np.full(16, rho)
    )
    predicted = CorrelatedProducts(v, t, rho).mean_risk(power, n, 1e-3, 0.25, additive)
    agrees(setting, n, predicted[0], seed=n)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("n", [60, 400])
def test_given_signs_agree_with_simulation(n, intercept):
    d, rho = 14, np.linspace(0.9, 0.3, 14)
    v, t = power_law(d, 0.5), power_law(d, 0.5)
    target = np.eye(d) / np.sqrt(d)
    products = CorrelatedProducts(v, t, rho, intercept=intercept)
    predicted = products.risk(target, n, 1e-2, 0.25)[0]
    setting = FusionSetting(
        "bilinear",
        v,
        t,
        np.zeros(2 * d),
        target**2,
        ridge=1e-2,
        noise=0.25,
        correlation=rho,
        bilinear_signs=np.sign(target),
        intercept=intercept,
    )
    agrees(setting, n, predicted, seed=n)


def test_equal_signs_are_another_target_than_random_ones():
    # With equal signs the target has a mean, which a few samples without intercept get wrong.
    v, target = power_law(14, 0.5), np.eye(14) / np.sqrt(14)
    products = CorrelatedProducts(v, v, 0.6)
    assert products.risk(target, 10, 1e-2, 0.25) > 1.5 * products.mean_risk(
        target**2, 10, 1e-2, 0.25
    )


def test_signed_additive_part_agrees_with_simulation():
    d, rho = 12, np.full(12, 0.8)
    v = t = power_law(d, 0.3)
    a = np.concatenate([np.sqrt(v), np.sqrt(t)])
    setting = FusionSetting(
        "bilinear",
        v,
        t,
        a**2,
        np.zeros((d, d)),
        ridge=1e-2,
        noise=0.1,
        correlation=rho,
        additive_signs=np.ones(2 * d),
    )
    predicted = CorrelatedProducts(v, t, rho).risk(np.zeros((d, d)), 80, 1e-2, 0.1, a)[0]
    agrees(setting, 80, predicted, seed=3)


def test_closes_the_gap_of_the_gaussian_formula():
    d, rho, ridge = 16, np.full(16, 0.9), 1e-3
    v, t = power_law(d, 0.8), power_law(d, 0.4)
    setting = FusionSetting(
        "bilinear", v, t, np.zeros(2 * d), np.outer(v, t), ridge, 0.25, correlation=rho
    )
    sizes = [60, 120, 200]
    measured = np.array([simulate_ridge_risk(setting, n, draws=80, seed=n).mean for n in sizes])
    plain = ridge_risk(setting.eigenvalues, setting.target_power, sizes, ridge, 0.25)
    sharp = CorrelatedProducts(v, t, rho).mean_risk(np.outer(v, t), sizes, ridge, 0.25)
    assert np.mean(np.abs(plain / measured - 1)) > 0.08
    assert np.mean(np.abs(sharp / measured - 1)) < 0.03


@settings(max_examples=10, deadline=None)
@given(
    d_v=st.integers(3, 7),
    d_t=st.integers(3, 7),
    rho=st.floats(0, 0.95),
    n=st.integers(2, 200),
    seed=st.integers(0, 99),
)
def test_swap_and_units_do_not_matter(d_v, d_t, rho, n, seed):
    generator = np.random.default_rng(seed)
    v, t = generator.uniform(0.1, 1, d_v), generator.uniform(0.1, 1, d_t)
    target, additive = generator.standard_normal((d_v, d_t)), generator.standard_normal(d_v + d_t)

    def risk(v, t, target, additive, ridge):
        products = CorrelatedProducts(v, t, rho, samples=2**11)
        return products.risk(target, n, ridge, 0.2, additive)

    plain = risk(v, t, target, additive, 0.3)
    swapped = risk(t, v, target.T, np.roll(additive, d_t), 0.3)
    scaled = risk(1e5 * v, 1e-7 * t, target, additive, 0.3e-2)
    np.testing.assert_allclose(swapped, plain, rtol=1e-6)
    np.testing.assert_allclose(scaled, plain, rtol=1e-6)


def test_turning_both_modalities_alike_does_not_matter():
    # With one variance and one correlation for all, no direction is special.
    d, generator = 8, np.random.default_rng(0)
    products = CorrelatedProducts(np.ones(d), np.ones(d), 0.6)
    turn = np.linalg.qr(generator.standard_normal((d, d)))[0]
    target = generator.standard_normal((d, d))
    sizes = [20, 50, 200]
    plain = products.risk(target, sizes, 1.0, 0.1)
    np.testing.assert_allclose(
        products.risk(turn @ target @ turn.T, sizes, 1.0, 0.1), plain, rtol=0.02
    )
    # Turning one of them alone is another target: its mean and its swap term change.
    assert np.max(np.abs(products.risk(turn @ target, sizes, 1.0, 0.1) / plain - 1)) > 0.05


def test_limits():
    d = 8
    v, t, rho = power_law(d, 0.5), power_law(d, 0.2), np.full(d, 0.7)
    target = np.random.default_rng(1).standard_normal((d, d))
    products = CorrelatedProducts(v, t, rho)
    moment, _ = second_moment(np.ones(d), np.ones(d), rho)
    power = target.ravel() @ moment @ target.ravel()
    # A huge ridge learns nothing; many samples cost s^2 p / n.
    assert products.risk(target, 100, 1e9, 0.5)[0] == pytest.approx(power + 0.5, rel=1e-6)
    many = products.risk(target, 10**7, 1e-9, 0.5)[0]
    assert many - 0.5 == pytest.approx(0.5 * d * d / 10**7, rel=0.01)


@pytest.mark.parametrize("n", [20, 100])
def test_no_ridge_is_the_limit_of_a_small_one(n):
    products = CorrelatedProducts(power_law(8, 0.5), power_law(8, 0.2), 0.6)
    power = np.full((8, 8), 1 / 64)
    none, small = (products.mean_risk(power, n, ridge, 0.2)[0] for ridge in (0.0, 1e-9))
    assert none == pytest.approx(small, rel=1e-5)


def test_interpolation_without_ridge_is_infinite():
    products = CorrelatedProducts(np.ones(4), np.ones(3), 0.5, samples=2**10)
    with pytest.warns(ValidityWarning, match="n = 12"):
        risk = products.mean_risk(np.ones((4, 3)), [6, 12], 0.0, 1.0)
    assert np.isfinite(risk[0])
    assert np.isinf(risk[1])


def test_draws_leave_little_noise():
    v, t = power_law(12, 0.8), power_law(12, 0.4)
    risks = [
        CorrelatedProducts(v, t, 0.6, seed=seed).mean_risk(np.outer(v, t), [40, 120], 1e-3, 0.2)
        for seed in range(3)
    ]
    assert np.ptp(risks, axis=0).max() < 0.01


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"eigenvalues_v": [1.0, -1.0]}, "eigenvalues_v"),
        ({"eigenvalues_t": [0.0, 0.0]}, "eigenvalues_t must have at least one above 0"),
        ({"eigenvalues_t": []}, "eigenvalues_t"),
        ({"correlation": 1.1}, "correlation must be at most 1, got 1.1"),
        ({"correlation": -0.1}, "correlation"),
        ({"correlation": [0.1, 0.2, 0.3]}, "correlation must have min"),
        ({"samples": 1000}, "samples must be a power of 2, got 1000"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_features(changes, message):
    good = {"eigenvalues_v": np.ones(2), "eigenvalues_t": np.ones(3), "correlation": 0.5}
    with pytest.raises(InputError, match=message):
        CorrelatedProducts(**(good | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"coefficients": np.ones((3, 2))}, "coefficients must have shape"),
        ({"coefficients": np.full((2, 3), np.nan)}, "coefficients"),
        ({"additive": np.ones(3)}, "additive must have 5 values"),
        ({"n": 0}, "n must be at least 1"),
        ({"ridge": -1.0}, "ridge"),
        ({"noise": -1.0}, "noise"),
    ],
)
def test_impossible_targets(changes, message):
    products = CorrelatedProducts(np.ones(2), np.ones(3), 0.5, samples=64)
    good = {"coefficients": np.ones((2, 3)), "n": 4, "ridge": 0.1, "noise": 0.1}
    with pytest.raises(InputError, match=message):
        products.risk(**(good | changes))


def test_power_where_nothing_can_be_learned_is_refused():
    products = CorrelatedProducts(np.array([1.0, 0.0]), np.ones(2), 0.5, samples=64)
    with pytest.raises(InputError, match="0 where an eigenvalue is 0"):
        products.mean_risk(np.ones((2, 2)), 4, 0.1, 0.1)
