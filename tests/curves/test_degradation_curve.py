"""Noise on features in closed form, against features with noise drawn; curves of degradation."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.curves import degradation_curve, predict_curve
from fusiontheory.matching import kernel_pairs
from fusiontheory.moments import Moments
from fusiontheory.signal import FUNCTIONS

SIGMA = 0.15, 0.25


def draw(n=3000, d_v=10, d_t=10, captions=1):
    """Unit-norm features that share half of their power."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((n, 1, max(d_v, d_t)))
    image = (shared[:, 0, :d_v] + rng.standard_normal((n, d_v))) * np.arange(1, d_v + 1) ** -0.5
    text = shared[..., :d_t] + rng.standard_normal((n, captions, d_t))
    text *= np.arange(1, d_t + 1) ** -0.5
    return [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (image, text)]


def drawn(features, seed):
    rng = np.random.default_rng(seed)
    noise = (s * rng.standard_normal(x.shape) for s, x in zip(SIGMA, features, strict=True))
    return Moments.from_features(*(x + e for x, e in zip(features, noise, strict=True)))


@pytest.fixture(scope="module", params=[(10, 10, 1), (10, 6, 3)])
def case(request):
    features = draw(3000, *request.param)
    clean = Moments.from_features(*features)
    noisy = clean.with_noise(image=SIGMA[0], text=SIGMA[1])
    return clean, noisy, [drawn(features, seed) for seed in range(100, 108)]


def test_spectra_and_cross(case):
    clean, noisy, samples = case
    np.testing.assert_allclose(noisy.image_eigenvalues, clean.image_eigenvalues + SIGMA[0] ** 2)
    np.testing.assert_array_equal(noisy.cross, clean.cross)
    np.testing.assert_array_equal(noisy.cross_power, clean.cross_power)
    assert (noisy.images, noisy.captions) == (clean.images, clean.captions)
    mean = np.mean([sample.pairs.eigenvalues[1] for sample in samples], axis=0)
    np.testing.assert_allclose(noisy.pairs.eigenvalues[1], mean, rtol=0.03)


def test_signal_and_its_error(case):
    clean, noisy, samples = case
    q, slope = noisy.matching_signal(noisy.grid)
    signals = np.array([sample.matching_signal(noisy.grid)[0] for sample in samples])
    spread = signals.std(axis=0, ddof=1)
    # Eigenvalues of drawn noise are spread, which adds to the signal at small kappa; that is of
    # the order of the noise, not of its mean.
    assert (np.abs(q - signals.mean(axis=0)) < 3 * spread).all()
    assert (q < clean.matching_signal(noisy.grid)[0] - 5 * spread)[:4].all()
    slopes = np.mean([sample.matching_signal(noisy.grid)[1] for sample in samples], axis=0)
    np.testing.assert_allclose(slope, slopes, atol=0.02 * q[0])
    errors = np.mean([sample.matching_error(noisy.grid) for sample in samples], axis=0)
    ratio = noisy.matching_error(noisy.grid) / errors
    assert ratio.min() > 0.6
    assert ratio.max() < 1.5


def test_dot_product(case):
    _, noisy, samples = case
    if noisy.dot_product is None:
        pytest.skip("dimensions differ")
    for name in ("difference", "matched_variance", "mismatched_variance"):
        values = [getattr(sample.dot_product, name) for sample in samples]
        assert abs(getattr(noisy.dot_product, name) - np.mean(values)) < 4 * np.std(values)


def test_gain_of_other_orders(case):
    _, noisy, samples = case
    orders = {(1, 1): 0.1, (2, 0): 0.05, (0, 2): 0.05, (2, 1): 0.01, (1, 2): 0.01}
    gains = np.array([kernel_pairs(sample, orders).ritz.gain(FUNCTIONS) for sample in samples])
    closed = kernel_pairs(noisy, orders).ritz
    error = np.hypot(gains.std(axis=0, ddof=1), closed.gain_error(FUNCTIONS))
    assert (np.abs(closed.gain(FUNCTIONS) - gains.mean(axis=0)) < 4 * error + 1e-3).all()


def test_predicted_accuracy(case):
    _, noisy, samples = case
    accuracies = [predict_curve("bilinear", m, [100, 1000], 0.1)["accuracy"] for m in samples]
    expected = np.mean(accuracies, axis=0)
    actual = predict_curve("bilinear", noisy, [100, 1000], 0.1)["accuracy"]
    np.testing.assert_allclose(actual, expected, atol=0.004)


