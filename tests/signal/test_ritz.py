"""Signal of a kernel of several orders: against explicit features, limits, invariances, noise."""

import itertools

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.curves import predict_curve
from fusiontheory.matching import KernelSignal, kernel_pairs
from fusiontheory.moments import Moments
from fusiontheory.signal import FUNCTIONS, ritz_functions, ritz_gram, witness

ORDERS = {(1, 0): 0.3, (0, 1): 0.2, (2, 0): 0.1, (0, 2): 0.15, (1, 1): 0.25}
ALONE = ("image_pair", "text_pair", "image", "text")


def gaussian_pairs(n, d=3, rho=0.8, seed=0):
    """Pairs whose second moments are diagonal, with correlation rho between equal coordinates."""
    generator = np.random.default_rng(seed)
    values = np.linspace(1.5, 0.5, d)
    z = generator.standard_normal((n, d))
    w = rho * z + np.sqrt(1 - rho**2) * generator.standard_normal((n, d))
    return z * np.sqrt(values), w * np.sqrt(values), values


def explicit(v, t, orders):
    """Features of all orders, so that products of features give the kernel."""
    blocks = {
        (1, 0): v,
        (0, 1): t,
        (2, 0): np.einsum("ni,nj->nij", v, v),
        (0, 2): np.einsum("ni,nj->nij", t, t),
        (1, 1): np.einsum("ni,nj->nij", v, t),
        (2, 1): np.einsum("ni,nj,nk->nijk", v, v, t),
        (1, 2): np.einsum("ni,nj,nk->nijk", v, t, t),
    }
    return np.hstack([np.sqrt(k) * blocks[o].reshape(len(v), -1) for o, k in orders.items()])


def explicit_signal(v, t, orders, kappa):
    """q over all features, from a large sample."""
    matched, mismatched = explicit(v, t, orders), explicit(v, np.roll(t, 1, axis=0), orders)
    apart = matched.mean(axis=0) - mismatched.mean(axis=0)
    within = (np.cov(matched.T) + np.cov(mismatched.T)) / 2
    return apart @ np.linalg.solve(within + kappa * np.eye(apart.size), apart)


@pytest.mark.parametrize("kappa", [0.003, 0.03, 0.3])
def test_lies_between_the_cross_block_and_all_features(kappa):
    v, t, values = gaussian_pairs(200_000)
    found = ritz_gram(v, t, values, values, ORDERS, np.array([kappa]))
    cross = {(1, 1): ORDERS[1, 1]}
    least, most = (explicit_signal(v, t, orders, kappa) for orders in (cross, ORDERS))
    gain = found.gain(ALONE)[0]
    # One function for each block is not all, but here nearly.
    assert 0.9 * (most - least) < gain < 1.03 * (most - least)
    assert found.gain(())[0] == 0


def test_more_functions_never_have_less_signal():
    v, t, values = gaussian_pairs(4000)
    found = ritz_gram(v, t, values, values, ORDERS, np.geomspace(0.003, 1, 4))
    gains = [found.gain(ALONE[:k]) for k in range(5)]
    assert all(np.all(b >= a - 1e-12) for a, b in itertools.pairwise(gains))
    assert np.all(gains[-1] > gains[0])


@pytest.mark.parametrize("kappa", [0.03, 0.3])
def test_third_order_gains_what_its_features_do(kappa):
    # A skewed common factor, so that orders (2, 1) and (1, 2) have means of their own.
    generator = np.random.default_rng(1)
    common = generator.exponential(size=(100_000, 2)) - 1
    v, t = (0.5 * (common + generator.standard_normal(common.shape)) for _ in range(2))
    values = np.full(2, 0.5)
    orders = {(1, 1): 0.25, (2, 1): 0.01, (1, 2): 0.01}
    cross = {(1, 1): 0.25}
    found = ritz_gram(
        v.astype(np.float32)[:20_000],
        t.astype(np.float32)[:20_000],
        values,
        values,
        orders,
        np.array([kappa]),
    )
    least, most = (explicit_signal(v, t, o, kappa) for o in (cross, orders))
    gain = found.gain(("witness",))[0]
    assert gain == pytest.approx(most - least, rel=0.25)
    assert gain > 5 * found.gain_error(("witness",))[0]


