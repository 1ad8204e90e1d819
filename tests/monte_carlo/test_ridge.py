"""The simulation against explicit features and against the closed form."""

import dataclasses

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.monte_carlo import simulate_ridge_risk
from fusiontheory.risk import FusionSetting, ridge_risk, training_risk
from fusiontheory.solvers import fit_bilinear_ridge, fit_linear_ridge


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


def correlated_setting(head, signs=None, **changes):
    """Three image and two text features; canonical correlations 0.9 and 0.5."""
    given = {
        "head": head,
        "eigenvalues_v": [1.0, 0.6, 0.3],
        "eigenvalues_t": [0.8, 0.5],
        "additive_power": [0.3, 0.2, 0.1, 0.2, 0.4],
        "bilinear_power": [[0.5, 0.2], [0.1, 0.3], [0.2, 0.1]],
        "ridge": 0.0,
        "noise": 0.25,
        "correlation": [0.9, 0.5],
    }
    if signs is not None:
        rng = np.random.default_rng(signs)
        given["additive_signs"] = rng.choice([-1.0, 1.0], 5)
        given["bilinear_signs"] = rng.choice([-1.0, 1.0], (3, 2))
    return FusionSetting(**{**given, **changes})


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


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("signs", [None, 1, 2])
@pytest.mark.parametrize("head", ["additive", "bilinear"])
def test_error_of_correlated_pairs_agrees_with_that_on_samples(head, signs, intercept):
    # The ridge keeps the coefficients far from the target's; with n far above the 6 features the
    # training error, which no formula enters, is then a test error.
    n, draws = 6000, 40
    setting = correlated_setting(head, signs, ridge=0.7 * n, intercept=intercept)
    measured = simulate_ridge_risk(setting, n, draws, seed=3)
    gap = measured.training - measured.test
    assert abs(gap.mean()) < 4 * gap.std(ddof=1) / np.sqrt(draws) + 2e-3 * measured.mean
    assert measured.mean > 1.05 * setting.effective_noise


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("signs", [None, 1, 2])
@pytest.mark.parametrize("head", ["additive", "bilinear"])
def test_spectrum_of_correlated_pairs_agrees_with_moments_of_samples(head, signs, intercept):
    setting = correlated_setting(head, signs, intercept=intercept)
    rng = np.random.default_rng(0)
    n, d_v, d_t = 400_000, 3, 2
    z_v, z_t = rng.standard_normal((n, d_v)), rng.standard_normal((n, d_t))
    rho = setting.correlation
    z_t = rho * z_v[:, :2] + np.sqrt(1 - rho**2) * z_t
    v, t = z_v * np.sqrt(setting.eigenvalues_v), z_t * np.sqrt(setting.eigenvalues_t)
    products = (z_v[:, :, None] * z_t[:, None, :]).reshape(n, -1)
    x = np.hstack([v, t])
    if head == "bilinear":
        x = (v[:, :, None] * t[:, None, :]).reshape(n, -1)
    learnable = np.hstack([z_v, z_t]) if head == "additive" else products
    missing = products if head == "additive" else np.hstack([z_v, z_t])
    if intercept:
        x, learnable, missing = (array - array.mean(axis=0) for array in (x, learnable, missing))
    values, vectors = np.linalg.eigh(x.T @ x / n)
    order = np.argsort(setting.eigenvalues)
    np.testing.assert_allclose(setting.eigenvalues[order], values, rtol=0.02)

    powers = [setting.additive_power, setting.bilinear_power.ravel()]
    signed = [setting.additive_signs, setting.bilinear_signs]
    if head == "bilinear":
        powers, signed = powers[::-1], signed[::-1]
    moments = []
    for power, sign in zip(powers, signed, strict=True):
        root = np.sqrt(power)
        given = np.outer(root, root)
        moments.append(np.diag(power) if sign is None else given * np.outer(sign, sign))
    overlap = learnable.T @ (x @ vectors) / n
    expected = np.einsum("ik,ij,jk->k", overlap, moments[0], overlap) / values
    np.testing.assert_allclose(setting.target_power[order], expected, rtol=0.05, atol=0.01)
    unseen = np.sum(moments[1] * (missing.T @ missing / n))
    assert setting.effective_noise == pytest.approx(0.25 + unseen, rel=0.02)
    total = np.sum(moments[0] * (learnable.T @ learnable / n))
    assert setting.target_power.sum() == pytest.approx(total, rel=0.02)


