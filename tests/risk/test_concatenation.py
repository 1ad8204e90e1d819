"""Correlated blocks: simulation, brute force on moments, limits, invariances, bad input."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.monte_carlo import simulate_ridge_risk
from fusiontheory.risk import (
    FusionSetting,
    JointBlocks,
    block_spectrum,
    correlated_pairs,
    coupled_products,
    ridge_risk,
)
from fusiontheory.solvers import fit_linear_ridge


def random_moments(seed, d_v, d_t, decay=0.7):
    """Return M_v, M_t, C with full cross-correlation and no special basis."""
    rng = np.random.default_rng(seed)
    d = d_v + d_t
    basis = np.linalg.qr(rng.standard_normal((d, d)))[0]
    joint = basis @ np.diag(np.arange(1.0, d + 1) ** -decay) @ basis.T
    return joint[:d_v, :d_v], joint[d_v:, d_v:], joint[:d_v, d_v:]


@pytest.mark.parametrize("n", [15, 30, 90])
def test_risk_in_any_basis_agrees_with_simulation(n):
    d_v, d_t, ridge, noise, draws = 20, 10, 0.02, 0.3, 300
    m_v, m_t, cross = random_moments(1, d_v, d_t)
    rng = np.random.default_rng(n)
    a = rng.standard_normal(d_v + d_t)
    a /= np.sqrt(a @ np.block([[m_v, cross], [cross.T, m_t]]) @ a)
    joint = JointBlocks.from_moments(m_v, m_t, cross)
    predicted = ridge_risk(joint.eigenvalues, joint.target_power(a), n, ridge, noise)

    covariance = np.block([[m_v, cross], [cross.T, m_t]])
    root = np.linalg.cholesky(covariance)
    errors = []
    for _ in range(draws):
        x = rng.standard_normal((n, d_v + d_t)) @ root.T
        y = x @ a + np.sqrt(noise) * rng.standard_normal(n)
        missed = fit_linear_ridge(x, y, ridge) - a
        errors.append(missed @ covariance @ missed + noise)
    standard_error = np.std(errors, ddof=1) / np.sqrt(draws)
    # Asymptotic: 4 standard errors or 2 %.
    assert abs(np.mean(errors) - predicted) < max(4 * standard_error, 0.02 * predicted)
    assert standard_error < 0.03 * predicted


@pytest.mark.parametrize("n", [10, 30, 100])
def test_canonical_pairs_agree_with_the_simulated_setting(n):
    # The same problem through raw moments and through canonical correlations; part of the target
    # is bilinear, which the additive head cannot represent.
    values_v, values_t = np.linspace(1.0, 0.2, 8), np.linspace(0.9, 0.3, 6)
    rho = np.linspace(0.95, 0.1, 6)
    coefficients = np.random.default_rng(0).standard_normal(14)
    scale = np.sqrt(np.concatenate([values_v, values_t]))
    unit = coefficients * scale
    setting = FusionSetting(
        "additive",
        values_v,
        values_t,
        unit**2,
        np.full((8, 6), 0.02),
        ridge=0.1,
        noise=0.5,
        correlation=rho,
        additive_signs=np.sign(unit),
    )
    cross = np.zeros((8, 6))
    cross[np.arange(6), np.arange(6)] = rho * np.sqrt(values_v[:6] * values_t)
    joint = JointBlocks.from_moments(np.diag(values_v), np.diag(values_t), cross)
    noise = setting.effective_noise
    predicted = ridge_risk(joint.eigenvalues, joint.target_power(coefficients), n, 0.1, noise)
    through_setting = ridge_risk(setting.eigenvalues, setting.target_power, n, 0.1, noise)
    assert through_setting == pytest.approx(predicted, rel=1e-9)
    measured = simulate_ridge_risk(setting, n, 500, seed=n)
    assert abs(measured.mean - predicted) < max(4 * measured.standard_error, 0.03 * predicted)
    assert measured.standard_error < 0.03 * predicted


def test_without_cross_moment_the_spectrum_is_the_union():
    m_v, m_t, cross = random_moments(2, 5, 4)
    joint = JointBlocks.from_moments(m_v, m_t, 0 * cross)
    union = np.concatenate([np.linalg.eigvalsh(m_v), np.linalg.eigvalsh(m_t)])
    np.testing.assert_allclose(joint.eigenvalues, np.sort(union)[::-1], rtol=1e-10)


def test_power_adds_up_to_the_variance_of_the_target():
    m_v, m_t, cross = random_moments(3, 5, 4)
    a = np.random.default_rng(0).standard_normal(9)
    joint = JointBlocks.from_moments(m_v, m_t, cross)
    variance = a @ np.block([[m_v, cross], [cross.T, m_t]]) @ a
    assert joint.target_power(a).sum() == pytest.approx(variance)
    assert joint.eigenvalues.sum() == pytest.approx(np.trace(m_v) + np.trace(m_t))


def test_rotating_a_modality_changes_nothing():
    m_v, m_t, cross = random_moments(4, 5, 4)
    a = np.random.default_rng(0).standard_normal(9)
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((5, 5)))[0]
    turned = JointBlocks.from_moments(turn @ m_v @ turn.T, m_t, turn @ cross)
    plain = JointBlocks.from_moments(m_v, m_t, cross)
    np.testing.assert_allclose(turned.eigenvalues, plain.eigenvalues, rtol=1e-9)
    rotated = np.concatenate([turn @ a[:5], a[5:]])
    np.testing.assert_allclose(turned.target_power(rotated), plain.target_power(a), atol=1e-10)


def test_a_copied_modality_adds_no_directions():
    m_v, _, _ = random_moments(5, 4, 4)
    joint = JointBlocks.from_moments(m_v, m_v, m_v)
    np.testing.assert_allclose(joint.eigenvalues[:4], 2 * np.linalg.eigvalsh(m_v)[::-1])
    np.testing.assert_array_equal(joint.eigenvalues[4:], 0.0)
    # Not even a target of opposite signs, which is 0.
    difference = np.concatenate([np.ones(4), -np.ones(4)])
    np.testing.assert_allclose(joint.target_power(difference), 0.0, atol=1e-12)


def test_block_spectrum_agrees_with_the_power_of_raw_features():
    m_v, m_t, cross = random_moments(6, 3, 3)
    joint = np.block([[m_v, cross], [cross.T, m_t]])
    scale = np.sqrt(np.diagonal(joint))
    unit = joint / np.outer(scale, scale)
    a = np.random.default_rng(0).standard_normal(6)
    target = np.outer(a * scale, a * scale)
    values, power = block_spectrum(unit[None], scale[None], target[None])
    blocks = JointBlocks.from_moments(m_v, m_t, cross)
    np.testing.assert_allclose(values[0], blocks.eigenvalues, rtol=1e-9)
    np.testing.assert_allclose(power[0], blocks.target_power(a), rtol=1e-6, atol=1e-12)


def test_power_outside_the_features_is_never_learned():
    moment = np.array([[1.0, 0.8], [0.8, 1.0]])
    target = np.diag([0.0, 1.0])  # all of it at the absent coordinate
    values, power = block_spectrum(moment[None], np.array([[2.0, 0.0]]), target[None])
    np.testing.assert_allclose(values, [[4.0, 0.0]])
    np.testing.assert_allclose(power, [[0.64, 0.36]])  # rho^2 is seen through the other
    values, power = block_spectrum(np.ones((1, 2, 2)), np.ones((1, 2)), np.eye(2)[None])
    np.testing.assert_allclose(values, [[2.0, 0.0]])
    np.testing.assert_allclose(power, [[2.0, 0.0]], atol=1e-12)


@pytest.mark.parametrize("centred", [False, True])
def test_moments_of_coupled_products(centred):
    rho, d_t = np.array([0.9, 0.6, 0.3]), 4
    rng = np.random.default_rng(0)
    z = rng.standard_normal((400_000, 3))
    w = rng.standard_normal((400_000, 4))
    w[:, :3] = rho * z + np.sqrt(1 - rho**2) * w[:, :3]
    products = (z[:, :, None] * w[:, None, :]).reshape(z.shape[0], -1)
    if centred:
        products -= products.mean(axis=0)
    expected = np.eye(12)
    for index, moment in coupled_products(rho, d_t, centred):
        for block, entries in zip(index, moment, strict=True):
            expected[np.ix_(block, block)] = entries
    np.testing.assert_allclose(products.T @ products / z.shape[0], expected, atol=0.04)
    index, moment = correlated_pairs(rho, d_v=3)
    both = np.hstack([z, w])
    for block, entries in zip(index, moment, strict=True):
        measured = both[:, block].T @ both[:, block] / z.shape[0]
        np.testing.assert_allclose(measured, entries, atol=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"second_moment_v": np.ones((2, 3))}, "second_moment_v must be square, got shape"),
        ({"second_moment_v": [[1.0, 0.5], [0.4, 1.0]]}, "second_moment_v must be symmetric"),
        (
            {"second_moment_t": [[1.0, 2.0], [2.0, 1.0]]},
            "second_moment_t must be positive semidefinite, got one with the eigenvalue -1",
        ),
        ({"second_moment_t": [[np.nan]]}, "second_moment_t must be finite"),
        ({"second_moment_v": []}, "second_moment_v must have 2 dimensions"),
        ({"cross_moment": np.zeros((2, 3))}, r"cross_moment must have shape \(2, 2\) .* \(2, 3\)"),
        (
            {"cross_moment": 1.1 * np.eye(2)},
            "cross_moment must leave the joint matrix .* semidefinite, got .* -0.1",
        ),
        ({"cross_moment": np.full((2, 2), np.inf)}, "cross_moment must be finite"),
        (
            {
                "second_moment_v": np.zeros((2, 2)),
                "second_moment_t": np.zeros((2, 2)),
                "cross_moment": np.zeros((2, 2)),
            },
            "must not both be 0",
        ),
    ],
)
def test_bad_moments(change, message):
    good = {"second_moment_v": np.eye(2), "second_moment_t": np.eye(2)}
    with pytest.raises(InputError, match=message):
        JointBlocks.from_moments(**{**good, "cross_moment": np.zeros((2, 2)), **change})


@pytest.mark.parametrize(
    ("coefficients", "message"),
    [
        ([1.0, 2.0], "coefficients must have one value per feature of v and t, 4, got 2"),
        ([1.0, np.nan, 0.0, 0.0], "coefficients must be finite"),
    ],
)
def test_bad_coefficients(coefficients, message):
    joint = JointBlocks.from_moments(np.eye(2), np.eye(2), np.zeros((2, 2)))
    with pytest.raises(InputError, match=message):
        joint.target_power(coefficients)
