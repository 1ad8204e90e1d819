"""Sum of kernels: simulation, single kernels, explicit equations, limits, bad input."""

import dataclasses
import warnings

import numpy as np
import pytest

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.monte_carlo import simulate_kernel_sum, simulate_ridge_risk
from fusiontheory.risk import (
    FusionSetting,
    KernelSum,
    KernelSumLaw,
    kernel_sum_risk,
    kernel_sum_training_risk,
    product_ridge_risk,
    ridge_risk,
    union_spectrum,
)


def kernel_sum(d=12, weights=(1.0, 1.0), ridge=5e-3, additive=0.5, bilinear=0.5, **changes):
    lambda_v = np.arange(1.0, d + 1) ** -0.6
    lambda_t = np.arange(1.0, d + 1) ** -0.4
    lambda_v, lambda_t = lambda_v / lambda_v.sum(), lambda_t / lambda_t.sum()
    given = {
        "eigenvalues_v": lambda_v,
        "eigenvalues_t": lambda_t,
        "additive_power": additive * np.concatenate([lambda_v, lambda_t]) / 2,
        "bilinear_power": bilinear * np.outer(lambda_v, lambda_t),
        "additive_weight": weights[0],
        "bilinear_weight": weights[1],
        "ridge": ridge,
        "noise": 0.25,
    }
    return KernelSum(**{**given, **changes})


def gaussian_risk(kernel, n):
    return ridge_risk(kernel.eigenvalues, kernel.target_power, n, kernel.ridge, kernel.noise)


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.2, 1.0), (1.0, 0.2)])
@pytest.mark.parametrize("n", [30, 84, 168, 500])  # 168 features
def test_risk_agrees_with_simulation(n, weights):
    kernel = kernel_sum(weights=weights)
    measured = simulate_kernel_sum(kernel, n, draws=60, seed=n)
    predicted = kernel_sum_risk(kernel, n)
    # Asymptotic: 4 standard errors, or 6 % where those are smaller.
    assert abs(measured.mean - predicted) < max(4 * measured.standard_error, 0.06 * predicted)
    assert measured.standard_error < 0.04 * predicted
    training = measured.training.mean()
    error = measured.training.std(ddof=1) / np.sqrt(60)
    # Interpolating fits leave a training error near 0, known to 15 % of itself.
    gap = abs(training - kernel_sum_training_risk(kernel, n))
    assert gap < max(4 * error, 0.15 * training)


def test_the_union_alone_is_low_at_the_peak():
    kernel = kernel_sum()
    measured = simulate_kernel_sum(kernel, 168, draws=150, seed=1)
    assert measured.mean - gaussian_risk(kernel, 168) > 6 * measured.standard_error
    gap = abs(measured.mean - kernel_sum_risk(kernel, 168))
    assert gap < 4 * measured.standard_error


@pytest.mark.parametrize("n", [40, 144, 400])
def test_the_product_kernel_alone_is_the_bilinear_head(n):
    kernel = kernel_sum(weights=(0.0, 0.7), ridge=7e-4)
    expected = product_ridge_risk(
        kernel.eigenvalues_v,
        kernel.eigenvalues_t,
        kernel.bilinear_power,
        n,
        1e-3,
        # Additive target that weight 0 leaves out counts as plain noise in the spectrum.
        kernel.noise + kernel.additive_power.sum(),
    )
    without = dataclasses.replace(kernel, additive_power=np.zeros(24), noise=0.75)
    assert kernel_sum_risk(without, n) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("n", [10, 60, 300])
def test_the_additive_kernel_alone_is_gaussian(n):
    kernel = kernel_sum(30, weights=(2.0, 0.0), ridge=0.05, bilinear=0.0)
    assert kernel_sum_risk(kernel, n) == pytest.approx(gaussian_risk(kernel, n), rel=0.04)
    setting = FusionSetting(
        "additive",
        2 * kernel.eigenvalues_v,
        2 * kernel.eigenvalues_t,
        kernel.additive_power,
        kernel.bilinear_power,
        ridge=0.05,
        noise=0.25,
    )
    measured = simulate_ridge_risk(setting, n, 400, seed=n)
    predicted = kernel_sum_risk(kernel, n)
    assert abs(measured.mean - predicted) < max(4 * measured.standard_error, 0.03 * predicted)


