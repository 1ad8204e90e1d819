"""Scatter of accuracy over training sets: the formula against Monte Carlo, limits, intervals."""

import numpy as np
import pytest
from scipy.stats import gamma, norm
from worlds import theory_alone

from fusiontheory.checks import InputError
from fusiontheory.curves import predict_curve
from fusiontheory.heads import HEADS
from fusiontheory.matching import (
    FunctionSignal,
    MatchingModel,
    matching_curve,
    threshold_scatter,
    training_deviation,
)
from fusiontheory.moments import GaussianPairs, Moments
from fusiontheory.monte_carlo import simulate_training_scatter
from fusiontheory.risk import Spectrum

RIDGE = 0.1
DRAWS = 500


def two_classes(values, apart):
    """The model of two normal classes, means +-apart/2, covariance diag(values)."""

    def signal(kappa):
        level = kappa[:, None]
        resolvent = 1 / (values + level)
        return apart**2 @ resolvent.T, -((apart * resolvent) ** 2 * level).sum(axis=1)

    return MatchingModel(
        Spectrum.from_eigenvalues(values), 0.0, FunctionSignal(signal, np.zeros_like)
    )


def exact_accuracies(values, apart, n, ridge):
    """Accuracies, in closed form, of ridge classifiers from DRAWS training sets of n samples."""
    rng = np.random.default_rng(0)
    label = np.tile([1.0, -1.0], n // 2)
    found = []
    for _ in range(DRAWS):
        x = label[:, None] * apart / 2 + rng.standard_normal((n, values.size)) * np.sqrt(values)
        mean = x.mean(axis=0)
        gram = (x - mean).T @ (x - mean)
        weights = np.linalg.solve(gram + ridge * np.eye(values.size), (x - mean).T @ label)
        deviation = np.sqrt(weights**2 @ values)
        ends = weights @ apart / 2 + np.array([-1, 1]) * (weights @ mean)
        found.append(norm.cdf(ends / deviation).mean())
    return np.array(found)


# Predicted over measured, 600 training sets: 1.06, 1.01, 1.04, 0.97, 1.02 (each +-0.03).
# Steep spectra with signal in small eigenvalues have been seen 10 % low (docs/score_law.md).
@pytest.mark.parametrize(
    ("d", "decay", "signal_decay", "size", "n", "ridge"),
    [
        (10, 0, 0, 1.0, 100, 1.0),
        (50, 1, 0.3, 0.7, 100, 5.0),
        (200, 0.5, 0, 1.0, 400, 30.0),
        (100, 1, 1.2, 0.3, 512, 0.1),
        (200, 0, 0.5, 2.0, 400, 1.0),
    ],
)
def test_normal_features(d, decay, signal_decay, size, n, ridge):
    index = np.arange(1, d + 1.0)
    values, apart = index**-decay, index**-signal_decay
    apart *= 2 * size / np.sqrt(np.sum(apart**2 / (values + 0.1)))
    model, sizes = two_classes(values, apart), np.array([float(n)])
    measured = exact_accuracies(values, apart, n, ridge)
    accuracy = matching_curve(model, sizes, ridge).accuracy
    predicted = training_deviation(model, sizes, ridge) * norm.pdf(norm.ppf(accuracy))
    ratio = predicted[0] / measured.std(ddof=1)
    assert abs(ratio - 1) < 4 / np.sqrt(2 * DRAWS)


def test_a_threshold_between_two_laws():
    rng = np.random.default_rng(0)
    narrow, wide = 1 + 0.1 * rng.standard_normal(10_000), rng.standard_normal(10_000)
    n = 200
    accuracies = []
    for _ in range(DRAWS):
        scores = np.concatenate(
            [1 + 0.1 * rng.standard_normal(n // 2), rng.standard_normal(n // 2)]
        )
        label = np.repeat([1.0, -1.0], n // 2)
        away = scores - scores.mean()
        slope = away @ label / (away @ away + RIDGE)
        below = np.array([norm.cdf(scores.mean(), 1, 0.1), norm.cdf(scores.mean(), 0, 1)])
        assert slope > 0
        accuracies.append((1 + below[1] - below[0]) / 2)
    mean, spread = threshold_scatter(narrow, wide, np.array([float(n)]), RIDGE)
    assert mean[0] == pytest.approx(np.mean(accuracies), abs=0.005)
    assert spread[0] == pytest.approx(np.std(accuracies), rel=4 / np.sqrt(2 * DRAWS) + 0.1)


# Predicted 0.96 and 0.98 of the measured. A quadrature that does not see that the weight's sign
# turns in one training set of 150 said 0.45 (apart 0.05), and steps of single scores 14 (apart 1).
@pytest.mark.parametrize(("apart", "n"), [(0.05, 10_000), (1.0, 10_000), (0.05, 100)])
def test_a_threshold_near_the_best_one(apart, n):
    quantiles = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    drawn = np.random.default_rng(0).standard_normal((2, 100_000)) * np.sqrt(2 / n)
    matched, mismatched = drawn[0] + apart, drawn[1]
    threshold = (matched + mismatched) / 2
    right = (1 + norm.cdf(threshold) - norm.cdf(threshold - apart)) / 2
    right = np.where(matched > mismatched, right, 1 - right)
    mean, spread = threshold_scatter(quantiles + apart, quantiles, np.array([float(n)]), 0.0)
    assert mean[0] == pytest.approx(right.mean(), abs=1e-3)
    assert spread[0] == pytest.approx(right.std(), rel=0.06)


def test_weight_and_intercept_are_drawn_together():
    """Against draws of the two from their normal law; smoothing takes 5 %, no covariance 13."""
    rng, n = np.random.default_rng(0), 50
    quantiles = (np.arange(20_000) + 0.5) / 20_000
    matched, mismatched = 2 + (gamma.ppf(quantiles, 2) - 2) / np.sqrt(2), norm.ppf(quantiles)
    middle = (matched.mean() + mismatched.mean()) / 2
    apart = matched.mean() - mismatched.mean()
    power = (matched.var() + mismatched.var()) / 2 + apart**2 / 4 + RIDGE / n
    weight, covariance = apart / 2 / power, 0
    for scores, label in ((matched, 1), (mismatched, -1)):
        residual = label - weight * (scores - middle)
        covariance = covariance + np.cov([residual, residual * (scores - middle) / power]) / 2 / n
    intercept, slope = rng.multivariate_normal([0, weight], covariance, 40_000).T
    below = [np.searchsorted(x, middle - intercept / slope) / x.size for x in (matched, mismatched)]
    right = (1 + np.sign(slope) * (below[1] - below[0])) / 2
    _, spread = threshold_scatter(matched, mismatched, np.array([float(n)]), RIDGE)
    assert spread[0] == pytest.approx(right.std(), rel=0.08)


def pairs(d):
    """Gaussian pairs of trace 1, in common axes, canonical correlations 0.6."""
    values = np.arange(1, d + 1.0) ** -0.5
    values /= values.sum()
    return GaussianPairs(values, values, 0.6 * np.diag(values), np.zeros(d), np.zeros(d))


def foretold(head, moments, sizes):
    """The deviation of one training set's accuracy, from what it adds to the interval."""
    ends = [
        predict_curve(head, moments, sizes, RIDGE, training_sets=sets)["accuracy_low"]
        for sets in (None, 1)
    ]
    middle = predict_curve(head, moments, sizes, RIDGE)["accuracy"]
    wide, narrow = ((middle - low).to_numpy() for low in ends[::-1])
    return np.sqrt(wide**2 - narrow**2) / 1.96


# Predicted over measured at n = 128 and 512, Gaussian and unit norm (standard errors in brackets),
# bilinear with 120 training sets:
# bilinear   1.07 (9), 1.07 (7)   1.14 (8), 1.17 (6)
# concat-mlp 1.18 (9), 0.94 (12)  1.15 (8), 1.07 (12)
# Twice the test pairs leave the standard errors where they are, 8 to 14 %: training sets decide, so
# that what is off by 40 % is found, and with the dot product by 25 %.
@pytest.mark.parametrize("unit_norm", [False, True])
@pytest.mark.parametrize(
    ("head", "draws", "tests"),
    [("bilinear", 80, 4000), ("concat-mlp", 60, 2000), ("dot-product", 200, 50_000)],
)
def test_pairs(head, draws, tests, unit_norm):
    source, sizes = pairs(16), [128, 512]
    image, text = source.draw(8000, np.random.default_rng(1))
    if unit_norm:
        image, text = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (image, text))
    found = simulate_training_scatter(
        source, head, sizes, RIDGE, draws=draws, seed=2, test_pairs=tests, unit_norm=unit_norm
    )
    predicted = foretold(head, theory_alone(Moments.from_features(image, text)), sizes)
    measured, error = found["accuracy_sd"].to_numpy(), found["accuracy_sd_se"].to_numpy()
    # The formula's own error is up to a quarter (docs/score_law.md).
    assert (np.abs(predicted - measured) < np.maximum(3 * error, 0.25 * measured)).all()
    assert (measured > 4 * error).all()


@pytest.fixture(scope="module")
def moments():
    return Moments.from_features(*pairs(12).draw(1000, np.random.default_rng(0)))


@pytest.mark.parametrize("head", HEADS)
def test_more_training_sets_narrow_the_interval(moments, head):
    moments = theory_alone(moments)
    sizes = [64, 512, 4096]
    curves = [
        predict_curve(head, moments, sizes, RIDGE, training_sets=sets)
        for sets in (1, 10, 10**12, None)
    ]
    for curve in curves:
        np.testing.assert_array_equal(curve["accuracy"], curves[-1]["accuracy"])
    widths = [(x["accuracy_high"] - x["accuracy_low"]).to_numpy() for x in curves]
    np.testing.assert_allclose(widths[2], widths[3], atol=1e-6)
    if head == "concat-linear":  # no signal: every training set is taken to be at chance
        assert (widths[0] == 0).all()
    else:
        assert (widths[0] > widths[1]).all()
        assert (widths[1] > widths[3]).all()


def test_many_pairs_leave_no_scatter_and_units_do_not_matter(moments):
    sizes = [10**3, 10**5, 10**7]
    scatter = foretold("bilinear", moments, sizes)
    assert (scatter[1:] < scatter[:-1] / 5).all()
    larger = moments.rescaled(image=10.0, text=10.0)
    ends = [
        predict_curve("bilinear", known, sizes, ridge, training_sets=3)["accuracy_low"]
        for known, ridge in ((moments, RIDGE), (larger, RIDGE * 10**4))
    ]
    np.testing.assert_allclose(*ends, rtol=1e-4)


@pytest.mark.filterwarnings("ignore::fusiontheory.checks.ValidityWarning")
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("ridge", [0.0, 1e-9, 1e9])
def test_intervals_stay_between_0_and_1(moments, head, ridge):
    sizes = [2, 23, 24, 100, 144, 10**6]
    curve = predict_curve(head, moments, sizes, ridge, training_sets=1)
    assert np.isfinite(curve[["accuracy_low", "accuracy_high"]]).all(axis=None)
    assert (curve["accuracy_low"] >= 0).all()
    assert (curve["accuracy_high"] <= 1).all()
    assert curve["accuracy"].between(curve["accuracy_low"], curve["accuracy_high"]).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (0, "training_sets must be at least 1, got 0"),
        (-3, "training_sets must be at least 1, got -3"),
        (2.5, "training_sets must be an integer, got 2.5"),
        ("ten", "training_sets must be an integer, got 'ten'"),
    ],
)
def test_bad_input(moments, given, message):
    with pytest.raises(InputError, match=message):
        predict_curve("bilinear", moments, 100, RIDGE, training_sets=given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"head": "bilinaer"}, "head must be one of"),
        ({"draws": 7}, "draws must be at least 8, got 7"),
        ({"sizes": [1]}, "n must be at least 2, got 1"),
        ({"ridge": 0.0}, "ridge must be above 0"),
    ],
)
def test_bad_input_of_the_simulation(change, message):
    given = {"head": "bilinear", "sizes": [16], "ridge": 0.1, "draws": 8, "seed": 0, **change}
    with pytest.raises(InputError, match=message):
        simulate_training_scatter(pairs(3), given.pop("head"), **given)
