"""The law of scores where few images make the covariance of the functions indefinite."""

import numpy as np

from fusiontheory.curves import find_model
from fusiontheory.matching import LeverageLaw, NormalScores, Terms, score_law
from fusiontheory.moments import Moments

SIZES = np.array([512.0, 2048.0])


def shifts(images, seed):
    """Six equal directions, each of a correlation of 0.8 with its own in the other modality."""
    rng = np.random.default_rng(seed)
    v = rng.standard_normal((images, 6))
    t = 0.8 * v + 0.6 * rng.standard_normal((images, 6))
    model = find_model("concat-mlp")(Moments.from_features(v, t), Terms())
    return model.scores.shift(SIZES, 0.1)


def test_few_images_say_what_many_say():
    many = shifts(6000, 9).shift
    few = np.array([shifts(500, seed).shift for seed in range(6)])
    # At 2048 pairs it was 0 from each of these samples; undamped, one has three times as much.
    assert np.abs(few.mean(axis=0) - many).max() < 0.06
    assert np.abs(few - many).max() < 0.2


def test_indefinite_functions_are_damped_and_not_given_up():
    rng = np.random.default_rng(0)
    label = np.array([[1.0], [-1.0]])
    common = label + rng.standard_normal((2, 400))
    # Two functions that differ by less than their noise: one set's covariance with the other has
    # eigenvalues below 0.
    first, second = (
        np.stack([common, common], axis=1) + 0.7 * rng.standard_normal((2, 2, 400))
        for _ in range(2)
    )
    scores = np.stack([first, second], axis=1)
    cross = sum(
        (a - a.mean(1, keepdims=True)) @ b.T / 400 for a, b in zip(first, second, strict=True)
    )
    assert np.linalg.eigvalsh((cross + cross.T) / 2)[0] < 0.02
    law = LeverageLaw(np.ones((2, 400)), np.ones((2, 400)))
    normal = NormalScores(0.4, 0.1, 0.1)
    found = score_law(scores, np.zeros((2, 2)), law, np.ones((2, 2, 400)), 0.1, normal)
    alone = score_law(scores[:, :, :1], np.zeros((1, 1)), law, np.ones((2, 1, 400)), 0.1, normal)
    # The two say what one says; without noise added there was no law at all, a shift of 0.
    assert abs(found.shift - alone.shift) < 0.02
    assert found.error > 0


def test_no_function_shows_no_law():
    law = LeverageLaw(np.ones((2, 60)), np.ones((2, 60)))
    nothing = np.zeros((2, 2, 0, 60)), np.zeros((0, 0))
    assert score_law(*nothing, law, np.ones((2, 0, 60)), 0.1, NormalScores(0.4, 0.1, 0.1)) is None