@pytest.mark.parametrize("n", [4, 12, 60])
def test_both_equations_hold_with_explicit_matrices(n):
    # The same equations with every psi in one matrix and plain fixed-point steps.
    kernel = kernel_sum(3, ridge=0.05)
    lam = kernel.eigenvalues
    law = KernelSumLaw.sampled(3, 3)
    z, w = law.z, law.w
    psi = np.hstack([z, w, (z[:, :, None] * w[:, None, :]).reshape(len(z), 9)])
    a = lam / (kernel.ridge + n * lam)
    for _ in range(1000):
        damping = 1 / (1 + psi @ a)
        a = np.sqrt(a * lam / (n * lam * (damping @ psi) / len(z) + kernel.ridge))
    fourth = n * (psi.T * damping**2) @ psi / len(z)
    unlearned = kernel.ridge * a / lam
    for weights, constant, function in (
        (np.ones(15), 1.0, kernel_sum_risk),
        (damping**2 @ psi / len(z), np.mean(damping**2), kernel_sum_training_risk),
    ):
        x = np.linalg.solve(np.eye(15) - a[:, None] ** 2 * fourth, a**2 * weights)
        noise = constant + n * np.mean(damping**2 * (psi @ x))
        expected = unlearned**2 * (weights + fourth @ x) @ kernel.target_power
        assert function(kernel, n) == pytest.approx(expected + 0.25 * noise, rel=1e-5)


@pytest.mark.parametrize("weights", [(0.7, 0.4), (0.0, 1.0), (1.0, 0.0)])
def test_simulation_is_the_fit_with_the_kernel(weights):
    # The first draw once more, solved in samples with K = a_1 K_1 + a_2 K_2.
    kernel = kernel_sum(3, weights=weights, ridge=0.1)
    measured = simulate_kernel_sum(kernel, 12, draws=2, seed=5)
    generator = np.random.default_rng(5).spawn(2)[0]
    b = np.sqrt(kernel.target_power) * generator.choice([-1.0, 1.0], size=15)
    z_v, z_t = generator.standard_normal((12, 3)), generator.standard_normal((12, 3))
    y = np.hstack([z_v, z_t]) @ b[:6] + ((z_v @ b[6:].reshape(3, 3)) * z_t).sum(axis=1)
    y = y + 0.5 * generator.standard_normal(12)
    scale_v, scale_t = np.sqrt(kernel.eigenvalues_v), np.sqrt(kernel.eigenvalues_t)
    v, t = z_v * scale_v, z_t * scale_t
    gram = weights[0] * (v @ v.T + t @ t.T) + weights[1] * (v @ v.T) * (t @ t.T)
    alpha = np.linalg.solve(gram + 0.1 * np.eye(12), y)
    linear = weights[0] * np.concatenate([scale_v * (v.T @ alpha), scale_t * (t.T @ alpha)])
    products = weights[1] * np.outer(scale_v, scale_t) * (v.T @ (alpha[:, None] * t))
    missed = np.concatenate([linear, products.ravel()]) - b
    assert measured.test[0] == pytest.approx(missed @ missed + 0.25)
    assert measured.training[0] == pytest.approx(np.mean((0.1 * alpha) ** 2))


def test_limits():
    kernel = kernel_sum(6)
    total = kernel.target_power.sum() + kernel.noise
    assert kernel_sum_risk(dataclasses.replace(kernel, ridge=1e9), 50) == pytest.approx(total)
    assert kernel_sum_risk(kernel, 1e8) == pytest.approx(0.25, rel=1e-3)
    assert kernel_sum_training_risk(kernel, 1e8) == pytest.approx(0.25, rel=1e-3)
    assert type(kernel_sum_risk(kernel, 50)) is float
    assert kernel_sum_risk(kernel, [50, 60]).shape == (2,)


def test_units_of_the_kernel_do_not_matter():
    kernel = kernel_sum(6)
    scaled = kernel_sum(6, weights=(50.0, 50.0), ridge=50 * 5e-3)
    assert kernel_sum_risk(scaled, 40) == pytest.approx(kernel_sum_risk(kernel, 40), rel=1e-6)


