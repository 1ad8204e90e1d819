"""The law of scores: against measured means, where it must change nothing, and its error."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, ndtri
from worlds import RIDGE, SIZES, WORLDS, measured_means

from fusiontheory.curves import predict_curve
from fusiontheory.matching import (
    DotProductScores,
    KernelScores,
    KernelSignal,
    LeverageLaw,
    MatchingCurve,
    NormalScores,
    PairScores,
    ScoreShift,
    Terms,
    score_law,
    shifted,
    threshold_scatter,
)
from fusiontheory.moments import Moments
from fusiontheory.risk import Spectrum

NORMAL = Terms(score_law=False)


@pytest.fixture(scope="module")
def heavy():
    return Moments.from_features(*WORLDS["heavy tails"].draw(8000, np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("head", "least", "most"), [("bilinear", 0.025, 0.012), ("dot-product", 0.02, 0.012)]
)
def test_the_law_is_right_where_normal_scores_are_not(heavy, head, least, most):
    measured = measured_means("heavy tails", "measured", head)
    curves = [
        predict_curve(head, heavy, SIZES, RIDGE, terms=terms)["accuracy"].to_numpy()
        for terms in (NORMAL, Terms())
    ]
    normal, law = (np.abs(curve - measured) for curve in curves)
    assert (normal > least).all()
    assert (law < most).all()


def test_the_law_brings_the_concatenation_nearer(heavy):
    measured = measured_means("heavy tails", "measured", "concat-mlp")[-1]
    n = SIZES[-1]
    normal, law = (
        predict_curve("concat-mlp", heavy, n, RIDGE, training_images=n, terms=terms)
        for terms in (NORMAL, Terms())
    )
    assert abs(normal["accuracy"][0] - measured) > 0.015
    assert abs(law["accuracy"][0] - measured) < 0.008


@pytest.mark.parametrize("head", ["bilinear", "concat-mlp", "dot-product"])
def test_gaussian_moments_keep_normal_scores(heavy, head):
    twin = heavy.gaussian_twin()
    with_law, without = (
        predict_curve(head, twin, [100, 1000], 0.1, terms=terms) for terms in (Terms(), NORMAL)
    )
    pd.testing.assert_frame_equal(with_law, without)


@pytest.mark.parametrize("head", ["bilinear", "concat-mlp", "dot-product"])
def test_a_size_does_not_depend_on_the_others(heavy, head):
    alone = predict_curve(head, heavy, [300], 0.1)
    among = predict_curve(head, heavy, [2, 300, 10**5], 0.1)
    np.testing.assert_allclose(
        *(x.astype(float) for x in (alone.iloc[0], among.iloc[1])), rtol=1e-9
    )


def test_few_images_keep_normal_scores():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((49, 3))
    with pytest.warns(UserWarning, match="image has 49 rows"):
        moments = Moments.from_features(x, x)
    spectrum = Spectrum.from_eigenvalues(np.ones(9))
    law = KernelScores.of(KernelSignal(moments, {(1, 1): 1.0}), spectrum)
    assert law.shift(np.array([64.0]), 0.1) is None


def test_shifted_moves_the_interval_and_leaves_peaks():
    one = np.array([0.8, 0.8, 1.0])
    peak = np.array([False, True, False])
    curve = MatchingCurve(one.copy(), one, one - 0.1, np.minimum(one + 0.1, 1.0), peak)
    ones = np.ones(3)
    moved = shifted(curve, ScoreShift(0.1 * ones, 0.5 * ones, 2 * ones))
    assert moved.accuracy[0] > 0.8
    assert moved.risk.tolist() == [1.6, 0.8, 1.0]
    for name in ("accuracy", "low", "high"):
        np.testing.assert_array_equal(getattr(moved, name)[1:], getattr(curve, name)[1:])
    narrow = shifted(curve, ScoreShift(0 * ones, 1e-9 * ones, ones, whole=True))
    assert narrow.high[0] - narrow.low[0] == pytest.approx(0, abs=1e-8)


def test_the_dot_products_error_is_the_spread_of_its_accuracy():
    source = WORLDS["unit norm"]
    rng = np.random.default_rng(0)
    found = np.array(
        [PairScores.of_pairs(*source.draw(500, rng)).accuracy(512.0, 0.1) for _ in range(300)]
    )
    # 300 draws tell their spread to 4 %.
    assert np.sqrt((found[:, 1] ** 2).mean()) == pytest.approx(found[:, 0].std(), rel=0.15)


@pytest.mark.parametrize(("n", "ridge"), [(64, 60.0), (128, 1.0)])
def test_one_skewed_feature_is_classified_as_by_regressions_on_it(n, ridge):
    rng = np.random.default_rng(0)
    matched = 0.9 + (rng.gamma(2.0, size=4000) - 2) / np.sqrt(2)
    mismatched = rng.standard_normal((4000, 2))
    classes = [rng.choice(x.ravel(), (5000, n // 2)) for x in (matched, mismatched)]
    scores, label = np.concatenate(classes, axis=1), np.repeat([1.0, -1.0], n // 2)
    away = scores - scores.mean(axis=1, keepdims=True)
    weight = (away @ label) / ((away**2).sum(axis=1) + ridge)
    threshold = scores.mean(axis=1)
    above, below = (
        np.searchsorted(np.sort(x.ravel()), threshold) / x.size for x in (matched, mismatched)
    )
    right = np.where(weight > 0, (1 - above + below) / 2, (1 + above - below) / 2)
    pairs = PairScores(matched, mismatched, np.zeros(4000))
    assert pairs.accuracy(float(n), ridge)[0] == pytest.approx(right.mean(), abs=1e-3)
    mean, spread = threshold_scatter(matched, mismatched.ravel(), np.array([float(n)]), ridge)
    assert mean[0] == pytest.approx(right.mean(), abs=1e-3)
    assert spread[0] == pytest.approx(right.std(), rel=0.2)


def test_the_dot_products_accuracy_and_error_are_those_of_their_definition():
    """V(s) of the residuals themselves, and the jackknife: weights of images, one at a time up."""
    rng = np.random.default_rng(0)
    n, ridge, images = 64.0, 3.0, 40
    matched, mismatched = 0.7 + rng.gamma(2.0, size=images), rng.gamma(1.0, size=(images, 3))
    pairs = PairScores(matched, mismatched, np.zeros(images))
    classes = (1.0, matched), (-1.0, mismatched.ravel())
    power = pairs.within + pairs.apart**2 / 4 + ridge / n
    alpha = pairs.apart / 2 / power
    right = []
    for label, scores in classes:
        away = scores - pairs.middle
        varied = 0.0
        for own, others in classes:
            x = others - pairs.middle
            moved = (own - alpha * x) * (1 + np.outer(away, x) / power)
            varied = varied + moved.var(axis=1, ddof=1) / (2 * n)
        right.append(ndtr(label * away * alpha / np.sqrt(varied)))
    one, two = right[0], right[1].reshape(images, 3)
    texts = (np.arange(images)[:, None] - np.arange(1, 4)) % images

    def accuracy(weight):
        both = weight[:, None] * weight[texts]
        return (weight @ one / weight.sum() + (both * two).sum() / both.sum()) / 2

    step = 1e-4
    up = [accuracy(1 + step * row) - accuracy(1 - step * row) for row in np.eye(images)]
    psi = images * np.array(up) / (2 * step)
    found = pairs.accuracy(n, ridge)
    assert found[0] == pytest.approx(accuracy(np.ones(images)), rel=1e-9)
    assert found[1] == pytest.approx(psi.std() / np.sqrt(images), rel=1e-6)


def test_a_ridge_far_below_the_power_of_all_pairs_changes_nothing():
    rng = np.random.default_rng(0)
    matched, mismatched = 0.5 + rng.standard_normal(2000), rng.standard_normal(2000)
    n = np.array([1e4])
    with_it, without = (threshold_scatter(matched, mismatched, n, ridge) for ridge in (0.1, 0.0))
    np.testing.assert_allclose(with_it, without, rtol=1e-4)


@pytest.mark.parametrize(("half", "within"), [(0.5, 1.0), (2.0, 0.3)])
def test_normal_scores_are_those_of_the_best_line_through_one_feature(half, within):
    """Classes at -+ half of variance within: the line is half / (within + half^2)."""
    slope = half / (within + half**2)
    found = NormalScores.of_signal((2 * half) ** 2 / within, 0.0, 0.1)
    assert found.half == pytest.approx(slope * half)
    assert found.within == pytest.approx(slope**2 * within)
    assert found.bias == pytest.approx(1 - slope * half)


def test_scores_the_wrong_way_round_or_all_alike_say_nothing():
    x = np.random.default_rng(0).standard_normal((60, 4))
    assert PairScores.of_pairs(x, -x).accuracy(64.0, 0.1) == (0.5, 0.0)
    alike = np.ones((60, 4))
    assert PairScores.of_pairs(alike, alike).accuracy(64.0, 0.1) == (0.5, 0.0)


def test_the_dot_products_law_has_no_units():
    rng = np.random.default_rng(0)
    x = rng.standard_t(6, (400, 4))
    y = x + rng.standard_normal(x.shape)
    n = np.array([32.0, 256.0])
    expected = DotProductScores.of(Moments.from_features(x, y)).shift(n, 0.5)
    scaled = DotProductScores.of(Moments.from_features(3 * x, y / 2)).shift(n, 0.5 * 9 / 4)
    np.testing.assert_allclose(scaled.shift, expected.shift, rtol=1e-5)
    np.testing.assert_allclose(scaled.error, expected.error, rtol=1e-5)


def test_the_dot_products_law_carries_the_error_of_its_accuracy_to_quantiles():
    rng = np.random.default_rng(0)
    x = rng.standard_t(6, (400, 4))
    law = DotProductScores.of(Moments.from_features(x, x + rng.standard_normal(x.shape)))
    accuracy, error = law.pairs.accuracy(64.0, 0.5)
    found = law.shift(np.array([64.0]), 0.5).error[0]
    slope = (ndtri(accuracy + 1e-5) - ndtri(accuracy - 1e-5)) / 2e-5
    assert found == pytest.approx(slope * error, rel=1e-6)


def test_scores_without_signal_have_no_shift_and_no_error():
    rng = np.random.default_rng(4)
    scores = one_function(rng, 200, 0.1, gaussian)
    law = LeverageLaw(np.ones((2, 200)), np.ones((2, 200)))
    normal = NormalScores(half=0.0, within=0.0, gamma=0.05)
    found = score_law(scores, np.ones((1, 1)), law, np.ones((2, 1, 200)), 0.1, normal)
    assert (found.shift, found.error, found.risk) == (0.0, 0.0, 1.0)


def test_a_dot_product_without_signal_keeps_its_interval():
    rng = np.random.default_rng(3)
    for _ in range(6):
        x, y = rng.standard_normal((2, 200, 8))
        curve = predict_curve("dot-product", Moments.from_features(x, y), [256], 0.1)
        assert curve["accuracy_high"][0] - curve["accuracy_low"][0] > 0.005
        assert curve["accuracy"].between(0.5, 0.56).all()


def one_function(rng, images, noise, shape):
    """Scores of one function with class means -+1/2 and variance 1, from two sets of images.

    ``noise`` is the variance of each set's own, three times as large on matched pairs and of
    exponential law from pair to pair.
    """
    own = shape(rng, (2, images)) + np.array([[0.5], [-0.5]])
    varying = np.array([[1.5], [0.5]]) * rng.exponential(size=(2, images))
    sets = np.sqrt(noise * varying) * rng.standard_normal((2, 2, images))
    return (own + sets).transpose(1, 0, 2)[:, :, None]


def shift(scores, *, kappa=0.1, gamma=0.05):
    """By a constant leverage, with the signal that such scores have."""
    images = scores.shape[-1]
    law = LeverageLaw(np.ones((2, images)), np.full((2, images), gamma / (1 - gamma)))
    normal = NormalScores.of_signal(1 / (1 + kappa), -kappa / (1 + kappa) ** 2, gamma)
    length = np.ones((2, 1, images))
    return score_law(scores, np.ones((1, 1)), law, length, kappa, normal)


def gaussian(rng, shape):
    return rng.standard_normal(shape)


@pytest.mark.parametrize("noise", [0.0, 0.1, 1.0, 10.0])
def test_normal_scores_have_no_shift_whatever_the_functions_noise(noise):
    rng = np.random.default_rng(4)
    found = [shift(one_function(rng, 500, noise, gaussian)) for _ in range(100)]
    shifts = np.array([point.shift for point in found])
    assert abs(shifts.mean()) < 4 * shifts.std() / 10
    assert shifts.std() < 0.1


def test_noise_of_the_functions_hides_the_shape_and_does_not_make_one():
    def heavy_tailed(rng, shape):
        return rng.standard_t(5, shape) * np.sqrt(3 / 5)

    rng = np.random.default_rng(5)
    none, little, much = (
        np.mean([shift(one_function(rng, 500, noise, heavy_tailed)).shift for _ in range(100)])
        for noise in (0.0, 0.05, 5.0)
    )
    # Standard errors of these means are 0.0015, 0.0015 and 0.004.
    assert none > 0.03
    assert little == pytest.approx(none, abs=0.01)
    assert -0.013 < much < 0.75 * none


@pytest.mark.parametrize("name", ["unit norm", "weak"])
def test_a_few_images_say_of_the_law_what_many_say(name):
    orders, sizes = {(1, 1): 1.0}, np.array([256.0, 512.0, 1024.0])

    def shifts(images, seed):
        moments = Moments.from_features(*WORLDS[name].draw(images, np.random.default_rng(seed)))
        product = np.outer(moments.image_eigenvalues, moments.text_eigenvalues)
        signal = KernelSignal(moments, orders)
        return KernelScores.of(signal, Spectrum.from_eigenvalues(product)).shift(sizes, 0.1).shift

    few = np.array([shifts(300, seed) for seed in range(24)])
    many = np.mean([shifts(10_000, seed) for seed in range(2)], axis=0)
    error = few.std(axis=0) / np.sqrt(len(few))
    assert (np.abs(few.mean(axis=0) - many) < 3 * error + 0.01).all()