def test_witness_is_the_difference_of_class_means():
    v, t, _ = gaussian_pairs(60, seed=2)
    other_v, other_t, _ = gaussian_pairs(50, seed=3)
    orders = {(2, 1): 0.3, (1, 2): 0.7}
    pairs = [(i, j) for i in range(50) for j in range(50) if i != j]
    rows = np.array(pairs)
    apart = explicit(other_v, other_t, orders).mean(axis=0)
    apart = apart - explicit(other_v[rows[:, 0]], other_t[rows[:, 1]], orders).mean(axis=0)
    matched, mismatched = witness((v, t), (other_v, other_t), orders)
    np.testing.assert_allclose(matched, explicit(v, t, orders) @ apart, atol=1e-9)
    shifted = explicit(v, np.roll(t, 1, axis=0), orders) @ apart
    np.testing.assert_allclose(mismatched, shifted, atol=1e-9)


def test_without_dependence_there_is_nothing_to_gain():
    generator = np.random.default_rng(4)
    v, t = generator.standard_normal((2, 5000, 4))
    orders = ORDERS | {(2, 1): 0.1, (1, 2): 0.1}
    found = ritz_gram(v, t, np.ones(4), np.ones(4), orders, np.array([0.05, 0.5]))
    v, t, values = gaussian_pairs(5000, d=4)
    strong = ritz_gram(v, t, values, values, orders, np.array([0.05, 0.5]))
    assert np.all(strong.gain(FUNCTIONS) > 0.05)
    assert np.all(found.gain(FUNCTIONS) < 0.02 * strong.gain(FUNCTIONS))


@pytest.mark.parametrize("d", [8, 64])
def test_independent_modalities_are_at_chance(d):
    # Their signal is 0 at every kappa, and so are its errors: there was a division by 0.
    v, t = np.random.default_rng(0).standard_normal((2, 1500, d))
    v, t = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (v, t))
    curve = predict_curve("concat-mlp", Moments.from_features(v, t), [64, 2048], 0.1)
    np.testing.assert_allclose(curve["accuracy"], 0.5, atol=0.01)


def test_swapping_the_modalities_swaps_the_functions():
    v, t, values = gaussian_pairs(2000)
    t, values_t = 2 * t, 4 * values
    swapped = {(b, a): k for (a, b), k in ORDERS.items()}
    kappa = np.array([0.1])
    plain = ritz_gram(v, t, values, values_t, ORDERS, kappa)
    turned = ritz_gram(t, v, values_t, values, swapped, kappa)
    names = [name.replace("image", "TEXT").replace("text", "image").lower() for name in plain.names]
    order = [turned.names.index(name) for name in names]
    turned_gram = turned.gram.mean(axis=1)[0][np.ix_(order, order)]
    np.testing.assert_allclose(turned_gram, plain.gram.mean(axis=1)[0], rtol=0.05, atol=0.02)
    assert turned.gain(ALONE) == pytest.approx(plain.gain(ALONE), rel=0.1)


def test_units_do_not_matter():
    v, t, values = gaussian_pairs(500)
    orders = ORDERS | {(2, 1): 0.1}
    scaled = {(a, b): k / (3**a * 0.2**b) ** 2 for (a, b), k in orders.items()}
    plain = ritz_gram(v, t, values, values, orders, np.array([0.1]))
    other = ritz_gram(3 * v, 0.2 * t, 9 * values, 0.04 * values, scaled, np.array([0.1]))
    assert other.gain(FUNCTIONS) == pytest.approx(plain.gain(FUNCTIONS), rel=1e-6)


