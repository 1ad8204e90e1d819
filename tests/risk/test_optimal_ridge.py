"""Optimally tuned ridge: closed forms, brute force, simulation, limits, bad input."""

import time
import warnings

import numpy as np
import pytest

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.monte_carlo import simulate_ridge_risk
from fusiontheory.risk import (
    FusionSetting,
    SignLabels,
    Spectrum,
    effective_ridge,
    isotropic_optimal_ridge,
    minimise_over_ridge,
    optimal_ridge,
    ridge_risk,
    sign_accuracy,
    spectrum_risk,
)

POWER_LAW = np.arange(1.0, 61) ** -0.8


@pytest.mark.parametrize("n", [5, 60, 61, 1000])
@pytest.mark.parametrize("noise", [1e-3, 0.5, 20.0])
def test_isotropic_closed_form(n, noise):
    best = optimal_ridge(np.full(60, 2.0), np.full(60, 3.0 / 60), n, noise)
    expected = isotropic_optimal_ridge(60, 2.0, 3.0, noise)
    assert best.ridge == pytest.approx(expected, rel=1e-3)
    # The Bayes risk of the same problem, s^2 n kappa / delta.
    kappa = effective_ridge(np.full(60, 2.0), n, expected)
    assert best.risk == pytest.approx(noise * n * kappa / expected, rel=1e-9)


@pytest.mark.parametrize("n", [5, 60, 400])
def test_random_coefficients_have_one_best_ridge_at_any_spectrum(n):
    # Raw coefficients of equal mean square beta^2 = 0.7: delta* = s^2 / beta^2.
    best = optimal_ridge(POWER_LAW, 0.7 * POWER_LAW, n, noise=0.35)
    assert best.ridge == pytest.approx(0.5, rel=1e-3)


def test_many_sample_sizes_are_those_one_by_one():
    power = np.random.default_rng(0).uniform(0, 1, 60) * POWER_LAW**2
    sizes = [3, 60, 500]
    best = optimal_ridge(POWER_LAW, power, sizes, 0.1)
    singles = [optimal_ridge(POWER_LAW, power, n, 0.1) for n in sizes]
    np.testing.assert_array_equal(best.ridge, [single.ridge for single in singles])
    np.testing.assert_array_equal(best.risk, [single.risk for single in singles])
    assert type(singles[0].ridge) is float
    assert type(singles[0].risk) is float


@pytest.mark.parametrize("seed", range(4))
def test_no_ridge_of_a_fine_grid_is_better(seed):
    rng = np.random.default_rng(seed)
    lam = np.exp(-rng.uniform(0, 12, 80))
    power = rng.uniform(0, 1, 80) * lam ** rng.uniform(-0.5, 2)
    for n in (4, 80, 300):
        best = optimal_ridge(lam, power, n, 0.1)
        ridges = np.geomspace(1e-9, 1e6, 1500)
        spectrum = Spectrum.from_eigenvalues(lam, {"target_power": power})
        grid = [spectrum_risk(spectrum, [n], ridge, 0.1)[0] for ridge in ridges]
        assert best.risk <= min(grid) * (1 + 1e-12)
        assert best.risk == pytest.approx(min(grid), rel=1e-3)
        if 0 < best.ridge < np.inf:
            assert best.risk == pytest.approx(ridge_risk(lam, power, n, best.ridge, 0.1))


def test_the_lower_of_two_valleys_is_found():
    # Strong directions with signal, weak ones with more: a large ridge learns the first only,
    # a small one both; between them the weak ones only add noise.
    def risk(ridge):
        x = np.log10(ridge) if ridge > 0 else -20.0
        return 2 - np.exp(-((x + 4) ** 2)) - 1.1 * np.exp(-((x - 3) ** 2))

    best = minimise_over_ridge(risk, 1e-8, 1e8)
    assert np.log10(best.ridge) == pytest.approx(3, abs=1e-3)


def test_without_noise_no_ridge_is_best_once_all_can_be_learned():
    best = optimal_ridge(POWER_LAW, POWER_LAW, [61, 200], noise=0.0)
    np.testing.assert_array_equal(best.ridge, 0.0)
    np.testing.assert_array_equal(best.risk, 0.0)


def test_without_signal_learning_nothing_is_best():
    best = optimal_ridge(POWER_LAW, 0 * POWER_LAW, [10, 60, 500], noise=0.3)
    np.testing.assert_array_equal(best.ridge, np.inf)
    np.testing.assert_array_equal(best.risk, 0.3)
    assert isotropic_optimal_ridge(5, 1.0, 0.0, 1.0) == np.inf


