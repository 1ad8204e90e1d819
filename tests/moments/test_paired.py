"""Moments of features: unbiasedness, invariances, edge cases, bad input."""

import warnings
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import partly_shared

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.heads import HEADS
from fusiontheory.matching import Terms, kernel_pairs
from fusiontheory.moments import Moments
from fusiontheory.signal import (
    FUNCTIONS,
    lanczos_signal,
    ritz_gram,
)

few_images = pytest.mark.filterwarnings("ignore::fusiontheory.ValidityWarning")


def rotation(rng, d):
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def assert_same(actual, expected, rtol=1e-9, single=2e-3):
    """Compare everything that does not depend on the signs of the eigenvectors."""
    assert (actual.images, actual.captions) == (expected.images, expected.captions)
    for name in ("image_eigenvalues", "text_eigenvalues", "concat_eigenvalues", "grid"):
        np.testing.assert_allclose(getattr(actual, name), getattr(expected, name), rtol=rtol)
    np.testing.assert_allclose(np.abs(actual.cross), np.abs(expected.cross), atol=1e-9)
    np.testing.assert_allclose(actual.cross_power, expected.cross_power, atol=1e-9)
    # The operator is computed in single precision.
    np.testing.assert_allclose(actual.operator, expected.operator, rtol=single, atol=1e-4)
    np.testing.assert_allclose(actual.signal_error, expected.signal_error, rtol=single)


@few_images
@pytest.mark.parametrize("captions", [1, 2])
def test_cross_power_is_unbiased(captions):
    cross = np.array([[0.5, 0.1], [0.0, 0.3], [-0.2, 0.0]])
    rng = np.random.default_rng(0)
    totals = []
    # The standard error is then 3.5 % of the sum: a bias of a fifth of it is found (six of them).
    for _ in range(3000):
        image = rng.standard_normal((5, 3))
        text = (image @ cross)[:, None] + 0.5 * rng.standard_normal((5, captions, 2))
        moments = Moments.from_features(image + 1, text - 2)
        # The basis differs from draw to draw; the sum over it does not.
        totals.append(moments.cross_power.sum())
    error = np.std(totals) / np.sqrt(len(totals))
    assert abs(np.mean(totals) - np.sum(cross**2)) < 4 * error
    assert error < np.sum(cross**2) / 10


def test_cross_power_converges_to_the_square_of_cross():
    moments = Moments.from_features(*partly_shared(0, n=3000))
    np.testing.assert_allclose(moments.cross_power, moments.cross**2, atol=5e-3)
    assert moments.cross_power.max() > 0.5


def test_second_moments_and_cross_are_those_of_the_features():
    image, text = partly_shared(0, captions=3)
    moments = Moments.from_features(image, text)
    expected = np.linalg.eigvalsh(image.T @ image / 300)[::-1]
    np.testing.assert_allclose(moments.pairs.eigenvalues[0], expected, rtol=1e-9)
    flat = text.reshape(900, 5)
    expected = np.linalg.eigvalsh(flat.T @ flat / 900)[::-1]
    np.testing.assert_allclose(moments.pairs.eigenvalues[1], expected, rtol=1e-9)
    cross = np.cov(image.T, text.mean(axis=1).T)[:6, 6:]
    singular = np.linalg.svd(cross, compute_uv=False)
    np.testing.assert_allclose(np.linalg.svd(moments.cross, compute_uv=False), singular, 1e-9)
    assert moments.dimensions == (6, 5)
    assert (moments.images, moments.captions) == (300, 3)


def test_concat_eigenvalues_are_those_of_balanced_pairs():
    image, text = partly_shared(0, n=200_000)
    moments = Moments.from_features(image[:3000], text[:3000])
    text[::2] = text[-1::-2].copy()  # every second pair is mismatched
    joint = np.concatenate([image, text], axis=1)
    expected = np.linalg.eigvalsh(joint.T @ joint / len(joint))
    np.testing.assert_allclose(np.sort(moments.concat_eigenvalues), expected, rtol=0.1)


def test_moments_of_the_dot_product():
    image, text = partly_shared(0, n=3000, d_v=5)
    image += 0.2
    dot = Moments.from_features(image, text).dot_product
    matched = np.einsum("nd,nd->n", image, text)
    mismatched = np.einsum("nd,nd->n", image, np.roll(text, 1, axis=0))
    assert dot.matched_variance == pytest.approx(matched.var(), rel=1e-9)
    assert dot.mismatched_variance == pytest.approx(mismatched.var(), rel=0.1)
    assert dot.difference == pytest.approx(matched.mean() - mismatched.mean(), rel=0.1)


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**32 - 1))
def test_separate_rotations_do_not_matter(seed):
    image, text = partly_shared(seed)
    rng = np.random.default_rng(seed)
    turned = Moments.from_features(image @ rotation(rng, 6), text @ rotation(rng, 5))
    assert_same(turned, Moments.from_features(image, text))