def test_error_is_the_spread_between_samples():
    kappa = np.array([0.1])
    found = []
    for seed in range(40):
        v, t, values = gaussian_pairs(600, seed=seed)
        found.append(ritz_gram(v, t, values, values, ORDERS, kappa))
    spread = np.std([gram.gain(ALONE)[0] for gram in found])
    told = np.sqrt(np.mean([gram.gain_error(ALONE)[0] ** 2 for gram in found]))
    assert spread / 2 < told < 2 * spread


@pytest.mark.parametrize("n", [50, 60])
def test_few_images_give_no_nonsense(n):
    generator = np.random.default_rng(5)
    v, t = generator.standard_normal((2, n, 40))
    orders = ORDERS | {(2, 1): 0.1, (1, 2): 0.1}
    found = ritz_gram(v, t, np.ones(40), np.ones(40), orders, np.geomspace(1e-4, 1, 5))
    gain = found.gain(FUNCTIONS)
    assert np.all(np.isfinite(gain))
    assert np.all(gain >= 0)
    assert np.all(np.isfinite(found.gain_error(FUNCTIONS)))


def test_kernel_signal_is_that_of_the_bilinear_head_plus_the_gain():
    v, t, _ = gaussian_pairs(3000)
    moments = Moments.from_features(v, t)
    pairs = kernel_pairs(moments, ORDERS)
    levels, gram = pairs.levels, pairs.ritz
    # Between the ends, where the curve is neither extended nor cut.
    kappa = levels[3:-2]
    plain = KernelSignal(moments, ORDERS)
    more = KernelSignal(moments, ORDERS, functions=ALONE)
    direct = moments.matching_signal(kappa / ORDERS[1, 1])
    np.testing.assert_allclose(plain(kappa)[0], direct[0])
    np.testing.assert_allclose(more(kappa)[0] - plain(kappa)[0], gram.gain(ALONE)[3:-2], atol=1e-9)
    assert np.all(more.error(kappa) >= plain.error(kappa))
    # q falls with kappa, but not faster than 1 / kappa, beyond the levels too.
    wide = np.geomspace(levels[0] / 100, levels[-1] * 100, 200)
    q, slope = more(wide)
    assert np.all(slope <= 0)
    assert np.all(slope >= -q)


def test_kernel_without_a_cross_block_is_refused():
    v, t, _ = gaussian_pairs(200)
    with pytest.raises(InputError, match=r"orders must have \(1, 1\) above 0"):
        KernelSignal(Moments.from_features(v, t), {(2, 0): 1.0})


@pytest.mark.parametrize("decay", [1.0, 2.0])
def test_products_far_below_kappa_change_next_to_nothing(monkeypatch, decay):
    rng = np.random.default_rng(0)
    scale = np.arange(1.0, 65) ** (-decay / 2)
    shared = rng.standard_normal((1500, 64))
    image, text = ((shared + rng.standard_normal((1500, 64))) * scale for _ in range(2))
    moments = Moments.from_features(image, text)
    found = kernel_pairs(moments, ORDERS).ritz
    monkeypatch.setattr(ritz_functions, "_NEGLIGIBLE", 0.0)
    whole = kernel_pairs(Moments.from_features(image, text), ORDERS).ritz
    for rows in ([0], [0, 1]):  # R c, and with what it owes to D
        both = []
        for each in (found, whole):
            gram, mean = each.gram.mean(axis=1), each.mean.mean(axis=1)[:, rows]
            solved = np.linalg.solve(gram[:, rows][:, :, rows], mean[:, :, None])[:, :, 0]
            both.append((mean * solved).sum(axis=1))
        np.testing.assert_allclose(*both, rtol=5e-3)
    np.testing.assert_allclose(found.penalty[:, 0, 0], whole.penalty[:, 0, 0], rtol=0.02)
