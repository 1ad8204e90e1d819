"""The simulation against explicit features and against the closed form."""

import dataclasses

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.deterministic_equivalent import ridge_risk, training_risk
from fusiontheory.monte_carlo import FusionSetting, fit_bilinear_ridge, simulate_ridge_risk


def power_law_setting(head, d, additive=0.5, bilinear=0.5, ridge=2e-3):
    lambda_v = np.arange(1, d + 1) ** -0.6
    lambda_t = np.arange(1, d + 1) ** -0.4
    lambda_v, lambda_t = lambda_v / lambda_v.sum(), lambda_t / lambda_t.sum()
    return FusionSetting(
        head=head,
        eigenvalues_v=lambda_v,
        eigenvalues_t=lambda_t,
        additive_power=additive * np.concatenate([lambda_v, lambda_t]) / 2,
        bilinear_power=bilinear * np.outer(lambda_v, lambda_t),
        ridge=ridge,
        noise=0.25,
    )


def predict(setting, n, risk=ridge_risk):
    return risk(
        setting.eigenvalues, setting.target_power, n, setting.ridge, setting.effective_noise
    )


@pytest.mark.parametrize(
    ("additive", "bilinear"), [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)], ids=["add", "bil", "mix"]
)
@pytest.mark.parametrize(
    ("head", "d", "n", "draws"),
    [
        # 60 features; the peak lies at n = 60.
        *[("additive", 30, n, 200) for n in (20, 60, 100, 400)],
        # 576 features; the peak lies at n = 576.
        *[("bilinear", 24, n, 16) for n in (50, 200, 576, 1200)],
    ],
)
def test_closed_form_predicts_the_measured_risk(head, d, n, draws, additive, bilinear):
    setting = power_law_setting(head, d, additive, bilinear)
    measured = simulate_ridge_risk(setting, n, draws, seed=n)
    gap = abs(measured.mean - predict(setting, n))
    # The formula is asymptotic: 4 standard errors, or 6 % where those are smaller.
    assert gap < max(4 * measured.standard_error, 0.06 * measured.mean)


# Gaussian features only: the norm of v (x) t varies from sample to sample, and where the bilinear
# head interpolates, its training error (near 0) exceeds the formula by 26 to 43 % at d = 24 to 40.
@pytest.mark.parametrize("n", [20, 60, 100, 400])
def test_closed_form_predicts_the_training_risk(n):
    setting = power_law_setting("additive", 30)
    training = simulate_ridge_risk(setting, n, draws=400, seed=n).training
    standard_error = training.std(ddof=1) / np.sqrt(training.size)
    gap = abs(training.mean() - predict(setting, n, training_risk))
    assert gap < max(4 * standard_error, 0.06 * training.mean())


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("n", [7, 12, 40])
def test_product_kernel_agrees_with_explicit_features(n, ridge):
    rng = np.random.default_rng(n)
    v, t, y = rng.standard_normal((n, 3)), rng.standard_normal((n, 4)), rng.standard_normal(n)
    features = np.einsum("ni,nj->nij", v, t).reshape(n, 12)
    if ridge:
        gram = features.T @ features + ridge * np.eye(12)
        expected = np.linalg.solve(gram, features.T @ y)
    else:
        expected = np.linalg.pinv(features) @ y
    fitted = fit_bilinear_ridge(v, t, y, ridge)
    np.testing.assert_allclose(fitted.ravel(), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("head", ["additive", "bilinear"])
def test_test_error_where_it_is_known(head):
    # With a huge ridge nothing is fitted: the error is the label's variance.
    setting = power_law_setting(head, 4, ridge=1e12)
    assert simulate_ridge_risk(setting, 10, 2, 0).mean == pytest.approx(1.25)
    # With many samples the training error, computed from labels, is a test error.
    setting = power_law_setting(head, 4, ridge=1e-6)
    measured = simulate_ridge_risk(setting, 20_000, 4, 1)
    assert measured.training.mean() == pytest.approx(measured.mean, rel=0.05)
    assert measured.mean == pytest.approx(setting.effective_noise, rel=0.01)


def test_power_at_zero_eigenvalues_is_never_learned():
    setting = dataclasses.replace(
        power_law_setting("bilinear", 3, bilinear=0.0, additive=0.0),
        eigenvalues_v=np.array([1.0, 1.0, 0.0]),
        bilinear_power=np.diag([0.0, 0.0, 2.0]),
        noise=0.0,
    )
    measured = simulate_ridge_risk(setting, 5000, 2, 0)
    assert measured.mean == pytest.approx(2.0, rel=0.01)


def test_a_seed_fixes_the_result():
    setting = power_law_setting("bilinear", 5)
    first, again, other = (simulate_ridge_risk(setting, 10, 3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)
    assert np.unique(first.test).size == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"head": "mlp"}, "head must be 'additive' or 'bilinear', got 'mlp'"),
        ({"eigenvalues_v": [1.0, -1.0]}, "eigenvalues_v must be at least 0 everywhere"),
        ({"eigenvalues_t": [np.nan]}, "eigenvalues_t must be finite"),
        ({"additive_power": [1.0]}, r"additive_power must have shape \(4,\) .* got \(1,\)"),
        ({"bilinear_power": np.ones((2, 3))}, r"bilinear_power must have shape \(2, 2\)"),
        ({"bilinear_power": -np.ones((2, 2))}, "bilinear_power must be at least 0"),
        ({"ridge": -1.0}, "ridge must be a finite number of at least 0"),
        ({"noise": np.inf}, "noise must be a finite number of at least 0"),
    ],
)
def test_bad_setting(change, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(power_law_setting("additive", 2), **change)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5, 0), "n must be at least 1"),
        ((5.5, 5, 0), "n must be an integer"),
        ((5, 1, 0), "draws must be at least 2"),
        ((5, 5, -1), "seed must be at least 0"),
    ],
)
def test_bad_call(arguments, message):
    with pytest.raises(InputError, match=message):
        simulate_ridge_risk(power_law_setting("additive", 2), *arguments)
