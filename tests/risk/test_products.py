"""Risk on products of modalities: simulation, fourth moments, limits, invariances, bad input."""

import numpy as np
import pytest
from scipy.stats import chi2

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.monte_carlo import simulate_ridge_risk
from fusiontheory.risk import FusionSetting, ProductLaw, product_ridge_risk, ridge_risk


def power_law(d, exponent):
    values = np.arange(1.0, d + 1) ** -exponent
    return values / values.sum()


def setting(d_v, d_t, exponent_v, exponent_t, ridge, additive=0.0, bilinear=1.0, noise=0.25):
    v, t = power_law(d_v, exponent_v), power_law(d_t, exponent_t)
    return FusionSetting(
        head="bilinear",
        eigenvalues_v=v,
        eigenvalues_t=t,
        additive_power=additive * np.concatenate([v, t]) / 2,
        bilinear_power=bilinear * np.outer(v, t),
        ridge=ridge,
        noise=noise,
    )


def predict(case, n):
    return product_ridge_risk(
        case.eigenvalues_v,
        case.eigenvalues_t,
        case.bilinear_power,
        n,
        case.ridge,
        case.noise,
        case.additive_power,
    )


def sampled_risk(v, t, power, n, ridge, noise, samples):
    """Solve the equations with expectations over drawn (v, t) and h not split into factors."""
    generator = np.random.default_rng(0)
    z = generator.standard_normal((samples, v.size)) ** 2
    w = generator.standard_normal((samples, t.size)) ** 2
    products = np.outer(v, t)
    squares = (z[:, :, None] * w[:, None, :]).reshape(samples, -1)
    flat = products.ravel()
    a = flat / (ridge + flat)
    for _ in range(2000):
        damping = 1 / (1 + squares @ a)
        explained = flat * (damping @ squares) / samples
        following = np.sqrt(a * flat / (n * explained + ridge))
        if np.abs(np.log(following / a)).max() < 1e-9:
            break
        a = following
    fourth = n * (squares.T * damping**2) @ squares / samples
    x = np.linalg.solve(np.eye(flat.size) - a[:, None] ** 2 * fourth, a**2)
    unlearned = ridge * a / flat
    overfit = 1 + n * np.mean(damping**2 * (squares @ x))
    return power.ravel() @ (unlearned**2 * (1 + fourth @ x)) + noise * overfit


@pytest.mark.parametrize(
    ("exponent_v", "exponent_t", "ridge", "n"),
    [
        (0.0, 0.0, 1e-3, 100),
        (0.0, 0.0, 1e-3, 600),
        (0.0, 0.0, 0.1, 400),
        (1.2, 0.8, 1e-3, 40),
        (1.2, 0.8, 1e-3, 280),
        (1.2, 0.8, 1e-3, 400),
        (1.2, 0.8, 1e-3, 1200),
        (1.2, 0.8, 1.0, 200),
        (2.0, 1.5, 1e-3, 100),
        (2.0, 1.5, 1.0, 10),
        (0.0, 0.8, 0.0, 200),
        (0.0, 0.8, 0.0, 800),
    ],
)
def test_agrees_with_simulation(exponent_v, exponent_t, ridge, n):
    case = setting(20, 20, exponent_v, exponent_t, ridge)
    measured = simulate_ridge_risk(case, n, draws=80, seed=n)
    gap = abs(predict(case, n) - measured.mean)
    assert gap < max(4 * measured.standard_error, 0.04 * measured.mean)


@pytest.mark.parametrize("n", [60, 280, 800])
def test_unrepresentable_part_agrees_with_simulation(n):
    case = setting(24, 16, 1.2, 0.8, 1e-2, additive=1.0, bilinear=0.5)
    measured = simulate_ridge_risk(case, n, draws=80, seed=n)
    gap = abs(predict(case, n) - measured.mean)
    assert gap < max(4 * measured.standard_error, 0.04 * measured.mean)


def test_closes_the_gap_of_the_gaussian_formula():
    case = setting(20, 20, 1.2, 0.8, 1e-3)
    sizes = [40, 120, 280, 600]
    measured = np.array([simulate_ridge_risk(case, n, draws=80, seed=n).mean for n in sizes])
    gaussian = ridge_risk(case.eigenvalues, case.target_power, sizes, case.ridge, case.noise)
    off_gaussian = np.mean(np.abs(gaussian / measured - 1))
    off_product = np.mean(np.abs(predict(case, sizes) / measured - 1))
    assert off_gaussian > 0.06
    assert off_product < 0.02