def test_row_order_matters_through_the_folds_alone():
    image, text = partly_shared(0, n=2000)
    order = np.random.default_rng(1).permutation(2000)
    moments = Moments.from_features(image, text)
    shuffled = Moments.from_features(image[order], text[order])
    assert not np.array_equal(shuffled.operator, moments.operator)
    # Other folds give another estimate of the same number.
    np.testing.assert_allclose(shuffled.operator[:, 0], moments.operator[:, 0], rtol=0.02)
    signal = lanczos_signal(shuffled.operator) / lanczos_signal(moments.operator)
    np.testing.assert_allclose(signal, 1, atol=0.05)
    np.testing.assert_allclose(shuffled.image_eigenvalues, moments.image_eigenvalues)
    # Its squares are of single precision; their noise is 10^6 times as large.
    np.testing.assert_allclose(shuffled.cross_power, moments.cross_power, atol=1e-9)


def test_modalities_may_be_swapped():
    image, text = partly_shared(0, n=1000)
    moments, swapped = Moments.from_features(image, text), Moments.from_features(text, image)
    np.testing.assert_allclose(swapped.image_eigenvalues, moments.text_eigenvalues)
    np.testing.assert_allclose(np.abs(swapped.cross), np.abs(moments.cross.T), atol=1e-9)
    np.testing.assert_allclose(swapped.cross_power, moments.cross_power.T, atol=1e-9)
    np.testing.assert_allclose(swapped.operator, moments.operator, rtol=1e-3, atol=1e-4)


