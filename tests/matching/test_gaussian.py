"""Matching on Gaussian pairs: against simulation, the plain formula, limits, bad input."""

from functools import cache

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.curves import predict_curve
from fusiontheory.matching import gaussian_matching_curve
from fusiontheory.moments import GaussianPairs, Moments
from fusiontheory.monte_carlo import draw_matching, simulate_matching


def pairs(d=40, exponent=1.0, rho=0.7, seed=0):
    """Pairs with a power-law spectrum whose correlated directions are not the eigenvectors."""
    generator = np.random.default_rng(seed)
    values = np.arange(1.0, d + 1) ** -exponent
    values /= values.sum()
    turn = np.linalg.qr(generator.standard_normal((d, d)))[0]
    root = np.sqrt(values)
    cross = root[:, None] * (rho * turn * np.linspace(1, 0.2, d)) * root
    return GaussianPairs(values, values, cross, np.zeros(d), np.zeros(d))


RIDGE, SIZES = 0.02, [128, 512, 2048]


@cache
def simulated(exponent, rho):
    """Return the law, what heads trained on its pairs measured, and its curve."""
    law = pairs(exponent=exponent, rho=rho)
    found = simulate_matching(law, "bilinear", SIZES, RIDGE, draws=12, seed=1)
    return law, found, gaussian_matching_curve(law, SIZES, RIDGE)


@pytest.mark.parametrize("exponent", [0.0, 1.0])
@pytest.mark.parametrize("rho", [0.5, 0.9])
def test_agrees_with_simulation(exponent, rho):
    # 2048 is just above the interpolation peak of 1600 features, where flat spectra have little
    # ridge and terms of relative size 1/n count.
    _, found, curve = simulated(exponent, rho)
    slack = np.array([0.03, 0.03, 0.03 if exponent else 0.08])
    risk_gap = (curve["risk"] - found["risk"]).abs()
    accuracy_gap = (curve["accuracy"] - found["accuracy"]).abs()
    assert np.all(risk_gap < np.maximum(4 * found["risk_se"], slack * found["risk"]))
    assert np.all(accuracy_gap < np.maximum(4 * found["accuracy_se"], 0.012))


def test_is_nearer_than_the_plain_formula_where_few_directions_rule():
    law, found, sharp = simulated(1.0, 0.9)
    moments = Moments.from_second_moments(np.diag(law.image), np.diag(law.text), law.cross)
    plain = predict_curve("bilinear", moments, SIZES, RIDGE)["risk"]
    far, near = ((x - found["risk"]).abs().mean() for x in (plain, sharp["risk"]))
    assert near < 0.5 * far


def test_limits():
    law = pairs(d=10)
    # A huge ridge leaves a risk of 1, and no correlation leaves chance.
    assert gaussian_matching_curve(law, 100, 1e6)["risk"][0] == pytest.approx(1, abs=1e-3)
    apart = GaussianPairs(law.image, law.text, 1e-9 * law.cross, np.zeros(10), np.zeros(10))
    assert gaussian_matching_curve(apart, 100, 0.1)["accuracy"][0] == pytest.approx(0.5, abs=0.02)


def test_few_draws_are_put_right_by_second_moments_that_are_known():
    law = pairs(d=10)
    many = gaussian_matching_curve(law, 100, 1.0)["risk"][0]
    few = [gaussian_matching_curve(law, 100, 1.0, samples=128, seed=k)["risk"][0] for k in range(9)]
    # Without what the draws miss added to them they scatter by 0.1.
    assert np.std(few) < 0.06
    assert np.mean(few) == pytest.approx(many, abs=0.05)


def test_units_and_swap_do_not_matter():
    law = pairs(d=12)
    plain = gaussian_matching_curve(law, [50, 300], 0.01)
    scaled = gaussian_matching_curve(law.rescaled(10.0, 0.01), [50, 300], 0.01 * 0.01)
    np.testing.assert_allclose(scaled, plain, rtol=1e-6)
    swapped = GaussianPairs(law.text, law.image, law.cross.T, np.zeros(12), np.zeros(12))
    other = gaussian_matching_curve(swapped, [50, 300], 0.01)
    np.testing.assert_allclose(other, plain, rtol=0.03)


def test_drawn_pairs_have_the_law_and_share_nothing():
    law = pairs(d=4, exponent=0.3)
    drawn = draw_matching(law, 40_001, np.random.default_rng(0))
    matched = drawn.label > 0
    assert matched.sum() == 20_001
    cross = drawn.image[matched].T @ drawn.text[matched] / matched.sum()
    np.testing.assert_allclose(cross, law.cross, atol=0.01)
    apart = drawn.image[~matched].T @ drawn.text[~matched] / (~matched).sum()
    np.testing.assert_allclose(apart, 0, atol=0.01)
    assert np.unique(drawn.image[:, 0]).size == np.unique(drawn.text[:, 0]).size == 40_001
    unit = draw_matching(law, 10, np.random.default_rng(0), unit_norm=True)
    np.testing.assert_allclose(np.linalg.norm(unit.text, axis=1), 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": 1}, "n must be at least 2"),
        ({"ridge": 0.0}, "ridge must be above 0"),
        ({"ridge": -1.0}, "ridge"),
        ({"samples": 10}, "samples"),
    ],
)
def test_bad_input(changes, message):
    with pytest.raises(InputError, match=message):
        gaussian_matching_curve(**({"pairs": pairs(d=4), "n": 10, "ridge": 0.1} | changes))


def test_means_are_refused():
    law = GaussianPairs(np.ones(2), np.ones(2), np.zeros((2, 2)), np.array([0.3, 0.0]), np.zeros(2))
    with pytest.raises(InputError, match="means near zero"):
        gaussian_matching_curve(law, 10, 0.1)
