"""Exact least-squares risk: Monte Carlo, special values, bad input."""

import numpy as np
import pytest

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.monte_carlo import simulate_ridge_risk
from fusiontheory.risk import FusionSetting, least_squares_risk, least_squares_training_risk


def isotropic_setting(p, noise, signal, missing=0.0, values=1.0):
    """p features of two modalities and, apart from them, ``missing`` power no feature has."""
    half = p // 2
    return FusionSetting(
        head="additive",
        # The last feature of t has variance 0: its part of the target cannot be represented.
        eigenvalues_v=np.full(half, values),
        eigenvalues_t=np.append(np.full(half, values), 0.0),
        additive_power=np.append(np.full(p, signal / p), missing),
        bilinear_power=np.zeros((half, half + 1)),
        ridge=0.0,
        noise=noise,
    )


@pytest.mark.parametrize("missing", [0.0, 0.7])
@pytest.mark.parametrize("n", [4, 10, 16, 25, 30, 60])
def test_monte_carlo(n, missing):
    p, noise, signal = 20, 0.5, 2.0
    measured = simulate_ridge_risk(
        isotropic_setting(p, noise, signal, missing), n, draws=2000, seed=n
    )
    level = noise + missing
    expected = least_squares_risk(p, n, level, signal) + level
    assert abs(measured.mean - expected) < 4 * measured.standard_error
    assert measured.standard_error < 0.05 * expected
    training = measured.training
    gap = abs(training.mean() - least_squares_training_risk(p, n, level))
    assert gap < 4 * training.std(ddof=1) / np.sqrt(training.size) + 1e-12


def test_above_interpolation_the_covariance_of_the_features_does_not_matter():
    values = np.geomspace(1.0, 1e-3, 10)
    measured = simulate_ridge_risk(
        isotropic_setting(20, 0.5, 2.0, values=values), n=40, draws=2000, seed=1
    )
    expected = least_squares_risk(20, 40, 0.5) + 0.5
    assert abs(measured.mean - expected) < 4 * measured.standard_error


def test_known_values():
    assert least_squares_risk(10, 21, 1.0) == 1.0
    assert least_squares_risk(10, 5, 1.0, signal=4.0) == pytest.approx(2 + 5 / 4)
    with pytest.warns(ValidityWarning, match="infinite at n = 9, within 1 of the 10 features"):
        risk = least_squares_risk(10, [8, 9, 10, 11, 12], 1.0, signal=1.0)
    np.testing.assert_array_equal(np.isinf(risk), [False, True, True, True, False])
    np.testing.assert_allclose(least_squares_training_risk(4, [2, 4, 5, 16], 2.0), [0, 0, 0.4, 1.5])


def test_the_signal_is_no_error_once_it_can_be_fitted():
    assert least_squares_risk(10, 30, 1.0, signal=7.0) == least_squares_risk(10, 30, 1.0)


def test_without_noise_only_the_unseen_signal_remains():
    np.testing.assert_allclose(least_squares_risk(10, [5, 10, 20], 0.0, signal=1.0), [0.5, 0, 0])


def test_scalar_sample_size_gives_a_float():
    assert isinstance(least_squares_risk(3, 9, 1.0), float)
    assert isinstance(least_squares_training_risk(3, 9, 1.0), float)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5, 1.0), "p must be at least 1, got 0"),
        ((2.5, 5, 1.0), "p must be an integer"),
        ((2, 0, 1.0), "n must be at least 1 everywhere"),
        ((2, 5, -1.0), "noise must be a finite number of at least 0"),
        ((2, 5, 1.0, -1.0), "signal must be a finite number of at least 0"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(InputError, match=message):
        least_squares_risk(*arguments)
    if len(arguments) == 3:
        with pytest.raises(InputError, match=message):
            least_squares_training_risk(*arguments)