def test_the_optimum_has_no_peak():
    sizes = np.unique(np.geomspace(2, 1000, 60).astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        best = optimal_ridge(POWER_LAW, POWER_LAW, sizes, noise=0.3)
    assert (np.diff(best.risk) < 0).all()


@pytest.mark.parametrize("n", [30, 60, 150])
def test_simulation_is_lowest_at_the_predicted_ridge(n):
    lam = POWER_LAW
    power = lam**1.5 / np.sum(lam**1.5)
    best = optimal_ridge(lam, power, n, noise=0.5)

    def measure(ridge):
        setting = FusionSetting(
            "additive", lam[:30], lam[30:], power, np.zeros((30, 30)), ridge, noise=0.5
        )
        return simulate_ridge_risk(setting, n, draws=300, seed=n)

    at_best = measure(best.ridge)
    # Asymptotic: 4 standard errors or 1 %.
    gap = abs(at_best.mean - best.risk)
    assert gap < max(4 * at_best.standard_error, 0.01 * best.risk)
    assert at_best.standard_error < 0.01 * best.risk
    # The same draws at other ridges: compare draw by draw.
    for factor in (0.2, 5.0):
        more = measure(best.ridge * factor).test - at_best.test
        assert more.mean() > 2 * more.std(ddof=1) / np.sqrt(more.size)


def test_any_prediction_can_be_minimised():
    best = minimise_over_ridge(lambda ridge: (np.log(ridge + 1e-30) - 2) ** 2, 1e-3, 1e3)
    assert best.ridge == pytest.approx(np.exp(2), rel=1e-5)
    assert best.risk == pytest.approx(0, abs=1e-9)
    assert minimise_over_ridge(lambda ridge: ridge, 1e-3, 1e3).ridge == 0.0
    with pytest.warns(ValidityWarning, match="lowest at the largest ridge searched, 1000"):
        assert minimise_over_ridge(lambda ridge: -ridge, 1e-3, 1e3).ridge == 1e3


@pytest.mark.parametrize("n", [30, 60, 200])
def test_the_best_ridge_for_accuracy(n):
    def loss(ridge):
        return -sign_accuracy(SignLabels(POWER_LAW, POWER_LAW, ridge, flip=0.1), n)

    best = minimise_over_ridge(loss, 1e-3, 1e4)
    grid = [loss(ridge) for ridge in np.geomspace(1e-3, 1e4, 300)]
    assert best.risk <= min(grid) + 1e-12
    assert best.risk < loss(best.ridge / 10) - 1e-3
    # Labels with random coefficients: the ridge that is best for the risk is best for the sign.
    labels = SignLabels(POWER_LAW, POWER_LAW, 1.0, flip=0.1)
    for_risk = optimal_ridge(POWER_LAW, labels.target_power, n, labels.noise)
    assert best.ridge == pytest.approx(for_risk.ridge, rel=1e-2)


def test_a_quarter_million_eigenvalues_take_seconds():
    lam = np.outer(np.arange(1.0, 513) ** -1.0, np.arange(1.0, 513) ** -0.5)
    start = time.perf_counter()
    optimal_ridge(lam, lam, 1000, 0.1)
    assert time.perf_counter() - start < 5


GOOD = {"eigenvalues": [1.0, 0.5], "target_power": [1.0, 1.0], "n": 5, "noise": 0.1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eigenvalues": []}, "eigenvalues must not be empty"),
        ({"eigenvalues": [0.0, 0.0]}, "eigenvalues must have at least one above 0"),
        ({"eigenvalues": [1.0, np.inf]}, "eigenvalues must be finite"),
        ({"target_power": [1.0]}, "target_power must have one value per eigenvalue"),
        ({"target_power": [1.0, -1.0]}, "target_power must be at least 0"),
        ({"n": 0}, "n must be at least 1"),
        ({"noise": -1.0}, "noise must be a finite number of at least 0, got -1.0"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(InputError, match=message):
        optimal_ridge(**{**GOOD, **change})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1.0), "low must be above 0, got 0.0"),
        ((-1.0, 1.0), "low must be a finite number of at least 0"),
        ((2.0, 1.0), "high must be above low, 2, got 1"),
        ((1.0, 2.0, 2), "points must be at least 3, got 2"),
    ],
)
def test_bad_search(arguments, message):
    with pytest.raises(InputError, match=message):
        minimise_over_ridge(lambda ridge: ridge, *arguments)


@pytest.mark.parametrize(("value", "message"), [(np.nan, "got NaN"), (np.inf, "got infinity")])
def test_bad_risk(value, message):
    with pytest.raises(InputError, match=message):
        minimise_over_ridge(lambda ridge: value, 1.0, 2.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1.0, 1.0, 1.0), "p must be at least 1"),
        ((5, 0.0, 1.0, 1.0), "eigenvalue must be above 0"),
        ((5, 1.0, -1.0, 1.0), "signal must be a finite number of at least 0"),
        ((5, 1.0, 1.0, np.nan), "noise must be a finite number of at least 0"),
    ],
)
def test_bad_isotropic_input(arguments, message):
    with pytest.raises(InputError, match=message):
        isotropic_optimal_ridge(*arguments)
