"""Low-rank bilinear heads: simulation, brute force, limits, bad input."""

import warnings

import numpy as np
import pytest

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.monte_carlo import simulate_low_rank
from fusiontheory.risk import (
    LowRankTarget,
    ProjectedBilinear,
    least_squares_risk,
    low_rank_dimension,
    low_rank_risk,
)
from fusiontheory.solvers import fit_bilinear_ridge, fit_low_rank


def random_moment(rng, d):
    basis = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return basis @ np.diag(np.arange(1.0, d + 1) ** -0.7) @ basis.T


def projected_problem(seed=0, d_v=14, d_t=12, r_v=10, r_t=8):
    rng = np.random.default_rng(seed)
    m_v, m_t = random_moment(rng, d_v), random_moment(rng, d_t)
    w = rng.standard_normal((d_v, d_t))
    w /= np.sqrt(np.trace(w @ m_t @ w.T @ m_v))
    return m_v, m_t, w, rng.standard_normal((r_v, d_v)), rng.standard_normal((r_t, d_t))


@pytest.mark.parametrize("n", [30, 80, 200, 600])
def test_fixed_projections_agree_with_simulation(n):
    m_v, m_t, w, a, b = projected_problem()
    head = ProjectedBilinear.from_moments(m_v, m_t, w, a, b)
    ridge = 0.01 * head.eigenvalues_v.sum() * head.eigenvalues_t.sum()
    noise, draws = 0.1, 60
    predicted = head.risk([n], ridge, noise)[0]
    root_v, root_t = np.linalg.cholesky(m_v), np.linalg.cholesky(m_t)
    rng = np.random.default_rng(n)
    errors = []
    for _ in range(draws):
        v, t = rng.standard_normal((n, 14)) @ root_v.T, rng.standard_normal((n, 12)) @ root_t.T
        y = ((v @ w) * t).sum(axis=1) + np.sqrt(noise) * rng.standard_normal(n)
        missed = a.T @ fit_bilinear_ridge(v @ a.T, t @ b.T, y, ridge) @ b - w
        errors.append(np.trace(missed @ m_t @ missed.T @ m_v) + noise)
    standard_error = np.std(errors, ddof=1) / np.sqrt(draws)
    # 4 standard errors or 6 %, as for the bilinear head itself.
    assert abs(np.mean(errors) - predicted) < max(4 * standard_error, 0.06 * predicted)
    assert standard_error < 0.05 * predicted
    # The missing part is what makes the difference here.
    assert head.missing_power > 0.2


def test_learnable_part_is_the_regression_on_the_projected_products():
    m_v, m_t, w, a, b = projected_problem(seed=1, d_v=4, d_t=3, r_v=2, r_t=2)
    head = ProjectedBilinear.from_moments(m_v, m_t, w, a, b)
    # vec(W) has the covariance M_v (x) M_t; project it on A (x) B.
    both, onto = np.kron(m_v, m_t), np.kron(a, b)
    moment, overlap = onto @ both @ onto.T, onto @ both @ w.ravel()
    learnable = overlap @ np.linalg.solve(moment, overlap)
    assert head.target_power.sum() == pytest.approx(learnable)
    total = w.ravel() @ both @ w.ravel()
    assert head.target_power.sum() + head.missing_power == pytest.approx(total)
    products = np.sort(np.outer(head.eigenvalues_v, head.eigenvalues_t).ravel())
    np.testing.assert_allclose(products, np.linalg.eigvalsh(moment))


def test_a_projection_that_keeps_all_misses_nothing():
    m_v, m_t, w, _, _ = projected_problem()
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((14, 14)), rng.standard_normal((12, 12))
    head = ProjectedBilinear.from_moments(m_v, m_t, w, a, b)
    assert head.missing_power == pytest.approx(0, abs=1e-9)
    assert head.target_power.sum() == pytest.approx(1)
    # Repeated rows add no directions.
    twice = ProjectedBilinear.from_moments(m_v, m_t, w, np.vstack([a[:3], a[:3]]), b)
    once = ProjectedBilinear.from_moments(m_v, m_t, w, a[:3], b)
    assert np.count_nonzero(twice.eigenvalues_v) == 3
    np.testing.assert_allclose(twice.target_power[:3], once.target_power, atol=1e-9)
    assert twice.missing_power == pytest.approx(once.missing_power)


