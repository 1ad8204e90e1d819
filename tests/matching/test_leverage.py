"""The law of leverage: where it must be constant, and against the closed form for products."""

import numpy as np
import pytest

from fusiontheory.matching import PairPowers
from fusiontheory.risk import Spectrum, effective_ridge, learned, product_ridge_risk
from fusiontheory.signal import mismatched_partner

BILINEAR = {(1, 1): 1.0}


def powers_of(image, text, values_v, values_t, orders=BILINEAR, homogeneous=False):
    partner = mismatched_partner(len(image))
    lengths = ((image**2).sum(axis=1), (text**2).sum(axis=1)) if homogeneous else None
    return PairPowers.of_pairs(image, text, partner, (values_v, values_t), orders, lengths)


def solved(powers, values, n, ridge):
    """Return the law at n and ridge, and gamma."""
    spectrum = Spectrum.from_eigenvalues(values)
    kappa = effective_ridge(spectrum, np.array([float(n)]), ridge)
    degrees = spectrum.sum(learned, kappa)[0]
    gamma = spectrum.sum(lambda lam, level: learned(lam, level) ** 2, kappa)[0] / n
    return powers.law(kappa[0], n, degrees, gamma, 0.0), gamma


@pytest.mark.parametrize("ridge", [0.5, 50.0])
def test_signs_have_the_leverage_of_level_two(ridge):
    rng = np.random.default_rng(0)
    image, text = (rng.choice([-1.0, 1.0], (500, 6)) for _ in range(2))
    law, gamma = solved(powers_of(image, text, np.ones(6), np.ones(6)), np.ones(36), 60, ridge)
    np.testing.assert_allclose(law.weight, 1, rtol=1e-3)
    np.testing.assert_allclose(law.influence, gamma / (1 - gamma), rtol=1e-3)
    np.testing.assert_allclose(law.variance(np.full((2, 500), 2.0)), 2 * law.influence, rtol=1e-3)


@pytest.mark.parametrize("decay", [0.0, 1.0])
@pytest.mark.parametrize("n", [100, 1000])
def test_noise_costs_what_the_closed_form_for_products_says(decay, n):
    d, ridge = 24, 0.02
    values = np.arange(1.0, d + 1) ** -decay
    values /= values.sum()
    rng = np.random.default_rng(0)
    image, text = (rng.standard_normal((4000, d)) * np.sqrt(values) for _ in range(2))
    product = np.outer(values, values)
    law, gamma = solved(powers_of(image, text, values, values), product.ravel(), n, ridge)
    # Labels that are noise of variance 1 have the risk 1 + variance.
    risk = 1 + law.variance(np.ones((2, 4000))).mean()
    exact = product_ridge_risk(values, values, np.zeros((d, d)), n, ridge, 1.0)
    plain = 1 / (1 - gamma)
    # Cells are coarse, and the closed form takes the leverage as a product.
    assert risk == pytest.approx(exact, rel=0.02)
    if decay:
        assert abs(risk - exact) < 0.3 * abs(plain - exact)


def test_long_pairs_count_less():
    rng = np.random.default_rng(0)
    image, text = rng.standard_normal((2, 1000, 8))
    image *= rng.choice([0.5, 1.5], (1000, 1))
    values = (image**2).mean(axis=0), (text**2).mean(axis=0)
    law, _ = solved(powers_of(image, text, *values), np.outer(*values).ravel(), 100, 1.0)
    power = np.linalg.norm(image, axis=1) * np.linalg.norm(text, axis=1)
    assert np.corrcoef(power, law.weight[0])[0, 1] < -0.8
    assert np.corrcoef(power, law.influence[0])[0, 1] > 0.7


def test_powers_are_those_of_the_kernels_diagonal():
    rng = np.random.default_rng(0)
    image, text = rng.standard_normal((2, 4000, 6))
    orders = {(1, 0): 0.3, (0, 1): 0.2, (2, 0): 0.1, (0, 2): 0.15, (1, 1): 0.25}
    powers = powers_of(image, text, np.ones(6), np.ones(6), orders)
    v, t = (image**2).sum(axis=1), (text**2).sum(axis=1)
    # Less the means of squares, which the intercept takes: v^2 -> v^2 - 2 v + 6.
    whole = 0.3 * v + 0.2 * t + 0.1 * (v**2 - 2 * v + 6) + 0.15 * (t**2 - 2 * t + 6) + 0.25 * v * t
    np.testing.assert_allclose(powers.powers[0].sum(axis=1), whole, rtol=0.05)
    assert powers.counts.sum() == 6 + 6 + 21 + 21 + 36


def test_homogeneous_kernels_divide_by_the_length():
    rng = np.random.default_rng(0)
    image, text = rng.standard_normal((2, 500, 6))
    plain = powers_of(image, text, np.ones(6), np.ones(6))
    scaled = powers_of(image, text, np.ones(6), np.ones(6), homogeneous=True)
    length = (image**2).sum(axis=1) + (text**2).sum(axis=1)
    ratio = plain.powers[0] / scaled.powers[0]
    np.testing.assert_allclose(ratio[:, 0] / length, (ratio[:, 0] / length)[0])
    assert scaled.ridge.mean() == pytest.approx(1)
    np.testing.assert_array_equal(plain.ridge, 1)


def test_no_law_at_a_peak_without_ridge():
    rng = np.random.default_rng(0)
    image, text = rng.standard_normal((2, 1000, 4))
    powers = powers_of(image, text, np.ones(4), np.ones(4))
    assert powers.law(1e-9, 16.0, 16.0, 1.0, 0.0) is None


def test_blocks_of_eigenvalues_are_equally_wide_with_the_smallest_in_the_last():
    x, values = np.ones((50, 16)), np.geomspace(1, 1e-3, 16)
    found = powers_of(x, x, values, values, {(1, 0): 1.0, (0, 1): 1.0})
    np.testing.assert_array_equal(found.counts, 2)
