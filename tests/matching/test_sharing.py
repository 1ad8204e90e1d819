"""Training pairs that share images and texts: the theory against trained heads, and its limits."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from fusiontheory.checks import InputError
from fusiontheory.curves import find_model, predict_curve
from fusiontheory.data import draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.matching import SharedPairs, Terms, matching_curve, shared_scores, sharing_shift
from fusiontheory.moments import Moments
from fusiontheory.solvers import PairFeatures, gather, measure_curve

RIDGE = 0.1
D = 24


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def drawn(images, captions, rng):
    """Image (n, d) and text (n, captions, d) at unit norm; captions of one image are alike."""
    shared = rng.standard_normal((images, D)) * np.arange(1, D + 1) ** -0.25
    noise = rng.standard_normal((images, D)) * np.arange(1, D + 1) ** -0.25
    own = rng.standard_normal((images, captions, D)) * np.arange(1, D + 1) ** -0.25
    text = (shared + 0.7 * noise)[:, None]
    return unit(shared + 0.7 * rng.standard_normal((images, D)) * np.arange(1, D + 1) ** -0.25), (
        unit(text + (0.8 * own if captions > 1 else 0.0))
    )


@cache
def measured(head, images, captions, n, draws):
    """Mean difference of accuracies, shared less independent pairs, and its standard error."""
    found = []
    for rng in np.random.default_rng(20).spawn(draws):
        image, text = drawn(images, captions, rng)
        seed = np.random.SeedSequence(int(rng.integers(2**31)))
        shared = gather(image, text, draw_pairs(np.arange(images), captions, n, seed))
        other, words = drawn(n + n // 2, 1 if captions == 1 else captions, rng)
        own = words[:n, 0].copy()
        mismatched = shared.label < 0
        own[mismatched] = words[n : n + int(mismatched.sum()), 0]
        alone = PairFeatures(other[:n], own, shared.label)
        image, text = drawn(1500, captions, rng)
        seed = np.random.SeedSequence(int(rng.integers(2**31)))
        test = gather(image, text, draw_pairs(np.arange(1500), captions, 1500, seed))
        one, two = (
            measure_curve(find_head(head), train, test, [n], RIDGE)[0].accuracy
            for train in (shared, alone)
        )
        found.append(one - two)
    return np.mean(found), np.std(found, ddof=1) / np.sqrt(draws)


@pytest.fixture(scope="module")
def moments():
    return {k: Moments.from_features(*drawn(8000, k, np.random.default_rng(3))) for k in (1, 3, 5)}


@pytest.mark.parametrize(
    ("head", "images", "captions", "n", "draws"),
    [
        ("concat-mlp", 256, 1, 256, 120),
        ("concat-mlp", 128, 1, 256, 60),
        ("concat-mlp", 100, 3, 256, 60),
        ("concat-mlp", 50, 5, 500, 40),
        ("bilinear", 64, 3, 256, 60),
        ("bilinear", 256, 1, 256, 60),
    ],
)
def test_against_trained_heads(moments, head, images, captions, n, draws):
    """Within the Monte Carlo's own error; 9 points at 2 pairs per image, -3 for like captions."""
    known = moments[captions]
    alone = predict_curve(head, known, n, RIDGE)["accuracy"][0]
    shared = predict_curve(head, known, n, RIDGE, training_images=images)["accuracy"][0]
    mean, error = measured(head, images, captions, n, draws)
    assert abs(shared - alone - mean) < 3 * error


def test_sharing_is_seen_above_the_noise(moments):
    change = predict_curve("concat-mlp", moments[1], 256, RIDGE, training_images=128)
    alone = predict_curve("concat-mlp", moments[1], 256, RIDGE)
    mean, error = measured("concat-mlp", 128, 1, 256, 60)  # as above
    assert mean > 5 * error
    assert change["accuracy"][0] - alone["accuracy"][0] > 5 * error
    assert change["risk"][0] < alone["risk"][0]


def test_pairs_that_share_nothing_change_nothing(moments):
    for head in ("concat-mlp", "bilinear", "dot-product", "concat-linear"):
        alone = predict_curve(head, moments[3], [64, 256], RIDGE)
        many = predict_curve(head, moments[3], [64, 256], RIDGE, training_images=10**6)
        np.testing.assert_allclose(many.astype(float), alone.astype(float), rtol=1e-12)


@pytest.mark.parametrize("head", ["bilinear", "dot-product", "concat-linear"])
def test_heads_without_an_order_of_one_modality_do_not_change_at_one_caption(moments, head):
    alone = predict_curve(head, moments[1], [64, 256], RIDGE)
    few = predict_curve(head, moments[1], [64, 256], RIDGE, training_images=200)
    np.testing.assert_allclose(few.astype(float), alone.astype(float), rtol=1e-12)