def test_no_noise_changes_nothing_and_variances_add():
    moments = Moments.from_features(*draw(400))
    same = moments.with_noise()
    np.testing.assert_allclose(same.operator, moments.operator)
    once = moments.with_noise(image=0.5, text=0.4)
    twice = moments.with_noise(image=0.3, text=0.4).with_noise(image=0.4)
    np.testing.assert_allclose(twice.operator, once.operator, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(twice.image_eigenvalues, once.image_eigenvalues)
    assert twice.dot_product.matched_variance == pytest.approx(once.dot_product.matched_variance)


def test_noise_on_gaussian_pairs_is_that_of_their_moments():
    cross = 0.5 * np.eye(3)
    noisy = Moments.from_second_moments(np.eye(3), np.eye(3), cross).with_noise(image=1, text=2)
    direct = Moments.from_second_moments(2 * np.eye(3), 5 * np.eye(3), cross)
    np.testing.assert_allclose(noisy.operator, direct.operator)
    assert noisy.dot_product == direct.dot_product


def test_rescaled_moments_are_those_of_rescaled_features():
    image, text = draw(300)
    moments = Moments.from_features(image, text).rescaled(image=3.0, text=0.2)
    direct = Moments.from_features(3 * image, 0.2 * text)
    for name in ("image_eigenvalues", "text_eigenvalues", "grid"):
        np.testing.assert_allclose(getattr(moments, name), getattr(direct, name))
    np.testing.assert_allclose(moments.cross_power, direct.cross_power, atol=1e-12)
    np.testing.assert_allclose(moments.operator, direct.operator, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(moments.signal_error, direct.signal_error, rtol=1e-3)
    assert moments.dot_product.matched_variance == pytest.approx(
        direct.dot_product.matched_variance
    )
    # Noise is in the units of the features it is added to.
    noisy, same = moments.with_noise(image=0.3), direct.with_noise(image=0.3)
    np.testing.assert_allclose(noisy.operator, same.operator, rtol=1e-3, atol=1e-5)


def test_noise_brought_back_to_unit_norm():
    image, text = draw(3000, 60, 60)
    sigma = 0.1
    noisy = image + sigma * np.random.default_rng(1).standard_normal(image.shape)
    unit = noisy / np.linalg.norm(noisy, axis=1, keepdims=True)
    length = np.sqrt(1 + sigma**2 * 60)
    closed = Moments.from_features(image, text).with_noise(image=sigma).rescaled(image=1 / length)
    expected = Moments.from_features(unit, text)
    q, _ = closed.matching_signal(closed.grid)
    ratio = q / expected.matching_signal(closed.grid)[0]
    assert np.abs(ratio[2:] - 1).max() < 0.06


@pytest.mark.parametrize("side", ["image", "text", "both"])
def test_degradation_curve_is_that_of_the_moments(side):
    moments = Moments.from_features(*draw(500))
    heads = ["dot-product", "bilinear"]
    sigmas, sizes = [0.0, 0.2, 0.8], [50, 400]
    curve = degradation_curve(moments, heads, sizes, 0.1, sigmas, side)
    assert list(curve.columns) == ["sigma", "n", "first", "second", "gap", "gap_direction"]
    assert list(curve["sigma"]) == [0.0, 0.0, 0.2, 0.2, 0.8, 0.8]
    v, t = side in ("image", "both"), side in ("text", "both")
    for (sigma, n), rows in curve.groupby(["sigma", "n"]):

        def gap(s, n=n):
            noisy = moments.with_noise(image=s * v, text=s * t)
            return np.subtract(
                *(predict_curve(head, noisy, [n], 0.1)["accuracy"][0] for head in heads)
            )

        assert rows["gap"].item() == pytest.approx(gap(sigma))
        assert rows["gap"].item() == pytest.approx((rows["first"] - rows["second"]).item())
        higher = np.sqrt(sigma**2 + 0.02 * (sigma**2 + 0.1))
        change = gap(higher) - gap(sigma)
        if abs(change) > 1e-3:
            assert rows["gap_direction"].item() == np.sign(change)
    assert (curve["first"].to_numpy()[2:] < curve["first"].to_numpy()[:-2]).all()


def test_a_gap_that_does_not_move():
    moments = Moments.from_second_moments(np.eye(4), np.eye(4), np.zeros((4, 4)))
    curve = degradation_curve(moments, ["bilinear", "concat-linear"], 50, 0.1, [0.0, 0.5])
    np.testing.assert_allclose(curve["gap"], 0, atol=1e-12)
    assert list(curve["gap_direction"]) == [0, 0]


MOMENTS = Moments.from_second_moments(np.eye(2), np.eye(2), 0.5 * np.eye(2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heads": ["bilinear"]}, "heads must be two names"),
        ({"heads": "bilinear"}, "heads must be a sequence, got 'bilinear'"),
        ({"heads": ["bilinear", "biline"]}, "head must be one of"),
        ({"sigmas": [-0.1]}, "sigmas must be at least 0 everywhere, got -0.1"),
        ({"side": "left"}, "side must be one of image, text, both, got 'left'"),
        ({"n": 1}, "n must be at least 2"),
        ({"moments": None}, "moments must be a Moments, got NoneType"),
    ],
)
def test_bad_requests(change, message):
    request = {
        "moments": MOMENTS,
        "heads": ["bilinear", "dot-product"],
        "n": 10,
        "ridge": 0.1,
        "sigmas": [0.1],
    }
    with pytest.raises(InputError, match=message):
        degradation_curve(**{**request, **change})


def test_bad_noise_and_factors():
    with pytest.raises(InputError, match="image must be a finite number of at least 0, got -1"):
        MOMENTS.with_noise(image=-1)
    with pytest.raises(InputError, match="text must be above 0, got 0"):
        MOMENTS.rescaled(text=0)