def test_without_ridge():
    kernel = kernel_sum(6, ridge=0.0)
    with pytest.warns(ValidityWarning, match="infinite at n = 48"):
        risk = kernel_sum_risk(kernel, [20, 48, 200])
    np.testing.assert_array_equal(np.isinf(risk), [False, True, False])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        training = kernel_sum_training_risk(kernel, [20, 48, 200])
    np.testing.assert_allclose(training, [0, 0, 0.25 * (1 - 48 / 200)], rtol=0.05, atol=1e-3)
    measured = simulate_kernel_sum(kernel, 200, draws=100, seed=0)
    assert abs(measured.mean - risk[2]) < max(4 * measured.standard_error, 0.06 * risk[2])


@pytest.mark.parametrize("n", [1, 6, 46, 47, 48, 49, 470])
@pytest.mark.parametrize("ridge", [0.0, 1e-14, 1e-6, 1.0])
def test_steep_spectra_and_tiny_ridges_are_solved(n, ridge):
    # 48 features with eigenvalues from 10 down to 1e-15.
    kernel = kernel_sum(
        6,
        weights=(10.0, 1e-3),
        ridge=ridge,
        eigenvalues_v=np.geomspace(1, 1e-6, 6),
        eigenvalues_t=np.geomspace(1, 1e-6, 6),
    )
    if n == 48 and ridge == 0:
        return
    risk, training = kernel_sum_risk(kernel, n), kernel_sum_training_risk(kernel, n)
    assert 0.25 < risk < np.inf
    assert 0 <= training < risk
    if ridge < 1e-9 and n == 470:
        assert risk == pytest.approx(0.25 * (1 + 48 / 422), rel=0.05)


def test_union_of_spectra():
    values, power = union_spectrum([(2.0, np.ones((2, 2)), np.eye(2)), (0.0, [3.0], [0.5])])
    np.testing.assert_array_equal(values, [2, 2, 2, 2, 0])
    np.testing.assert_array_equal(power, [1, 0, 0, 1, 0.5])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "parts must hold at least one kernel"),
        ([(-1.0, [1.0], [1.0])], "weight of part 0 must be a finite number of at least 0"),
        ([(1.0, [1.0], [1.0]), (1.0, [], [])], "eigenvalues of part 1 must not be empty"),
        ([(1.0, [-1.0], [1.0])], "eigenvalues of part 0 must be at least 0"),
        ([(1.0, [1.0], [1.0, 2.0])], "target_power of part 0 must have the shape"),
        ([(1.0, [1.0], [np.nan])], "target_power of part 0 must be finite"),
    ],
)
def test_bad_parts(parts, message):
    with pytest.raises(InputError, match=message):
        union_spectrum(parts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eigenvalues_v": [1.0, -1.0]}, "eigenvalues_v must be at least 0"),
        ({"eigenvalues_t": []}, "eigenvalues_t must not be empty"),
        ({"additive_power": [1.0]}, r"additive_power must have shape \(4,\)"),
        ({"bilinear_power": np.ones((2, 3))}, r"bilinear_power must have shape \(2, 2\)"),
        ({"additive_weight": -1.0}, "additive_weight must be a finite number of at least 0"),
        ({"bilinear_weight": np.inf}, "bilinear_weight must be a finite number"),
        ({"additive_weight": 0.0, "bilinear_weight": 0.0}, "must leave the kernel an eigenvalue"),
        ({"ridge": -1.0}, "ridge must be a finite number of at least 0"),
        ({"noise": np.nan}, "noise must be a finite number of at least 0"),
    ],
)
def test_bad_kernel(change, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(kernel_sum(2), **change)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5, 0), "n must be at least 1"),
        ((5, 1, 0), "draws must be at least 2"),
        ((5, 5, -1), "seed must be at least 0"),
    ],
)
def test_bad_call(arguments, message):
    with pytest.raises(InputError, match=message):
        simulate_kernel_sum(kernel_sum(2), *arguments)
    with pytest.raises(InputError, match="n must be at least 1"):
        kernel_sum_risk(kernel_sum(2), 0)