def test_the_term_of_sharing_can_be_left_out(moments):
    alone, shared, left_out = (
        predict_curve("concat-mlp", moments[3], [64, 256], RIDGE, training_images=images, terms=t)
        for images, t in ((None, Terms()), (100, Terms()), (100, Terms(shared_images=False)))
    )
    pd.testing.assert_frame_equal(left_out, alone)
    assert (shared["accuracy"] != alone["accuracy"]).any()
    # The number of images is checked all the same.
    with pytest.raises(InputError, match="n must be at most 96"):
        predict_curve(
            "concat-mlp",
            moments[3],
            100,
            RIDGE,
            training_images=16,
            terms=Terms(shared_images=False),
        )


def test_fewer_images_change_more(moments):
    model = find_model("concat-mlp")(moments[1], Terms())
    shift = [
        sharing_shift(model, np.array([256.0]), RIDGE, np.array([float(images)]), 1).shift[0]
        for images in (5000, 1000, 256, 140)
    ]
    assert 0 <= shift[0] < shift[1] < shift[2] < shift[3]


def test_independent_pairs_are_the_normal_law(moments):
    """With pairs that share nothing, (1) to (3) are the effective ridge and gamma of Level 2."""
    # The blocks of image and text alone are as if uncorrelated, which Level 2 has not.
    for head, close in (("bilinear", 1e-4), ("concat-mlp", 6e-3)):
        model = find_model(head)(moments[1], Terms(score_law=False))
        curve = matching_curve(model, np.array([256.0]), RIDGE)
        quantile, risk = shared_scores(model, (SharedPairs.independent(),), 256.0, RIDGE)
        assert norm.cdf(quantile) == pytest.approx(curve.accuracy[0], rel=close)
        assert risk == pytest.approx(curve.risk[0], rel=close)


def test_drawn_sets_share_as_draw_pairs_does():
    """A pair's number of pairs of the same image, and of captions, against one large draw."""
    large = draw_pairs(np.arange(1500), 5, 4000, np.random.SeedSequence(8))
    known = SharedPairs.of([large])
    sets = SharedPairs.drawn(4000, 1500, 5)
    for name in ("image", "text", "captions"):
        one, two = (getattr(x, name).sum(axis=2).mean() for x in (sets, known))
        assert one == pytest.approx(two, rel=0.06)


def test_one_number_of_images_for_each_n(moments):
    both = predict_curve("concat-mlp", moments[1], [128, 512], RIDGE, training_images=[128, 512])
    for row, n in enumerate((128, 512)):
        one = predict_curve("concat-mlp", moments[1], n, RIDGE, training_images=n)
        assert both["accuracy"][row] == pytest.approx(one["accuracy"][0], abs=1e-9)


@pytest.mark.parametrize(
    ("n", "images", "message"),
    [
        (100, 1, "training_images must be whole numbers of at least 2, got 1"),
        (100, 10.5, "training_images must be whole numbers"),
        (100, 16, "n must be at most 96, twice the 16 training_images x 3 texts, got 100"),
        ([10, 20], [10, 20, 30], "training_images must be one number or one for each of 2 n"),
    ],
)
def test_refusals(moments, n, images, message):
    with pytest.raises(InputError, match=message):
        predict_curve("concat-mlp", moments[3], n, RIDGE, training_images=images)


def test_a_size_does_not_depend_on_the_others(moments):
    alone = predict_curve("concat-mlp", moments[3], [300], RIDGE, training_images=150)
    among = predict_curve("concat-mlp", moments[3], [800, 300, 40], RIDGE, training_images=150)
    one, same = (x.astype(float) for x in (alone.iloc[0], among.iloc[1]))
    np.testing.assert_allclose(one, same, rtol=1e-9)


def test_likeness_of_texts_that_share_a_known_part():
    rng = np.random.default_rng(6)
    common, own = rng.standard_normal((4000, 1, 4)), rng.standard_normal((4000, 3, 4))
    weight = np.array([0.9, 0.6, 0.3, 0.0]) ** 0.5
    text = (weight * common + np.sqrt(1 - weight**2) * own) * np.array([4.0, 3.0, 2.0, 1.0])
    found = Moments.from_features(rng.standard_normal((4000, 4)), text).pairs.text_likeness
    # In the order of the variances, as the eigenvectors are; 4000 images tell it to 0.02.
    np.testing.assert_allclose(found, weight**2, atol=0.08)
    one = Moments.from_features(rng.standard_normal((4000, 4)), text[:, 0]).pairs
    np.testing.assert_array_equal(one.text_likeness, 1.0)


def test_between_powers_of_2_the_two_at_each_side_are_asked(moments, monkeypatch):
    asked = []

    def linear(model, n, *others):
        asked.append(n)
        return np.log2(n), 1.0

    monkeypatch.setattr("fusiontheory.matching.sharing._moved", linear)
    model = find_model("concat-mlp")(moments[3], Terms(score_law=False))
    found = sharing_shift(model, np.array([200.0]), RIDGE, np.array([1000]), 3)
    assert sorted(asked) == [64, 128, 256, 512]
    assert found.shift[0] == pytest.approx(np.log2(200))
