"""Effective ridge and ridge risk: brute force, limits, invariances, bad input."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.risk import (
    Spectrum,
    effective_ridge,
    learned,
    least_squares_risk,
    overfitting,
    ridge_risk,
    spectrum_risk,
    training_risk,
    unlearned,
)

P = 4000
INDEX = np.arange(1, P + 1)
SPECTRA = {
    "power law": INDEX**-1.2,
    "flat": np.full(P, 3.0),
    "two scales": np.repeat([1.0, 1e-8], P // 2),
    "wide": 10 ** np.random.default_rng(0).uniform(-12, 0, P),
    "outer product": np.outer(
        np.append(np.arange(1, 65) ** -1.3, [0.0] * 10), np.arange(1, 65) ** -0.7
    ),
    "few": np.geomspace(1e-6, 1, 40),
}


def plain_effective_ridge(eigenvalues, n, ridge):
    """Bisect the equation, summed over every eigenvalue, subtracted from p where n is large."""
    lam = eigenvalues[eigenvalues > 0]
    p = lam.size

    def imbalance(log_kappa):
        kappa = np.exp(log_kappa)
        if 2 * n < p:
            return np.log(n / (np.sum(lam / (lam + kappa)) + ridge / kappa))
        left = np.sum(kappa / (lam + kappa)) + max(n - p, 0)
        return np.log(left / (max(p - n, 0) + ridge / kappa))

    low = max(ridge / n, lam.min() * max(p - n, 0) / p) / 4
    high = 4 * (lam.sum() + ridge) / n
    return np.exp(brentq(imbalance, np.log(low), np.log(high), xtol=1e-13, rtol=1e-14))


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("ridge_over_trace", [0.0, 1e-14, 1e-6, 1e-2, 1e6])
def test_effective_ridge_matches_a_plain_root_finder(name, ridge_over_trace):
    lam = SPECTRA[name]
    p = np.count_nonzero(lam)
    n = np.array([1, 2, 10, p // 2, 0.9 * p, p - 1, p, p + 1, 2 * p, 100 * p])
    if ridge_over_trace == 0:
        n = n[n < p]
    ridge = ridge_over_trace * lam.sum()
    expected = [plain_effective_ridge(lam, size, ridge) for size in n]
    np.testing.assert_allclose(effective_ridge(lam, n, ridge), expected, rtol=1e-9)


def test_effective_ridge_closed_form_on_a_flat_spectrum():
    # p lambda kappa + delta (lambda + kappa) = n kappa (lambda + kappa), a quadratic in kappa
    p, lam, ridge, n = 300, 2.0, 5.0, np.array([10, 299, 300, 301, 5000])
    b = n * lam - p * lam - ridge
    expected = (-b + np.sqrt(b**2 + 4 * n * ridge * lam)) / (2 * n)
    np.testing.assert_allclose(effective_ridge(np.full(p, lam), n, ridge), expected, rtol=1e-12)


def test_effective_ridge_is_zero_from_interpolation_on_without_ridge():
    lam = np.append(np.ones(10), np.zeros(5))
    kappa = effective_ridge(lam, [9, 10, 11, 15], 0.0)
    assert kappa[0] > 0
    np.testing.assert_array_equal(kappa[1:], 0.0)


def test_scalar_sample_size_gives_a_float():
    lam, power = [1.0, 0.5], [1.0, 1.0]
    kappa = effective_ridge(lam, 3, 0.1)
    results = [kappa, overfitting(lam, kappa, 3, 0.1)]
    results += [ridge_risk(lam, power, 3, 0.1, 1.0), training_risk(lam, power, 3, 0.1, 1.0)]
    assert [type(value) for value in results] == [float] * 4


def test_a_spectrum_is_accepted_in_place_of_eigenvalues():
    lam = SPECTRA["wide"]
    spectrum = Spectrum.from_eigenvalues(lam)
    kappa = effective_ridge(lam, [10, 100], 0.1)
    np.testing.assert_array_equal(effective_ridge(spectrum, [10, 100], 0.1), kappa)
    np.testing.assert_array_equal(
        overfitting(spectrum, kappa, [10, 100], 0.1), overfitting(lam, kappa, [10, 100], 0.1)
    )


def test_a_compressed_spectrum_has_the_same_risk():
    lam, n = SPECTRA["wide"], [10, 2000, 9000]
    spectrum = Spectrum.from_eigenvalues(lam, {"target_power": lam})
    np.testing.assert_array_equal(
        spectrum_risk(spectrum, n, 0.1, 0.2), ridge_risk(lam, lam, n, 0.1, 0.2)
    )
    with pytest.raises(InputError, match="spectrum must have the weights 'target_power', got"):
        spectrum_risk(Spectrum.from_eigenvalues(lam), n, 0.1, 0.2)


@pytest.mark.parametrize("name", SPECTRA)
def test_kappa_falls_with_n_and_rises_with_ridge(name):
    lam = SPECTRA[name]
    n = np.geomspace(1, 10 * lam.size, 40)
    ridges = np.array([0.0, 1e-9, 1e-6, 1e-3, 1.0, 1e3]) * lam.sum()
    kappa = np.array([effective_ridge(lam, n, ridge) for ridge in ridges])
    assert (np.diff(kappa[1:], axis=1) < 0).all()
    # On the 64-bit grid kappa cannot grow where the ridge is far below rounding.
    assert (np.diff(kappa, axis=0) >= -1e-9 * kappa[:-1]).all()
    assert (kappa[-1] > kappa[0]).all()


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("ridge_over_trace", [0.0, 1e-6, 1e-2])
def test_risk_matches_the_formula_summed_in_full(name, ridge_over_trace):
    lam = SPECTRA[name]
    power = lam**0.7 * np.random.default_rng(1).uniform(0, 1, lam.shape)
    p = np.count_nonzero(lam)
    n = np.array([1, 10, p // 2, p - 1, p + 1, 3 * p])
    ridge = ridge_over_trace * lam.sum()
    kappa = effective_ridge(lam, n, ridge)[:, None]
    shrink = lam.ravel() / (lam.ravel() + kappa + (lam.ravel() + kappa == 0))
    gamma = np.sum(shrink**2, axis=1) / n
    expected = ((1 - shrink) ** 2 @ power.ravel() + 0.3) / (1 - gamma)
    # 1 - gamma cancels in this reference, down to 1e-9 of it.
    np.testing.assert_allclose(ridge_risk(lam, power, n, ridge, 0.3), expected, rtol=1e-6)
    np.testing.assert_allclose(overfitting(lam, kappa[:, 0], n, ridge), 1 / (1 - gamma), rtol=1e-6)
    if ridge:
        trained = (ridge / (n * kappa[:, 0])) ** 2 * expected
        np.testing.assert_allclose(training_risk(lam, power, n, ridge, 0.3), trained, rtol=1e-6)


def test_many_samples_leave_only_the_noise():
    lam = INDEX[:100] ** -1.0
    assert ridge_risk(lam, lam, 1e12, 1e-3, 0.7) == pytest.approx(0.7, rel=1e-9)
    assert training_risk(lam, lam, 1e12, 1e-3, 0.7) == pytest.approx(0.7, rel=1e-9)


def test_a_huge_ridge_learns_nothing():
    lam, power = INDEX[:100] ** -1.0, np.full(100, 0.02)
    assert ridge_risk(lam, power, 50, 1e12, 0.5) == pytest.approx(2.5, rel=1e-9)
    assert training_risk(lam, power, 50, 1e12, 0.5) == pytest.approx(2.5, rel=1e-9)


def test_one_sample_of_many_directions_learns_almost_nothing():
    p = 100_000
    assert ridge_risk(np.ones(p), np.full(p, 1 / p), 1, 0.0, 0.5) == pytest.approx(1.5, rel=1e-4)


def test_flat_spectrum_without_ridge_agrees_with_least_squares():
    p, noise, signal = 10_000, 0.4, 2.0
    n = np.array([500, 5000, 9000, 11_000, 20_000, 10**6])
    exact = least_squares_risk(p, n, noise, signal) + noise
    risk = ridge_risk(np.full(p, 3.0), np.full(p, signal / p), n, 0.0, noise)
    # least squares is exact at finite n; the two differ by about 1 / |n - p|
    np.testing.assert_allclose(risk, exact, rtol=1.5e-3)
    np.testing.assert_allclose(
        ridge_risk(np.full(p, 3.0), np.full(p, signal / p), n, 1e-9, noise), risk, rtol=1e-6
    )


def test_power_at_a_zero_eigenvalue_acts_as_noise():
    lam, power, n = [1.0, 0.5, 0.0], [1.0, 1.0, 0.3], [1, 3, 50]
    expected = ridge_risk(lam[:2], power[:2], n, 0.1, 0.2 + 0.3)
    np.testing.assert_allclose(ridge_risk(lam, power, n, 0.1, 0.2), expected, rtol=1e-14)


def test_the_threshold_is_infinite_and_warns_once():
    lam = np.ones(20)
    with pytest.warns(ValidityWarning, match="infinite at n = 20") as record:
        risk = ridge_risk(lam, lam, [19, 20, 21], 0.0, 1.0)
    assert len(record) == 1
    np.testing.assert_array_equal(np.isinf(risk), [False, True, False])
    assert overfitting(lam, 0.0, 20, 0.0) == np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert training_risk(lam, lam, 20, 0.0, 1.0) == 0.0
        # Without noise the target is learned exactly there.
        assert ridge_risk(lam, lam, 20, 0.0, 0.0) == 0.0


def test_shrinkage_factors_add_up_to_one():
    lam, kappa = np.geomspace(1e-9, 1, 7), np.array(1e-3)
    np.testing.assert_allclose(learned(lam, kappa) + unlearned(lam, kappa), 1.0, rtol=1e-15)


PROBLEMS = st.tuples(
    st.integers(0, 2**32 - 1), st.sampled_from([3, 60, 2000]), st.floats(0, 20), st.floats(1e-8, 10)
)


def draw_problem(problem):
    seed, p, spread, ridge = problem
    rng = np.random.default_rng(seed)
    lam = np.exp(-rng.uniform(0, spread, p))
    return rng, lam, rng.uniform(0, 1, p), np.array([1, p / 3, p, 4 * p]).clip(1), ridge


@settings(deadline=None, max_examples=30)
@given(problem=PROBLEMS, scale=st.floats(1e-6, 1e6))
def test_units_of_the_features_do_not_matter(problem, scale):
    _, lam, power, n, ridge = draw_problem(problem)
    kappa = effective_ridge(lam, n, ridge)
    np.testing.assert_allclose(effective_ridge(scale * lam, n, scale * ridge), scale * kappa, 1e-8)
    risk = ridge_risk(lam, power, n, ridge, 0.1)
    np.testing.assert_allclose(ridge_risk(scale * lam, power, n, scale * ridge, 0.1), risk, 1e-7)


@settings(deadline=None, max_examples=30)
@given(problem=PROBLEMS)
def test_order_does_not_matter(problem):
    rng, lam, power, n, ridge = draw_problem(problem)
    order = rng.permutation(lam.size)
    shuffled = ridge_risk(lam[order], power[order], n, ridge, 0.1)
    np.testing.assert_allclose(shuffled, ridge_risk(lam, power, n, ridge, 0.1), 1e-8)


@settings(deadline=None, max_examples=30)
@given(problem=PROBLEMS)
def test_power_may_be_split_within_an_eigenspace(problem):
    rng, lam, power, n, ridge = draw_problem(problem)
    doubled, share = np.repeat(lam, 2), rng.uniform(0, 1, lam.size)
    split = np.stack([share * power, (1 - share) * power], axis=1).ravel()
    even = np.repeat(power / 2, 2)
    expected = ridge_risk(doubled, even, n, ridge, 0.1)
    np.testing.assert_allclose(ridge_risk(doubled, split, n, ridge, 0.1), expected, 1e-8)


@settings(deadline=None, max_examples=30)
@given(problem=PROBLEMS, factor=st.integers(2, 5))
def test_repeating_the_spectrum_and_scaling_n_and_ridge_keeps_kappa(problem, factor):
    _, lam, _, n, ridge = draw_problem(problem)
    repeated = effective_ridge(np.tile(lam, factor), factor * n, factor * ridge)
    np.testing.assert_allclose(repeated, effective_ridge(lam, n, ridge), 1e-7)


GOOD = {"eigenvalues": [1.0, 0.5], "target_power": [1.0, 1.0], "n": 5, "ridge": 0.1, "noise": 0.1}
BAD = [
    ({"eigenvalues": []}, "eigenvalues must not be empty"),
    ({"eigenvalues": [1.0, -0.5]}, "eigenvalues must be at least 0 everywhere, got -0.5"),
    ({"eigenvalues": [1.0, np.nan]}, "eigenvalues must be finite"),
    ({"eigenvalues": [0.0, 0.0]}, "eigenvalues must have at least one above 0"),
    ({"target_power": [1.0]}, r"target_power must have .* shape \(2,\), got shape \(1,\)"),
    ({"target_power": [[1.0, 1.0]]}, "target_power must have"),
    ({"target_power": [1.0, -1.0]}, "target_power must be at least 0 everywhere, got -1"),
    ({"target_power": [1.0, np.nan]}, "target_power must be finite"),
    ({"n": 0.5}, "n must be at least 1 everywhere, got 0.5"),
    ({"n": [2, 0]}, "n must be at least 1 everywhere, got 0"),
    ({"n": np.nan}, "n must be finite"),
    ({"ridge": -1.0}, "ridge must be a finite number of at least 0, got -1.0"),
    ({"ridge": np.nan}, "ridge must be a finite number"),
    ({"noise": -1.0}, "noise must be a finite number of at least 0, got -1.0"),
    ({"noise": None}, "noise must be a number"),
]


@pytest.mark.parametrize("risk", [ridge_risk, training_risk])
@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input(risk, change, message):
    with pytest.raises(InputError, match=message):
        risk(**{**GOOD, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [case for case in BAD if not case[0].keys() & {"target_power", "noise"}],
)
def test_bad_input_to_effective_ridge(change, message):
    arguments = {**GOOD, **change}
    with pytest.raises(InputError, match=message):
        effective_ridge(*(arguments[name] for name in ("eigenvalues", "n", "ridge")))


@pytest.mark.parametrize(
    ("kappa", "message"),
    [(-1.0, "kappa must be at least 0"), ([1.0, 1.0], r"kappa must have the shape of n, \(1,\)")],
)
def test_bad_kappa(kappa, message):
    with pytest.raises(InputError, match=message):
        overfitting([1.0], kappa, 5, 0.1)
