"""Risk and accuracy of matching from a spectrum and a signal: limits and orderings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from fusiontheory.matching import FunctionSignal, MatchingModel, matching_curve
from fusiontheory.risk import Spectrum, effective_ridge, overfitting

LAM = np.arange(1, 201) ** -1.0


def model_of(strength, lam=LAM, ridge=0.0, error=0.0):
    """A signal of c_i^2 = strength lambda_i^2 on features of covariance lambda in each class."""

    def signal(kappa):
        c2 = strength * lam**2
        level = np.asarray(kappa)[:, None]
        return (c2 / (lam + level)).sum(1), -(level * c2 / (lam + level) ** 2).sum(1)

    known = FunctionSignal(signal, lambda kappa: np.full_like(kappa, error))
    return MatchingModel(Spectrum.from_eigenvalues(lam), ridge, known)


def test_formulas_of_the_docstring():
    n, ridge = np.array([5.0, 50, 500]), 0.1
    model = model_of(3.0)
    curve = matching_curve(model, n, ridge)
    kappa = effective_ridge(LAM, n, ridge)
    gamma = 1 - 1 / overfitting(LAM, kappa, n, ridge)
    q = np.array([np.sum(3 * LAM**2 / (LAM + k)) for k in kappa])
    a = 1 / (1 + q / 4)
    within = a**2 / 4 * np.array([np.sum(3 * LAM**3 / (LAM + k) ** 2) for k in kappa])
    risk = ((1 - a * q / 4) ** 2 + within) / (1 - gamma)
    np.testing.assert_allclose(curve.risk, risk, rtol=1e-9)
    accuracy = norm.cdf(a * q / 4 / np.sqrt(within + gamma * risk))
    np.testing.assert_allclose(curve.accuracy, accuracy, rtol=1e-9)


def test_without_signal_the_accuracy_is_a_half_and_the_risk_above_1():
    curve = matching_curve(model_of(0.0), np.array([2.0, 100, 1e6]), 0.1)
    np.testing.assert_array_equal([curve.accuracy, curve.low, curve.high], 0.5)
    assert (curve.risk >= 1).all()
    assert curve.risk[-1] == pytest.approx(1, rel=1e-3)
    # Where nothing is learned at all, neither is a wrong answer.
    assert matching_curve(model_of(0.0), np.array([64.0]), 1e250).accuracy == 0.5


def test_many_samples_reach_the_linear_discriminant():
    strength = 2.0
    curve = matching_curve(model_of(strength), np.array([1e9]), 1e-6)
    q = strength * LAM.sum()
    assert curve.accuracy[0] == pytest.approx(norm.cdf(np.sqrt(q) / 2), rel=1e-4)
    assert curve.risk[0] == pytest.approx(1 / (1 + q / 4), rel=1e-4)


def test_a_huge_ridge_leaves_the_classifier_of_the_means():
    # f = c.x: kappa = ridge / n, and the estimate of c is noisy along every eigenvector.
    n, strength = 40.0, 2.0
    curve = matching_curve(model_of(strength), np.array([n]), 1e9)
    c2 = strength * LAM**2
    spread = np.sum(c2 * LAM) / 4 + np.sum(LAM**2) / n
    assert curve.accuracy[0] == pytest.approx(norm.cdf(c2.sum() / 4 / np.sqrt(spread)), rel=1e-6)
    assert curve.risk[0] == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_perfect_separation(ridge):
    curve = matching_curve(model_of(1e12), np.array([1000.0]), ridge)
    assert curve.accuracy[0] > 1 - 1e-9
    assert curve.risk[0] < 1e-6


@settings(deadline=None, max_examples=30)
@given(n=st.floats(2, 1e5), ridge=st.floats(1e-6, 10), strength=st.floats(1e-3, 100))
def test_more_signal_is_more_accuracy_and_less_risk(n, ridge, strength):
    sizes = np.array([n])
    weak = matching_curve(model_of(strength), sizes, ridge)
    strong = matching_curve(model_of(1.5 * strength), sizes, ridge)
    assert strong.accuracy > weak.accuracy or weak.accuracy > 1 - 1e-12
    assert strong.risk < weak.risk
    assert weak.accuracy >= 0.5


def test_risk_falls_with_n_to_its_floor():
    n = np.geomspace(2, 1e8, 60)
    curve = matching_curve(model_of(1.0), n, 3.0)
    assert (np.diff(curve.risk) < 0).all()
    assert (np.diff(curve.accuracy) > 0).all()
    assert curve.risk[-1] == pytest.approx(1 / (1 + LAM.sum() / 4), rel=1e-4)


def test_power_outside_the_spectrum_acts_as_ridge():
    n = np.array([10.0, 1000])
    inside = matching_curve(model_of(1.0, ridge=0.3), n, 0.1)
    outside = matching_curve(model_of(1.0), n, 0.4)
    np.testing.assert_array_equal(inside.accuracy, outside.accuracy)
    np.testing.assert_array_equal(inside.risk, outside.risk)


@pytest.mark.filterwarnings("error")
def test_the_interpolation_peak_without_ridge():
    n = np.array([199.0, 200, 201])
    curve = matching_curve(model_of(1.0), n, 0.0)
    np.testing.assert_array_equal(np.isinf(curve.risk), [False, True, False])
    assert curve.accuracy[1] == 0.5
    assert (curve.accuracy[[0, 2]] > 0.5).all()
    near = matching_curve(model_of(1.0), n, 1e-9)
    assert np.isfinite(near.risk).all()
    np.testing.assert_allclose(near.accuracy, curve.accuracy, atol=0.01)


def test_the_interval_holds_the_accuracy_and_grows_with_the_error():
    n = np.geomspace(2, 1e5, 9)
    width = np.zeros(9)
    for error in (0.0, 0.1, 0.5, 1.0, 1e6):
        curve = matching_curve(model_of(1.0, error=error), n, 0.1)
        assert (curve.low <= curve.accuracy).all()
        assert (curve.accuracy <= curve.high).all()
        assert (curve.high - curve.low >= width).all()
        width = curve.high - curve.low
    np.testing.assert_array_equal(curve.low, 0.5)


@settings(deadline=None, max_examples=20)
@given(scale=st.floats(1e-6, 1e6))
def test_units_do_not_matter(scale):
    n = np.array([10.0, 300])
    expected = matching_curve(model_of(2.0), n, 0.1)
    scaled = matching_curve(model_of(2.0 / scale, scale * LAM), n, scale * 0.1)
    np.testing.assert_allclose(scaled.accuracy, expected.accuracy, rtol=1e-8)
    np.testing.assert_allclose(scaled.risk, expected.risk, rtol=1e-8)