# The extremes are out of the range of single precision once multiplied together.
@pytest.mark.parametrize(("scale_v", "scale_t"), [(2.0, 0.3), (1e9, 1e7), (1e-12, 1e-3)])
def test_units_of_the_features(scale_v, scale_t):
    image, text = partly_shared(0)
    moments = Moments.from_features(image, text)
    scaled = Moments.from_features(scale_v * image, scale_t * text)
    product = (scale_v * scale_t) ** 2
    np.testing.assert_allclose(scaled.image_eigenvalues, scale_v**2 * moments.image_eigenvalues)
    np.testing.assert_allclose(scaled.grid, product * moments.grid)
    np.testing.assert_allclose(scaled.operator, moments.operator, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(scaled.signal_error, moments.signal_error, rtol=1e-3)
    orders = {(1, 1): 1.0, (2, 0): 0.5, (2, 1): 0.1}
    others = {(a, b): k / (scale_v**a * scale_t**b) ** 2 for (a, b), k in orders.items()}
    gain, other = (
        kernel_pairs(moments, orders).ritz.gain(FUNCTIONS),
        kernel_pairs(scaled, others).ritz.gain(FUNCTIONS),
    )
    np.testing.assert_allclose(other, gain, rtol=1e-2, atol=1e-4)


def test_one_text_per_image_may_leave_out_its_axis():
    image, text = partly_shared(0)
    flat, deep = Moments.from_features(image, text), Moments.from_features(image, text[:, None])
    apart = ("pairs", "source", "signal")
    for one, other in ((flat, deep), (flat.signal, deep.signal)):
        for name in [field.name for field in fields(one) if field.name not in apart]:
            np.testing.assert_equal(getattr(one, name), getattr(other, name))


def test_captions_said_twice_change_nothing():
    image, text = partly_shared(0)
    moments = Moments.from_features(image, text)
    doubled = Moments.from_features(image, np.stack([text, text], axis=1))
    assert doubled.captions == 2
    np.testing.assert_allclose(doubled.cross_power, moments.cross_power, atol=1e-9)
    np.testing.assert_allclose(doubled.operator, moments.operator, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(doubled.signal_error, moments.signal_error, rtol=1e-3)


def test_more_captions_make_the_cross_sharper():
    noise = []
    for captions in (1, 8):
        image, text = partly_shared(0, shared=0.0, captions=captions)
        noise.append(np.mean(Moments.from_features(image, text).cross ** 2))
    assert noise[1] < noise[0] / 4


@few_images
def test_a_single_feature_each():
    image, text = partly_shared(0, d_v=1, d_t=1)
    moments = Moments.from_features(image, text)
    assert moments.dimensions == (1, 1)
    for head in HEADS:
        accuracy = predict_curve(head, moments, [2, 50, 1000], ridge=0.1)["accuracy"]
        assert accuracy.between(0.5, 1).all()


def test_fewer_images_than_features():
    image, text = partly_shared(0, n=60, d_v=80, d_t=70)
    with pytest.warns(ValidityWarning, match="image has 60 rows, fewer than the 80 dimensions"):
        moments = Moments.from_features(image, text)
    own = moments.pairs.eigenvalues
    assert np.count_nonzero(own[0]) == 60
    assert own[1][60:].max() == 0
    assert moments.reach > 0
    for head in ("bilinear", "concat-mlp", "concat-linear"):
        assert np.isfinite(predict_curve(head, moments, [10, 10_000], ridge=0.1)).all(axis=None)


def test_other_orders_wait_until_asked_for_and_are_kept(monkeypatch):
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return ritz_gram(*arguments)

    monkeypatch.setattr("fusiontheory.matching.kernel_signal.ritz_gram", counted)
    moments = Moments.from_features(*partly_shared(0))
    predict_curve("bilinear", moments, [100], ridge=0.1, terms=Terms(score_law=False))
    assert not calls
    predict_curve("concat-mlp", moments, [100], ridge=0.1)
    predict_curve("concat-mlp", moments, [100, 200], ridge=0.2)
    assert len(calls) == 1
    # Of other features, so not kept.
    predict_curve("concat-mlp", moments.rescaled(image=2.0), [100], ridge=0.1)
    assert len(calls) == 2


def test_rank_deficient_features():
    image, text = partly_shared(0, n=1000)
    repeated = Moments.from_features(np.hstack([image, image]) / np.sqrt(2), text)
    moments = Moments.from_features(image, text)
    assert np.count_nonzero(repeated.image_eigenvalues) == 6
    for head in ("bilinear", "concat-mlp"):
        expected = predict_curve(head, moments, [10, 100], ridge=0.1)["accuracy"]
        actual = predict_curve(head, repeated, [10, 100], ridge=0.1)["accuracy"]
        np.testing.assert_allclose(actual, expected, atol=1e-3)


def test_equal_images_are_refused():
    image, text = np.tile([0.1, 0.7, 0.3], (100, 1)), np.tile([0.3, 0.2, 0.1], (100, 1))
    with pytest.raises(InputError, match="image must differ between rows, got 100 copies of one"):
        Moments.from_features(image, text)


@few_images
@pytest.mark.parametrize("n", [2, 3, 4, 49])
def test_few_images_leave_the_plain_theory(n):
    with pytest.warns(ValidityWarning, match=rf"image has {n} rows; below 50 the covariance"):
        moments = Moments.from_features(*partly_shared(0, n=n))
    np.testing.assert_array_equal(moments.operator[:, 1:], 0)
    for head in ("bilinear", "concat-mlp", "concat-linear"):
        curve = predict_curve(head, moments, [2, 100], ridge=0.1)
        assert curve["accuracy"].between(0.5, 1).all()


def test_enough_images_do_not_warn():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Moments.from_features(*partly_shared(0, n=50))
    assert caught == []


def test_single_precision_features():
    image, text = partly_shared(0)
    single = Moments.from_features(image.astype(np.float32), text.astype(np.float32))
    moments = Moments.from_features(image, text)
    for field in fields(Moments):
        value = getattr(single, field.name)
        assert not isinstance(value, np.ndarray) or value.dtype == np.float64
    np.testing.assert_allclose(single.image_eigenvalues, moments.image_eigenvalues, rtol=1e-5)
    np.testing.assert_allclose(single.operator, moments.operator, rtol=1e-3, atol=1e-4)


def test_the_features_are_left_as_they_are():
    image, text = partly_shared(0)
    kept = image.copy(), text.copy()
    Moments.from_features(image, text)
    np.testing.assert_array_equal(image, kept[0])
    np.testing.assert_array_equal(text, kept[1])


IMAGE, TEXT = partly_shared(0, n=60)


def with_value(array, value):
    changed = array.copy()
    changed[1, 2] = value
    return changed


@pytest.mark.parametrize(
    ("image", "text", "message"),
    [
        (IMAGE[0], TEXT, r"image must have 2 dimensions, got shape \(6,\)"),
        (IMAGE[:, None], TEXT, "image must have 2 dimensions"),
        (IMAGE, TEXT[0], r"text must have 2 or 3 dimensions, got shape \(5,\)"),
        (IMAGE, TEXT[:-1], "one row per image each, got 60 and 59 rows"),
        (IMAGE[:1], TEXT[:1], r"image must have at least 2 rows \(images\), got 1"),
        (IMAGE[:0], TEXT[:0], "image must not be empty"),
        (IMAGE, np.zeros((60, 0, 5)), "text must not be empty"),
        (with_value(IMAGE, np.nan), TEXT, "image must be finite, got 1 NaN or infinite of 360"),
        (IMAGE, with_value(TEXT, np.inf), "text must be finite, got 1 NaN or infinite of 300"),
        (0 * IMAGE, TEXT, "image must differ between rows, got 60 copies of one row"),
        (IMAGE, 0 * TEXT, "text must differ between rows, got 60 copies of one row"),
        ("picture", TEXT, "image must be an array of numbers, got str"),
        (IMAGE, None, "text must"),
    ],
)
def test_bad_input(image, text, message):
    with pytest.raises(InputError, match=message):
        Moments.from_features(image, text)
