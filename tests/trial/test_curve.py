"""Trials against heads trained on fresh corpora, and what they say beyond their own pairs."""

import warnings

import numpy as np
import pytest
from scipy.special import ndtri

from fusiontheory import Moments, predict_curve, trial_curve
from fusiontheory.checks import InputError
from fusiontheory.heads import find_head
from fusiontheory.solvers import PairFeatures, measure_curve
from fusiontheory.synthetic import find_population

HEAVY = "heavy_t5_shared"


@pytest.fixture(scope="module")
def heavy():
    sample = find_population(HEAVY).draw(1200, np.random.default_rng(5))
    return sample.image, sample.text


@pytest.fixture(scope="module")
def curve(heavy):
    return trial_curve("bilinear", *heavy, [128, 900, 4000], 0.1)


def fresh_accuracy(n, ridge, sets):
    """Return mean and standard error over independent training and test pairs."""
    found = []
    for rng in map(np.random.default_rng, range(sets)):
        parts = []
        for half in (n // 2, 1000):
            draw = find_population(HEAVY).draw(3 * half, rng)
            image, text = draw.image[: 2 * half], draw.text.copy()[: 2 * half]
            text[half:] = draw.text[2 * half :]
            parts.append(PairFeatures(image, text, np.repeat([1.0, -1.0], half)))
        [one] = measure_curve(find_head("bilinear"), *parts, [n], ridge)
        found.append(one.accuracy)
    return np.mean(found), np.std(found, ddof=1) / np.sqrt(sets)


def test_a_trial_is_right_where_the_theory_is_ten_points_off(heavy, curve):
    # It would fail for a trial that is off by 4 points.
    truth, error = fresh_accuracy(128, 0.1, 24)
    row = curve.iloc[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theory = predict_curve("bilinear", Moments.from_features(*heavy), [128], 0.1)
    assert theory["accuracy"][0] - truth > 0.1
    assert row["theory"] == pytest.approx(theory["accuracy"][0], abs=1e-9)
    own = (row["accuracy_high"] - row["accuracy_low"]) / (2 * 1.96)
    assert abs(row["accuracy"] - truth) < 3 * np.hypot(own, error)
    assert 3 * np.hypot(own, error) < 0.04


def test_beyond_its_pairs_the_theory_goes_on_and_the_interval_widens(heavy, curve):
    assert curve["tried"].tolist() == [128, 900, 960]
    at = trial_curve("bilinear", *heavy, [960], 0.1).iloc[0]
    beyond = curve.iloc[2]
    shift = ndtri(at["accuracy"]) - ndtri(at["theory"])
    assert ndtri(beyond["accuracy"]) - ndtri(beyond["theory"]) == pytest.approx(shift)
    width = curve["accuracy_high"] - curve["accuracy_low"]
    assert width[2] > 2 * (at["accuracy_high"] - at["accuracy_low"])


def test_copies_by_their_groups_are_one_item(heavy):
    image, text = (x[:200] for x in heavy)
    twice = np.concatenate([image, image]), np.concatenate([text, text])
    groups = np.tile(np.arange(200), 2)
    one = trial_curve("bilinear", image, text, [100], 0.1)
    assert trial_curve("bilinear", *twice, [100], 0.1, groups=groups).equals(one)


@pytest.mark.parametrize("head", ["concat-mlp", "dot-product", "concat-mlp-aligned"])
def test_other_heads_and_the_best_ridge(heavy, head):
    image, text = (x[:150] for x in heavy)
    found = trial_curve(head, image, text, [40], "best", ridges=[0.01, 1.0])
    assert found["ridge"].isin([0.01, 1.0]).all()
    assert found["accuracy"].between(0.4, 1).all()


def test_more_pairs_try_ridges_near_the_best_of_fewer(heavy):
    found = trial_curve("bilinear", *heavy, [700], "best")
    small = trial_curve("bilinear", *heavy, [512], "best")
    steps = np.log(found["ridge"][0] / small["ridge"][0]) / np.log(10 ** (5 / 12))
    assert -1.01 < steps < 3.01


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n": [2]}, "n must be at least 4"),
        ({"ridge": 0.0}, "ridge must be above 0 to train"),
        ({"ridge": "worst"}, "ridge must be"),
        ({"most": 2}, "most must be"),
        ({"head": "concat"}, "head must be one of"),
        ({"image": np.eye(8)[:, :4] + 1, "text": np.eye(8)}, "image must have at least 50 rows"),
    ],
)
def test_bad_input_is_refused_by_name(heavy, change, words):
    given = {"head": "bilinear", "image": heavy[0], "text": heavy[1], "n": [64], "ridge": 0.1}
    with pytest.raises(InputError, match=words):
        trial_curve(**{**given, **change})