@pytest.mark.parametrize(
    ("singular_values", "noise", "rank"),
    [
        ([3.0, 2.0], 1.0, 2),  # of the head's rank
        ([3.0, 2.0, 1.0, 0.5], 0.5, 2),  # more than the head can represent
        ([2.0, 1.2], 0.2, 1),
    ],
)
def test_learned_rank_agrees_with_simulation(singular_values, noise, rank):
    target = LowRankTarget(6, 5, rank, singular_values, noise)
    level, k = noise + target.approximation, low_rank_dimension(6, 5, rank)
    n = 64 * k
    measured = simulate_low_rank(target, n, draws=400, seed=1, restarts=1)
    excess, predicted = measured.mean - level, low_rank_risk(target, n) - level
    # First order in 1/n: 4 standard errors of an excess known to 6 %.
    assert measured.standard_error < 0.06 * predicted
    assert abs(excess - predicted) < 4 * measured.standard_error
    counted = level * k / (n - k - 1)
    if target.approximation:
        # Counting parameters alone is not enough.
        assert excess - counted > 6 * measured.standard_error
    else:
        assert predicted == pytest.approx(counted)
        assert measured.training.mean() == pytest.approx(noise * (1 - k / n), rel=0.02)


def test_the_first_order_is_approached_as_n_grows():
    target = LowRankTarget(6, 6, 1, [2.5], noise=1.0)
    ratios, spreads = [], []
    for n in (44, 176, 704):  # 4, 16 and 64 samples per parameter
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ValidityWarning)
            predicted = low_rank_risk(target, n) - 1.0
        measured = simulate_low_rank(target, n, draws=150, seed=n, restarts=2)
        ratios.append((measured.mean - 1.0) / predicted)
        spreads.append(measured.standard_error / predicted)
    assert ratios[0] > 1.1  # the first order alone is too low
    assert ratios[1] < 1.25
    assert abs(ratios[2] - 1) < 4 * spreads[2]
    assert spreads[2] < 0.06


def test_full_rank_is_least_squares_on_all_products():
    target = LowRankTarget(5, 4, 4, [1.0, 0.5], noise=0.7)
    n = [300, 3000]
    expected = 0.7 + np.array(least_squares_risk(20, n, 0.7))
    np.testing.assert_allclose(low_rank_risk(target, n), expected)
    # And the fit is that of ordinary least squares.
    rng = np.random.default_rng(0)
    v, t, y = rng.standard_normal((90, 5)), rng.standard_normal((90, 4)), rng.standard_normal(90)
    fitted = fit_low_rank(v, t, y, 4, rng)
    np.testing.assert_allclose(fitted, fit_bilinear_ridge(v, t, y, 0.0), atol=1e-8)


def test_a_fit_has_the_rank_and_no_lower_error_nearby():
    rng = np.random.default_rng(3)
    v, t = rng.standard_normal((200, 5)), rng.standard_normal((200, 4))
    y = ((v @ rng.standard_normal((5, 4))) * t).sum(axis=1) + rng.standard_normal(200)

    def error(w):
        return np.mean((y - ((v @ w) * t).sum(axis=1)) ** 2)

    w = fit_low_rank(v, t, y, 2, rng)
    values = np.linalg.svd(w, compute_uv=False)
    assert values[1] > 1e-3
    assert values[2] < 1e-9
    left, right = np.linalg.svd(w)[0][:, :2] * values[:2], np.linalg.svd(w)[2][:2]
    for _ in range(50):
        step = 1e-3 * rng.standard_normal((5, 2)), 1e-3 * rng.standard_normal((2, 4))
        assert error((left + step[0]) @ (right + step[1])) > error(w)