@pytest.mark.parametrize(("n", "ridge"), [(30, 1e-2), (100, 1e-3), (300, 0.1)])
def test_agrees_with_equations_solved_by_sampling(n, ridge):
    v, t = power_law(14, 1.2), power_law(10, 0.5)
    power = np.outer(v[::-1], t)
    reference = sampled_risk(v, t, power, n, ridge, noise=0.3, samples=20_000)
    assert product_ridge_risk(v, t, power, n, ridge, 0.3) == pytest.approx(reference, rel=0.02)


def test_fourth_moments_are_exact_at_large_ridge():
    # E over training sets of the risk, expanded to second order in 1 / ridge; n (n - 1) is n^2.
    v, t, n = np.array([3.0, 1.0, 0.5, 0.2]), np.array([1.0, 0.7, 0.3]), 5
    flat = np.outer(v, t).ravel()
    moments = np.kron(1 + 2 * np.eye(v.size), 1 + 2 * np.eye(t.size))
    power = np.linspace(1, 2, flat.size)
    second = 2 * flat * (n * moments @ flat + n**2 * flat)
    second += n * moments @ flat**2 + n**2 * flat**2

    def remainder(ridge):
        risk = product_ridge_risk(v, t, power.reshape(v.size, t.size), n, ridge, noise=0.0)
        return (risk - power.sum() + 2 * n * power @ flat / ridge) * ridge**2

    assert remainder(1e5) == pytest.approx(power @ second, rel=2e-3)


def test_tends_to_the_gaussian_formula_as_dimensions_grow():
    gaps = []
    for d in (20, 80, 320):
        flat, power, n = np.full(d, 1 / d), np.full((d, d), 1 / d**2), 0.6 * d**2
        gaussian = ridge_risk(np.outer(flat, flat), power, n, 0.05, 0.25)
        gaps.append(product_ridge_risk(flat, flat, power, n, 0.05, 0.25) / gaussian - 1)
    assert 0 < gaps[2] < 3e-3
    assert gaps[0] / gaps[1] == pytest.approx(4, rel=0.2)
    assert gaps[1] / gaps[2] == pytest.approx(4, rel=0.1)


def test_many_samples_give_least_squares():
    flat, power, n = np.ones(10), np.ones((10, 10)), 10**6
    risk = product_ridge_risk(flat, flat, power, n, ridge=0.0, noise=2.0)
    assert risk - 2 == pytest.approx(2 * 100 / n, rel=1e-3)


def test_large_ridge_learns_nothing():
    case = setting(12, 9, 1.0, 0.5, ridge=1e12)
    assert predict(case, 100) == pytest.approx(1.25, rel=1e-9)


@pytest.mark.parametrize("ridge", [0.0, 0.01, 2.0])
def test_units_and_the_order_of_modalities_do_not_matter(ridge):
    v, t = power_law(9, 1.3), power_law(6, 0.4)
    power = np.outer(v, t[::-1])
    sizes = [10, 40, 100]
    risk = product_ridge_risk(v, t, power, sizes, ridge, 0.5)
    rescaled = product_ridge_risk(1e6 * v, 1e-9 * t, power, sizes, 1e-3 * ridge, 0.5)
    swapped = product_ridge_risk(t, v, power.T, sizes, ridge, 0.5)
    labels = product_ridge_risk(v, t, 7 * power, sizes, ridge, 3.5)
    shuffled = product_ridge_risk(v[::-1], t, power[::-1], sizes, ridge, 0.5)
    np.testing.assert_allclose(rescaled, risk, rtol=1e-9)
    np.testing.assert_allclose(swapped, risk, rtol=1e-6)
    np.testing.assert_allclose(labels, 7 * risk, rtol=1e-12)
    np.testing.assert_allclose(shuffled, risk, rtol=1e-9)


def test_additive_power_swaps_with_the_modalities():
    v, t, additive = power_law(5, 1.0), power_law(7, 0.3), np.arange(12.0)
    power = np.zeros((5, 7))
    risk = product_ridge_risk(v, t, power, 20, 0.1, 0.0, additive)
    swapped = product_ridge_risk(t, v, power.T, 20, 0.1, 0.0, np.roll(additive, 7))
    assert swapped == pytest.approx(risk, rel=1e-6)


@pytest.mark.parametrize("n", [12, 90])
def test_no_ridge_is_the_limit_of_a_small_one(n):
    v, t = power_law(8, 1.0), power_law(6, 0.5)
    power = np.outer(v, t)
    small = product_ridge_risk(v, t, power, n, 1e-11, 0.5)
    assert product_ridge_risk(v, t, power, n, 0.0, 0.5) == pytest.approx(small, rel=1e-6)


