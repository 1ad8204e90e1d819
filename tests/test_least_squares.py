"""Exact least-squares risk: Monte Carlo, special values, bad input."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.least_squares import least_squares_risk
from fusiontheory.monte_carlo import FusionSetting, simulate_ridge_risk


@pytest.mark.parametrize("n", [4, 10, 30, 60])
def test_monte_carlo(n):
    p, noise, signal = 20, 0.5, 2.0
    setting = FusionSetting(
        head="additive",
        eigenvalues_v=np.ones(p // 2),
        eigenvalues_t=np.ones(p // 2),
        additive_power=np.full(p, signal / p),
        bilinear_power=np.zeros((p // 2, p // 2)),
        ridge=0.0,
        noise=noise,
    )
    measured = simulate_ridge_risk(setting, n, draws=1000, seed=n)
    expected = least_squares_risk(p, n, noise, signal) + noise
    assert abs(measured.mean - expected) < 4 * measured.standard_error
    assert measured.standard_error < 0.05 * expected


def test_known_values():
    assert least_squares_risk(10, 21, 1.0) == 1.0
    assert least_squares_risk(10, 5, 1.0, signal=4.0) == pytest.approx(2 + 5 / 4)
    risk = least_squares_risk(10, [8, 9, 10, 11, 12], 1.0, signal=1.0)
    np.testing.assert_array_equal(np.isinf(risk), [False, True, True, True, False])


def test_the_signal_is_no_error_once_it_can_be_fitted():
    assert least_squares_risk(10, 30, 1.0, signal=7.0) == least_squares_risk(10, 30, 1.0)


def test_without_noise_only_the_unseen_signal_remains():
    np.testing.assert_allclose(least_squares_risk(10, [5, 10, 20], 0.0, signal=1.0), [0.5, 0, 0])


def test_scalar_sample_size_gives_a_float():
    assert isinstance(least_squares_risk(3, 9, 1.0), float)


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