@pytest.mark.parametrize("signs", [None, np.ones(60)], ids=["random", "same"])
@pytest.mark.parametrize("rho", [0.5, 1.0])
@pytest.mark.parametrize("n", [20, 60, 150])
def test_closed_form_predicts_the_risk_of_correlated_additive_features(rho, n, signs):
    plain = power_law_setting("additive", 30, bilinear=0.0, ridge=0.02)
    rhos = np.linspace(rho, 0.0, 30)
    setting = dataclasses.replace(plain, correlation=rhos, additive_signs=signs)
    measured = simulate_ridge_risk(setting, n, 400, seed=n)
    predicted = predict(setting, n)
    # Asymptotic in the number of samples: 4 standard errors or 1 %.
    assert abs(measured.mean - predicted) < max(4 * measured.standard_error, 0.01 * predicted)
    assert measured.standard_error < 0.02 * predicted
    if signs is not None and n < 100:
        # The union of the two spectra is not the answer.
        scale = setting.target_power.sum() / plain.target_power.sum()
        union = dataclasses.replace(plain, additive_power=scale * plain.additive_power)
        assert predict(union, n) > 1.03 * predicted


def test_without_correlation_the_spectrum_is_that_of_the_fields():
    plain = power_law_setting("bilinear", 4)
    signed = dataclasses.replace(plain, correlation=0.0, bilinear_signs=np.ones((4, 4)))
    np.testing.assert_array_equal(signed.eigenvalues, plain.eigenvalues)
    np.testing.assert_array_equal(signed.target_power, plain.bilinear_power.ravel())
    np.testing.assert_array_equal(plain.correlation, np.zeros(4))
    tiny = dataclasses.replace(plain, correlation=1e-9)
    np.testing.assert_allclose(np.sort(tiny.eigenvalues), np.sort(plain.eigenvalues), rtol=1e-8)
    assert tiny.target_power.sum() == pytest.approx(plain.target_power.sum())
    assert tiny.effective_noise == pytest.approx(plain.effective_noise)


def test_given_signs_are_those_of_the_target():
    # The target is v_1 t_1 with rho = 1, a square; its mean is +1 or -1 with the sign.
    def measure(sign):
        setting = FusionSetting(
            "additive",
            np.ones(1),
            np.ones(1),
            np.zeros(2),
            np.ones((1, 1)),
            ridge=0.0,
            noise=0.0,
            correlation=1.0,
            bilinear_signs=np.full((1, 1), sign),
            intercept=True,
        )
        assert setting.effective_noise == pytest.approx(2.0)  # Var z^2
        return simulate_ridge_risk(setting, 500, 40, 0)

    up, down = measure(1.0), measure(-1.0)
    np.testing.assert_allclose(up.test, down.test, rtol=1e-9)
    assert up.mean == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("n", [7, 12, 40])
def test_intercept_agrees_with_a_constant_feature(n, ridge):
    rng = np.random.default_rng(n)
    v, t, y = rng.standard_normal((n, 3)), rng.standard_normal((n, 4)), rng.standard_normal(n)
    features = np.einsum("ni,nj->nij", v, t).reshape(n, 12)
    # A constant so large that the ridge, or the least norm, does not shrink it.
    constant = 1e4
    if ridge:
        x = np.hstack([features, np.full((n, 1), constant)])
        expected = np.linalg.solve(x.T @ x + ridge * np.eye(13), x.T @ y)[:12]
    else:
        centred = features - features.mean(axis=0)
        expected = np.linalg.pinv(centred) @ (y - y.mean())
    for fitted in (
        fit_bilinear_ridge(v, t, y, ridge, intercept=True).ravel(),
        fit_linear_ridge(features, y, ridge, intercept=True),
    ):
        np.testing.assert_allclose(fitted, expected, rtol=1e-4, atol=1e-7)


def test_a_seed_fixes_the_result():
    setting = power_law_setting("bilinear", 5)
    first, again, other = (simulate_ridge_risk(setting, 10, 3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)
    assert np.unique(first.test).size == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"head": "mlp"}, "head must be additive or bilinear, got 'mlp'"),
        ({"eigenvalues_v": [1.0, -1.0]}, "eigenvalues_v must be at least 0 everywhere"),
        ({"eigenvalues_t": [np.nan]}, "eigenvalues_t must be finite"),
        ({"additive_power": [1.0]}, r"additive_power must have shape \(4,\) .* got \(1,\)"),
        ({"bilinear_power": np.ones((2, 3))}, r"bilinear_power must have shape \(2, 2\)"),
        ({"bilinear_power": -np.ones((2, 2))}, "bilinear_power must be at least 0"),
        ({"ridge": -1.0}, "ridge must be a finite number of at least 0"),
        ({"noise": np.inf}, "noise must be a finite number of at least 0"),
        ({"correlation": -0.1}, "correlation must be at least 0 everywhere, got -0.1"),
        ({"correlation": [0.5, 1.1]}, "correlation must be at most 1 everywhere, got 1.1"),
        ({"correlation": [0.5]}, "correlation must have one value per pair of coordinates, 2"),
        ({"additive_signs": np.ones(3)}, r"additive_signs must have .* \(4,\), got \(3,\)"),
        ({"additive_signs": np.zeros(4)}, r"additive_signs must be \+1 or -1 .*, got 0"),
        ({"bilinear_signs": np.full((2, 2), 2)}, r"bilinear_signs must be \+1 or -1 .*, got 2"),
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
