"""Mean, variance and sign of the predictor: simulation, limits, brute force, bad input."""

import numpy as np
import pytest

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.monte_carlo import simulate_coefficients, simulate_sign_accuracy
from fusiontheory.risk import (
    SignLabels,
    effective_ridge,
    mean_coefficients,
    prediction_variance,
    ridge_risk,
    score_accuracy,
    sign_accuracy,
    unlearned,
)

P = 60
FLAT = np.ones(P)
LAW = np.arange(1.0, P + 1) ** -1.0


@pytest.mark.parametrize("eigenvalues", [FLAT, LAW], ids=["flat", "law"])
@pytest.mark.parametrize("n", [20, 60, 200])
def test_mean_and_variance_agree_with_simulation(eigenvalues, n):
    b = np.random.default_rng(0).standard_normal(P) * np.sqrt(eigenvalues)
    b /= np.linalg.norm(b)
    ridge, noise, draws = 0.02 * eigenvalues.sum(), 0.3, 600
    fitted = simulate_coefficients(eigenvalues, b, n, ridge, noise, draws=draws, seed=n)
    mean = mean_coefficients(eigenvalues, b, n, ridge)
    # Along the target, where the signal is, and in all other directions together.
    projection = fitted @ b
    standard_error = projection.std(ddof=1) / np.sqrt(draws)
    assert abs(projection.mean() - mean @ b) < max(4 * standard_error, 0.02 * abs(mean @ b))
    assert standard_error < 0.02
    spread = fitted.std(axis=0, ddof=1) / np.sqrt(draws)
    # The largest of 60 normal errors, and what the asymptotic mean is off by: a few per cent of b.
    assert (np.abs(fitted.mean(axis=0) - mean) < 4.5 * spread + 0.03 * np.abs(b)).all()

    variance = ((fitted - fitted.mean(axis=0)) ** 2).sum(axis=1) * draws / (draws - 1)
    standard_error = variance.std(ddof=1) / np.sqrt(draws)
    predicted = prediction_variance(eigenvalues, b**2, n, ridge, noise)
    assert abs(variance.mean() - predicted) < max(4 * standard_error, 0.03 * predicted)
    assert standard_error < 0.04 * predicted


@pytest.mark.parametrize("ridge", [0.0, 1e-3, 1.0])
def test_risk_is_bias_noise_and_variance(ridge):
    n, noise = np.array([5, 59, 61, 400]), 0.2
    power = LAW**0.5
    kappa = effective_ridge(LAW, n, ridge)[:, None]
    bias = (unlearned(LAW, kappa) ** 2 * power).sum(axis=1)
    total = bias + noise + prediction_variance(LAW, power, n, ridge, noise)
    np.testing.assert_allclose(total, ridge_risk(LAW, power, n, ridge, noise), rtol=1e-9)
    unbiased = mean_coefficients(LAW, np.sqrt(power), n, ridge) - np.sqrt(power)
    np.testing.assert_allclose((unbiased**2).sum(axis=1), bias, rtol=1e-9, atol=1e-15)


def test_mean_coefficients_in_the_limits():
    b = np.array([1.0, -2.0, 3.0])
    lam = np.array([1.0, 0.5, 0.0])
    np.testing.assert_allclose(mean_coefficients(lam, b, 10, 0.0), [1.0, -2.0, 0.0])
    np.testing.assert_allclose(mean_coefficients(lam, b, 10, 1e12), 0.0, atol=1e-9)
    assert mean_coefficients(lam, b, [3, 9], 0.1).shape == (2, 3)


def test_the_variance_is_infinite_at_the_peak_and_warns():
    with pytest.warns(ValidityWarning, match="infinite at n = 60"):
        variance = prediction_variance(FLAT, FLAT, [59, 60], 0.0, 1.0)
    np.testing.assert_array_equal(np.isinf(variance), [False, True])
    assert type(prediction_variance(FLAT, FLAT, 10, 0.1, 1.0)) is float