def test_zero_eigenvalues_are_never_learned():
    v, t = power_law(8, 1.0), power_law(6, 0.5)
    power = np.outer(v, t)
    padded, padded_power = np.append(v, 0.0), np.vstack([power, np.zeros(6)])
    sizes = [12, 90, 10**7]
    for ridge in (0.0, 0.1):
        risk = product_ridge_risk(v, t, power, sizes, ridge, 0.5)
        same = product_ridge_risk(padded, t, padded_power, sizes, ridge, 0.5)
        np.testing.assert_allclose(same, risk, rtol=1e-9)
        padded_power[-1] = 1.0
        more = product_ridge_risk(padded, t, padded_power, sizes, ridge, 0.5)
        padded_power[-1] = 0.0
        assert np.all(more > risk + 6)
        assert more[-1] == pytest.approx(6.5, rel=1e-4)


def test_scalar_and_array_sizes_agree():
    case = setting(8, 8, 1.0, 1.0, 0.1)
    risk = predict(case, 30)
    assert isinstance(risk, float)
    np.testing.assert_array_equal(predict(case, np.array([30, 30])), [risk, risk])


def test_interpolation_without_ridge_is_infinite():
    with pytest.warns(ValidityWarning, match="n = 12"):
        risk = product_ridge_risk(np.ones(4), np.ones(3), np.ones((4, 3)), [6, 12], 0.0, 1.0)
    assert np.isfinite(risk[0])
    assert np.isinf(risk[1])


@pytest.mark.parametrize("d", [3, 8, 60])
def test_quadrature_of_a_chi_square(d):
    law = ProductLaw.of(np.full(d, 0.5))
    assert law.plain.sum() == pytest.approx(1, abs=1e-5)
    # E[1 / chi2_d] = 1 / (d - 2); a factor z_i^2 turns d into d + 2, and two make d + 4.
    for power in (-1, 0, 1, 2):
        values = (2 * law.nodes) ** power

        def moment(degrees, power=power):
            return chi2(degrees).expect(lambda x: x**power)

        assert law.plain @ values == pytest.approx(moment(d), rel=1e-3)
        assert law.single[0] @ values == pytest.approx(moment(d + 2), rel=1e-4)
        assert law.double[0, 1] @ values == pytest.approx(moment(d + 4), rel=1e-4)
        assert law.double[0, 0] @ values == pytest.approx(3 * moment(d + 4), rel=1e-4)


def test_quadrature_of_unequal_scales():
    r = np.concatenate([[1.0], np.full(30, 0.1), np.full(200, 1e-3), [0.0]])
    law = ProductLaw.of(r)
    mean, variance = r.sum(), 2 * r @ r
    assert law.plain @ law.nodes == pytest.approx(mean, rel=1e-5)
    assert law.plain @ (law.nodes - mean) ** 2 == pytest.approx(variance, rel=1e-5)
    np.testing.assert_allclose(law.single @ law.nodes, mean + 2 * r, rtol=1e-5)
    np.testing.assert_allclose(law.single[-1], law.plain, rtol=1e-9)


GOOD = {
    "eigenvalues_v": np.ones(4),
    "eigenvalues_t": np.ones(3),
    "target_power": np.ones((4, 3)),
    "n": 6,
    "ridge": 0.1,
    "noise": 0.1,
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"eigenvalues_v": [-1.0, 1.0, 1.0, 1.0]}, "eigenvalues_v"),
        ({"eigenvalues_v": np.ones((2, 2))}, "eigenvalues_v"),
        ({"eigenvalues_t": [0.0, 0.0, 0.0]}, "eigenvalues_t must have at least one above 0"),
        ({"eigenvalues_t": []}, "eigenvalues_t"),
        ({"target_power": np.ones((3, 4))}, "target_power must have shape"),
        ({"target_power": np.ones(12)}, "target_power"),
        ({"target_power": np.full((4, 3), np.nan)}, "target_power"),
        ({"target_power": -np.ones((4, 3))}, "target_power"),
        ({"additive_power": np.ones(6)}, "additive_power must have shape"),
        ({"n": 0}, "n must be at least 1"),
        ({"ridge": -1.0}, "ridge"),
        ({"noise": np.inf}, "noise"),
        ({"eigenvalues_t": [1.0, 1.0, 0.0], "ridge": 0.0}, "ridge must be above 0"),
    ],
)
def test_bad_input(changes, message):
    with pytest.raises(InputError, match=message):
        product_ridge_risk(**(GOOD | changes))
