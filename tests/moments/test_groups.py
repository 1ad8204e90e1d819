"""Copies and frames of one video count once."""

import numpy as np
import pytest

from fusiontheory import InputError, Moments, predict_curve
from fusiontheory.moments import independent_images

N = [128, 512, 2048]


def items(m, rng):
    z = rng.standard_normal((m, 24))
    pairs = (z + 0.7 * rng.standard_normal((m, 24)) for _ in range(2))
    return tuple(x / np.linalg.norm(x, axis=1, keepdims=True) for x in pairs)


def frames(m, copies, rng):
    """Return m rows, ``copies`` of each item with 5 % noise, shuffled, and their items."""
    group = rng.permutation(np.repeat(np.arange(m // copies), copies))
    noisy = (x[group] + 0.01 * rng.standard_normal((m, 24)) for x in items(m // copies, rng))
    return tuple(x / np.linalg.norm(x, axis=1, keepdims=True) for x in noisy), group


@pytest.mark.parametrize("head", ["bilinear", "concat-mlp", "dot-product"])
def test_frames_say_what_independent_images_do(head):
    rng = np.random.default_rng(0)
    many = predict_curve(head, Moments.from_features(*items(20_000, rng)), N, 0.1)
    (v, t), group = frames(2400, 4, rng)
    moments = Moments.from_features(v, t, groups=group)
    assert moments.images == 600
    found = predict_curve(head, moments, N, 0.1)
    off = np.abs(found["accuracy"] - many["accuracy"])
    assert (off < np.maximum(1.3 * (found["accuracy_high"] - found["accuracy_low"]), 0.01)).all()
    if head == "concat-mlp":
        alone = predict_curve(head, Moments.from_features(v, t), N, 0.1)
        # Taken as independent, the same items are in all folds, and their noise is signal.
        assert off.max() < 0.6 * np.abs(alone["accuracy"] - many["accuracy"]).max()


def test_labels_of_any_kind_and_order():
    assert independent_images(["b", "a", "b", "c"], 4).tolist() == [0, 1, 3]
    assert independent_images([3.0, 3.0, 1.0], 3).tolist() == [0, 2]
    v, t = items(60, np.random.default_rng(0))
    alone = Moments.from_features(v, t)
    same = Moments.from_features(v, t, groups=np.arange(60)[::-1])
    np.testing.assert_array_equal(alone.image_eigenvalues, same.image_eigenvalues)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.arange(59), r"one id per image, 60, got shape \(59,\)"),
        (np.zeros(60), "at least 2 groups, got 1"),
        (np.append(np.arange(59.0), np.nan), "got nan for image 59"),
        ([None] * 60, "numbers or texts, got object"),
    ],
)
def test_groups_that_do_not_fit_are_refused(groups, message):
    v, t = items(60, np.random.default_rng(0))
    with pytest.raises(InputError, match=message):
        Moments.from_features(v, t, groups=groups)