@pytest.mark.parametrize(("latent_noise", "flip"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.2), (1.0, 0.1)])
@pytest.mark.parametrize("eigenvalues", [FLAT, LAW], ids=["flat", "law"])
# Below, at and above interpolation; at it once with next to no ridge.
@pytest.mark.parametrize(("n", "relative"), [(20, 0.01), (60, 1e-3), (60, 0.1), (200, 0.01)])
def test_accuracy_agrees_with_simulation(n, relative, eigenvalues, latent_noise, flip):
    ridge = relative * eigenvalues.sum()
    labels = SignLabels(eigenvalues, eigenvalues, ridge, latent_noise, flip)
    measured = simulate_sign_accuracy(labels, n, draws=300, seed=n)
    gap = abs(measured.accuracy.mean() - sign_accuracy(labels, n))
    # Asymptotic. From 60 to 480 features the formula was measured to be low by about 0.3 / p, and
    # by 0.6 / p at the peak, where the variance of the score fluctuates between training sets.
    low = 0.7 if (n, relative) == (60, 1e-3) else 0.4
    assert gap < max(4 * measured.standard_error, low / P)
    assert measured.standard_error < 0.005
    predicted = ridge_risk(eigenvalues, labels.target_power, n, ridge, labels.noise)
    error = measured.test.std(ddof=1) / np.sqrt(measured.test.size)
    assert abs(measured.test.mean() - predicted) < max(4 * error, 0.02 * predicted)


@pytest.mark.parametrize(("n", "ridge"), [(100, 6.0), (300, 0.3), (300, 6.0), (900, 6.0)])
def test_accuracy_with_more_features_agrees_within_the_standard_error(n, ridge):
    labels = SignLabels(np.ones(300), np.ones(300), ridge, latent_noise=0.2, flip=0.05)
    measured = simulate_sign_accuracy(labels, n, draws=30, seed=1)
    gap = abs(measured.accuracy.mean() - sign_accuracy(labels, n))
    assert gap < 3 * measured.standard_error
    assert measured.standard_error < 0.006


def test_the_exact_accuracy_of_a_fit_is_that_on_samples():
    # The simulation's own shortcut (jointly normal score and latent), against labels.
    labels = SignLabels(LAW[:5], LAW[:5], ridge=0.5, latent_noise=0.4, flip=0.15)
    measured = simulate_sign_accuracy(labels, n=12, draws=2, seed=7)
    rng = np.random.default_rng(0)
    z = rng.standard_normal((400_000, 5))
    scale = np.sqrt(labels.eigenvalues)
    a = np.sqrt(labels.share)
    hidden = np.sqrt(1 - labels.share.sum())

    def draw(x, generator):
        y = np.sign(x @ a + hidden * generator.standard_normal(len(x)))
        return np.where(generator.random(len(x)) < 0.15, -y, y)

    fresh = draw(z, rng)
    for k, generator in enumerate(np.random.default_rng(7).spawn(2)):
        x = generator.standard_normal((12, 5))
        y = draw(x, generator)
        gram = (x * scale).T @ (x * scale) + 0.5 * np.eye(5)
        w = scale * np.linalg.solve(gram, scale * (x.T @ y))
        score = z @ w
        assert np.mean(score * fresh > 0) == pytest.approx(measured.accuracy[k], abs=0.004)
        assert np.mean((score - fresh) ** 2) == pytest.approx(measured.test[k], rel=0.01)


@pytest.mark.parametrize("n", [20, 60, 200])
def test_closed_form_is_the_average_over_samples_of_the_scores(n):
    ridge = 0.02 * LAW.sum()
    labels = SignLabels(LAW, LAW, ridge, latent_noise=0.3)
    rng = np.random.default_rng(0)
    z = rng.standard_normal((100_000, P))
    a = np.sqrt(labels.share)
    y = np.sign(z @ a + np.sqrt(1 - labels.share.sum()) * rng.standard_normal(len(z)))
    scores = z @ mean_coefficients(LAW, labels.slope * a, n, ridge)
    variance = prediction_variance(LAW, labels.target_power, n, ridge, labels.noise)
    averaged = score_accuracy(scores, y, variance)
    assert averaged == pytest.approx(sign_accuracy(labels, n), abs=4 * 0.5 / np.sqrt(len(z)))


def test_accuracy_in_the_limits():
    labels = SignLabels(FLAT, FLAT, ridge=1.0, latent_noise=FLAT.sum(), flip=0.1)
    # With many samples only hidden latent and flips remain: r = 1 / sqrt(2).
    assert sign_accuracy(labels, 1e9) == pytest.approx(0.5 + 0.8 / 4, abs=1e-4)
    perfect = SignLabels(FLAT, FLAT, ridge=1.0)
    assert sign_accuracy(perfect, 1e12) == pytest.approx(1, abs=1e-4)
    # Labels that are always flipped are learned as well as those that never are.
    turned = SignLabels(FLAT, FLAT, ridge=1.0, flip=1.0)
    np.testing.assert_allclose(sign_accuracy(turned, [10, 60]), sign_accuracy(perfect, [10, 60]))
    # Nothing to learn: flips at random, or a latent that no feature shows.
    for blind in (
        SignLabels(FLAT, FLAT, ridge=1.0, flip=0.5),
        SignLabels(FLAT, 0 * FLAT, ridge=1.0, latent_noise=1.0),
    ):
        np.testing.assert_allclose(sign_accuracy(blind, [10, 60, 300]), 0.5)
        assert blind.noise == pytest.approx(1.0)
        assert simulate_sign_accuracy(blind, 10, 2, 0).accuracy == pytest.approx(0.5)
    assert type(sign_accuracy(labels, 5)) is float


