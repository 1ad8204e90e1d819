"""What few images do not show is not taken for nothing: few strong canonical directions."""

import numpy as np
import pytest

from fusiontheory import Moments, predict_curve
from fusiontheory.signal import ritz_gram

FUNCTIONS = ("image_pair", "text_pair", "image", "text", "length", "witness")


def strong(m, seed):
    """Three shared directions of half the variance, correlation 0.99, in 64 dimensions."""
    rng = np.random.default_rng(seed)
    rho, scale = np.zeros(64), np.ones(64)
    rho[:3], scale[:3] = 0.99, np.sqrt(61 / 3)
    scale /= np.linalg.norm(scale)
    z = rng.standard_normal((m, 64))
    return z * scale, (rho * z + np.sqrt(1 - rho**2) * rng.standard_normal((m, 64))) * scale


@pytest.mark.parametrize("seed", [5, 6])
def test_few_images_do_not_turn_the_curve_down(seed):
    n = [128, 512, 2048]
    few = predict_curve("concat-mlp", Moments.from_features(*strong(500, seed)), n, 0.1)
    many = predict_curve("concat-mlp", Moments.from_features(*strong(6000, 9)), n, 0.1)
    # With no gain where it was not shown it was 83 - 13 at 2048 and fell.
    assert few["accuracy"].iloc[2] > few["accuracy"].iloc[1] - 0.01
    assert np.abs(few["accuracy"] - many["accuracy"]).max() < 0.06
    assert few["accuracy_low"].iloc[2] < many["accuracy"].iloc[2] < few["accuracy_high"].iloc[2]


def test_levels_below_the_shown_ones_are_hidden():
    v, t = strong(500, 5)
    values = (v**2).mean(axis=0), (t**2).mean(axis=0)
    orders = {(1, 1): 0.1, (2, 0): 0.05, (0, 2): 0.05, (0, 0): 0.2}
    levels = np.geomspace(1e-6, 0.1, 8)
    gram = ritz_gram(v, t, *values, orders, levels)
    first = gram.shown(FUNCTIONS)
    assert 0 < first < len(levels)
    assert gram.gain(FUNCTIONS)[first] > 0
    assert gram.shown(()) <= first


def test_nothing_is_shown_without_signal():
    orders, levels = {(1, 1): 1.0, (2, 0): 1.0, (0, 2): 1.0}, np.array([0.1, 1.0])
    shown = []
    for seed in range(10):
        v, t = np.random.default_rng(seed).standard_normal((2, 200, 8))
        shown.append(ritz_gram(v, t, np.ones(8), np.ones(8), orders, levels).shown(FUNCTIONS))
    # Five rotations can look clear of noise by chance.
    assert sum(first == len(levels) for first in shown) >= 8
