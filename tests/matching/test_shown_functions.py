"""What few images do not show is not taken for nothing: few strong canonical directions."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import WORLDS

from fusiontheory import Moments, predict_curve
from fusiontheory.matching import KernelSignal
from fusiontheory.signal import RitzGram, ritz_gram

FUNCTIONS = ("image_pair", "text_pair", "image", "text", "length", "witness")
ORDERS = {(1, 1): 0.1, (2, 0): 0.05, (0, 2): 0.05, (0, 0): 0.2}


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


@pytest.fixture(scope="module")
def mild():
    """Signals of 1500 images of a world, with and without what the functions add."""
    moments = Moments.from_features(*WORLDS["mild"].draw(1500, np.random.default_rng(0)))
    return KernelSignal(moments, ORDERS, functions=FUNCTIONS), KernelSignal(moments, ORDERS)


def test_the_slope_is_that_of_the_signal_within_beyond_and_below_the_levels(mild):
    """Without noise of q; with noise a closed form has a part in it (tests/signal)."""
    moments, without = mild[0].moments, mild[1]
    still = replace(moments.signal, known_error=0 * moments.signal.known_error)
    with_functions = replace(mild[0], moments=replace(moments, signal=still))
    levels = with_functions.pairs.levels
    kappa = np.geomspace(levels[0] / 30, levels[-1] * 30, 40)
    q, slope = with_functions(kappa)
    assert (q >= without(kappa)[0]).all()
    assert (q > 1.05 * without(kappa)[0]).any()
    step = 1e-4
    sides = [with_functions(kappa * np.exp(sign * step))[0] for sign in (1, -1)]
    assert (np.abs(slope - (sides[0] - sides[1]) / (2 * step)) < 1e-6 * q).all()


def test_the_gains_error_falls_as_the_gain_beyond_the_levels(mild):
    kappa = mild[0].pairs.levels[-1] * np.array([1.0, 3.0, 30.0])
    errors, own = (signal.error(kappa) for signal in mild)
    gained = np.sqrt(errors**2 - own**2)
    np.testing.assert_allclose(gained * kappa, gained[0] * kappa[0], rtol=1e-4)


def test_without_the_highest_orders_the_gain_is_as_sure_as_the_images_make_it(mild):
    functions = tuple(name for name in FUNCTIONS if name != "witness")
    signal = KernelSignal(mild[0].moments, ORDERS, functions=functions)
    levels, gram = signal.pairs.levels, signal.pairs.ritz
    assert gram.shown(functions) == 0
    expected = np.hypot(mild[1].error(levels), gram.gain_error(functions))
    np.testing.assert_allclose(signal.error(levels), expected, rtol=1e-6)


def test_a_gain_that_would_rise_is_the_mean_in_relative_errors(mild, monkeypatch):
    levels = mild[0].pairs.levels
    base, _ = mild[1](levels)
    rising = np.zeros(len(levels))
    rising[-1] = 1.1 * base[-2] - base[-1]
    monkeypatch.setattr(RitzGram, "shown", lambda self, functions: 0)
    monkeypatch.setattr(RitzGram, "gain", lambda self, functions: rising)
    monkeypatch.setattr(RitzGram, "gain_error", lambda self, functions: 0 * rising)
    signal = KernelSignal(mild[0].moments, ORDERS, functions=FUNCTIONS)
    # Where errors are not known each point is taken to be as sure, relative to what it is.
    mean = np.average(base[-2] * np.array([1.0, 1.1]), weights=1 / base[-2:] ** 2)
    np.testing.assert_allclose(signal(levels[-2:])[0], mean, rtol=1e-6)