def test_power_of_the_label_is_one():
    labels = SignLabels(LAW, LAW, ridge=1.0, latent_noise=0.3, flip=0.1)
    assert labels.target_power.sum() + labels.noise == pytest.approx(1.0)


def test_accuracy_at_the_unregularised_peak_warns():
    labels = SignLabels(FLAT, FLAT, ridge=0.0)
    with pytest.warns(ValidityWarning, match="infinite at n = 60"):
        accuracy = sign_accuracy(labels, [40, 60, 80])
    assert accuracy[1] == 0.5
    assert (accuracy[[0, 2]] > 0.5).all()


def test_score_accuracy_without_variance_counts_signs():
    assert score_accuracy([1.0, -2.0, 3.0, 0.0], [1.0, 1.0, 1.0, -1.0], 0.0) == 2.5 / 4
    assert score_accuracy([1.0], [1.0], 1e12) == pytest.approx(0.5, abs=1e-5)


LABELS = {"eigenvalues": [1.0, 0.5], "latent_power": [1.0, 1.0], "ridge": 0.1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eigenvalues": []}, "eigenvalues must not be empty"),
        ({"eigenvalues": [0.0, 0.0]}, "eigenvalues must have at least one above 0"),
        ({"eigenvalues": [1.0, np.nan]}, "eigenvalues must be finite"),
        ({"latent_power": [1.0]}, "latent_power must have one value per eigenvalue, 2, got 1"),
        ({"latent_power": [0.0, 0.0]}, "latent_power must have a value above 0"),
        ({"latent_power": [1.0, -1.0]}, "latent_power must be at least 0 everywhere"),
        ({"ridge": -1.0}, "ridge must be a finite number of at least 0"),
        ({"latent_noise": -1.0}, "latent_noise must be a finite number of at least 0"),
        ({"flip": 1.5}, "flip must be a probability of at most 1, got 1.5"),
        ({"flip": -0.5}, "flip must be a finite number of at least 0"),
    ],
)
def test_bad_labels(change, message):
    with pytest.raises(InputError, match=message):
        SignLabels(**{**LABELS, **change})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [0.5], 1.0), "labels must be \\+1 or -1, got 0.5"),
        (([1.0], [1.0, 1.0], 1.0), "labels must have one value per score, 1, got 2"),
        (([np.nan], [1.0], 1.0), "scores must be finite"),
        (([1.0], [1.0], -1.0), "variance must be a finite number of at least 0"),
    ],
)
def test_bad_scores(arguments, message):
    with pytest.raises(InputError, match=message):
        score_accuracy(*arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coefficients": [1.0]}, "coefficients must have one value per eigenvalue, 2, got 1"),
        ({"coefficients": [1.0, np.inf]}, "coefficients must be finite"),
        ({"n": 0}, "n must be at least 1"),
        ({"ridge": -1.0}, "ridge must be a finite number of at least 0"),
    ],
)
def test_bad_coefficients(change, message):
    good = {"eigenvalues": [1.0, 0.5], "coefficients": [1.0, 1.0], "n": 5, "ridge": 0.1}
    with pytest.raises(InputError, match=message):
        mean_coefficients(**{**good, **change})
    with pytest.raises(InputError, match=message):
        simulate_coefficients(**{**good, "noise": 0.1, **change}, draws=2, seed=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5, 0), "n must be at least 1"),
        ((5, 1, 0), "draws must be at least 2"),
        ((5, 5, -1), "seed must be at least 0"),
    ],
)
def test_bad_simulation(arguments, message):
    with pytest.raises(InputError, match=message):
        simulate_sign_accuracy(SignLabels(FLAT, FLAT, 1.0), *arguments)
    with pytest.raises(InputError, match="n must be at least 1"):
        sign_accuracy(SignLabels(FLAT, FLAT, 1.0), 0)