def test_excess_does_not_depend_on_the_order_of_modalities():
    n, values = [2000], [2.0, 1.0, 0.3]
    one = low_rank_risk(LowRankTarget(7, 4, 2, values, 0.5), n)
    np.testing.assert_allclose(low_rank_risk(LowRankTarget(4, 7, 2, values, 0.5), n), one)


def test_few_samples_warn():
    target = LowRankTarget(10, 10, 2, [30.0, 20.0], 1.0)
    with pytest.warns(ValidityWarning, match="at n = 37, below 8 times the 36 parameters"):
        risk = low_rank_risk(target, [37, 287, 288])
    np.testing.assert_array_equal(np.isinf(risk), [True, False, False])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert type(low_rank_risk(target, 288)) is float
        # Without noise, and rank to spare, the target is learned exactly.
        exact = LowRankTarget(10, 10, 2, [30.0, 20.0], 0.0)
        assert low_rank_risk(exact, 288) == 0.0


@pytest.mark.parametrize("values", [[3.0, 0.1], [3.0], [2.0, 2.0, 1.9]])
def test_directions_hidden_in_the_noise_warn(values):
    with pytest.warns(ValidityWarning, match=r"gap sigma_r - sigma_\(r\+1\) = 0"):
        low_rank_risk(LowRankTarget(10, 10, 2, values, 1.0), 400)


def test_a_tie_at_the_rank_is_infinite():
    with pytest.warns(ValidityWarning, match="gap"):
        assert low_rank_risk(LowRankTarget(5, 5, 1, [1.0, 1.0], 0.1), 1000) == np.inf


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rank": 4}, r"rank must be at most min\(d_v, d_t\) = 3, got 4"),
        ({"rank": 0}, "rank must be at least 1, got 0"),
        ({"d_v": 0}, "d_v must be at least 1"),
        ({"d_t": 2.5}, "d_t must be an integer"),
        ({"singular_values": [1.0] * 4}, r"singular_values must be at most .* 3 values, got 4"),
        ({"singular_values": [-1.0]}, "singular_values must be at least 0"),
        ({"singular_values": [np.nan]}, "singular_values must be finite"),
        ({"noise": -1.0}, "noise must be a finite number of at least 0"),
    ],
)
def test_bad_target(change, message):
    good = {"d_v": 4, "d_t": 3, "rank": 2, "singular_values": [1.0, 0.5], "noise": 0.1}
    with pytest.raises(InputError, match=message):
        LowRankTarget(**{**good, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"second_moment_v": np.ones((3, 2))}, "second_moment_v must be square"),
        ({"second_moment_t": -np.eye(2)}, "second_moment_t must be positive semidefinite"),
        ({"coefficients": np.ones((2, 3))}, r"coefficients must have shape \(3, 2\) .* \(2, 3\)"),
        ({"projection_v": np.ones((1, 2))}, "projection_v must have 3 columns"),
        ({"projection_t": np.zeros((1, 2))}, "projection_t must leave some variance of t"),
        ({"projection_t": [[np.nan, 1.0]]}, "projection_t must be finite"),
    ],
)
def test_bad_projection(change, message):
    good = {
        "second_moment_v": np.eye(3),
        "second_moment_t": np.eye(2),
        "coefficients": np.ones((3, 2)),
        "projection_v": np.ones((1, 3)),
        "projection_t": np.ones((1, 2)),
    }
    with pytest.raises(InputError, match=message):
        ProjectedBilinear.from_moments(**{**good, **change})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5, 0), "n must be at least 1"),
        ((5, 1, 0), "draws must be at least 2"),
        ((5, 5, -1), "seed must be at least 0"),
        ((5, 5, 0, 0), "restarts must be at least 1"),
    ],
)
def test_bad_simulation(arguments, message):
    target = LowRankTarget(3, 3, 1, [1.0], 0.1)
    with pytest.raises(InputError, match=message):
        simulate_low_rank(target, *arguments)
    with pytest.raises(InputError, match="n must be at least 1"):
        low_rank_risk(target, 0)
