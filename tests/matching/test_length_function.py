"""The function |x| of order 0: against explicit features, at unit norm, and against training."""

import numpy as np
import pandas as pd
import pytest
from worlds import RIDGE, SIZES, WORLDS, correlated, lengths, measured_means

from fusiontheory.checks import set_checked
from fusiontheory.curves import predict_curve
from fusiontheory.matching import DEGREE, KernelSignal, Terms
from fusiontheory.moments import Moments
from fusiontheory.signal import FUNCTIONS, mismatched_partner, ritz_functions, ritz_gram

ORDERS = {(0, 0): 0.6, (1, 0): 0.1, (0, 1): 0.1, (2, 0): 0.01, (0, 2): 0.01, (1, 1): 0.02}
WITHOUT = tuple(name for name in FUNCTIONS if name != "length")


class WithoutLength(Terms):
    """All terms but the function |x|."""

    def __post_init__(self):
        super().__post_init__()
        set_checked(self, "functions", tuple(f for f in self.functions if f != "length"))


def explicit(v, t, orders, unit):
    """Features of all orders, each with its power of the length."""
    size = lengths(v, t, unit)[:, None]
    products = {
        (0, 0): np.ones_like(size),
        (1, 0): v,
        (0, 1): t,
        (2, 0): np.einsum("ni,nj->nij", v, v),
        (0, 2): np.einsum("ni,nj->nij", t, t),
        (1, 1): np.einsum("ni,nj->nij", v, t),
    }
    return np.hstack(
        [
            np.sqrt(k) * size ** (1 - sum(o)) * products[o].reshape(len(v), -1)
            for o, k in orders.items()
        ]
    )


def explicit_signal(v, t, orders, kappa, unit):
    """q over all features where lengths vary."""
    matched, mismatched = (explicit(v, x, orders, unit) for x in (t, np.roll(t, 1, axis=0)))
    apart = matched.mean(axis=0) - mismatched.mean(axis=0)
    within = (np.cov(matched.T) + np.cov(mismatched.T)) / 2
    return apart @ np.linalg.solve(within + kappa * np.eye(apart.size), apart)


def ritz_signal(found, v, t, names, kappa, unit):
    """q over some functions, each with its power of the length, from held-out scores."""
    rows = [found.names.index(name) for name in found.names if name in names]
    partner = mismatched_partner(len(v))
    size = np.array([lengths(v, x, unit) for x in (t, t[partner])])
    degree = np.array([DEGREE[found.names[row]] for row in rows])
    scores = found.scores[0][:, :, rows] * size[:, None, None] ** (1 - degree[:, None])
    centred = scores - scores.mean(axis=3, keepdims=True)
    within = np.einsum("yin,yjn->ij", centred[:, 0], centred[:, 1]) / (2 * len(v))
    apart = scores.mean(axis=(1, 3))
    apart = apart[0] - apart[1]
    gram = (within + within.T) / 2 + kappa * found.penalty[0][np.ix_(rows, rows)]
    return apart @ np.linalg.solve(gram, apart)


@pytest.mark.parametrize("kappa", [0.005, 0.02])
def test_gains_what_the_feature_of_order_zero_does(kappa):
    v, t = correlated(40_000)
    found = ritz_gram(v, t, np.ones(6), np.ones(6), ORDERS, np.array([kappa]))
    without, all_of_them = (
        ritz_signal(found, v, t, names, kappa, 12.0) for names in (WITHOUT, FUNCTIONS)
    )
    others = {order: k for order, k in ORDERS.items() if order != (0, 0)}
    least, most = (explicit_signal(v, t, orders, kappa, 12.0) for orders in (others, ORDERS))
    assert most > 1.04 * least
    assert all_of_them - without == pytest.approx(most - least, rel=0.1)
    # A bound, nearly reached; mismatched pairs are not the same ones.
    assert 0.98 * most < all_of_them < 1.01 * most


def test_is_a_constant_where_lengths_are_equal():
    v, t = correlated(2000)
    kappa = np.geomspace(0.01, 1, 3)
    found = ritz_gram(v, t, np.ones(6), np.ones(6), ORDERS, kappa)
    row = found.names.index("length")
    assert (found.scores[:, :, :, row] == 1).all()
    expected = np.zeros(len(found.names))
    expected[row] = 1 / ORDERS[0, 0]
    for level, ridge in enumerate(kappa):
        np.testing.assert_allclose(found.penalty[level, row], expected, rtol=1e-12)
        rows = np.broadcast_to(ridge * expected, found.gram[level, :, row].shape)
        np.testing.assert_allclose(found.gram[level, :, row], rows, atol=1e-12)
    # The signal, which takes lengths as equal, neither rises nor falls with it.
    np.testing.assert_allclose(found.gain(FUNCTIONS), found.gain(WITHOUT), rtol=1e-12)
    np.testing.assert_allclose(found.gain_error(FUNCTIONS), found.gain_error(WITHOUT), rtol=1e-9)
    plain = ritz_gram(v, t, np.ones(6), np.ones(6), {(1, 1): 1.0}, kappa)
    assert plain.names == ("first", "second")


def without_length(moments, n):
    return predict_curve("concat-mlp", moments, n, RIDGE, terms=WithoutLength())


def test_changes_nothing_at_unit_norm():
    rng = np.random.default_rng(0)
    moments = Moments.from_features(*WORLDS["unit norm"].draw(2000, rng))
    curve = predict_curve("concat-mlp", moments, [64, 512, 4096], RIDGE)
    pd.testing.assert_frame_equal(curve, without_length(moments, [64, 512, 4096]), rtol=1e-9)


@pytest.mark.parametrize("name", ["mild", "heavy tails"])
def test_brings_the_prediction_to_what_independent_pairs_measure(name):
    moments = Moments.from_features(*WORLDS[name].draw(20_000, np.random.default_rng(0)))
    truth = dict(zip(SIZES, measured_means(name, "independent", "concat-mlp"), strict=True))[2048]
    whole = predict_curve("concat-mlp", moments, 2048, RIDGE)["accuracy"][0]
    assert abs(whole - truth) < 0.004
    assert without_length(moments, 2048)["accuracy"][0] < truth - 0.004


def test_the_degree_of_a_function_is_that_of_its_order():
    orders = ritz_functions._BLOCK_OF
    assert {name: DEGREE[name] for name in orders} == {name: sum(orders[name]) for name in orders}
    moments = Moments.from_features(*correlated(1000))
    signal = KernelSignal(moments, ORDERS, functions=FUNCTIONS, homogeneous=True)
    gram, ridge, level = signal.pairs.ritz, signal.pairs.powers.ridge, 8
    names = [gram.names[row] for row in gram.usable(level, FUNCTIONS)]
    assert {"first", "length"} < set(names)
    expected = [ridge ** ((1 - sum(orders[name])) / 2) for name in names]
    np.testing.assert_allclose(signal._held_out(level).length, np.stack(expected, axis=1))
