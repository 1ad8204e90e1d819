"""The equations of correlated products have a solution, near interpolation and from few draws."""

import numpy as np
import pytest

from fusiontheory import CorrelatedProducts, InputError, ValidityWarning


def test_every_random_case_is_solved():
    rng = np.random.default_rng(1)
    for case in range(120):
        d_v, d_t = rng.integers(1, 6, 2)
        rho = rng.uniform(0, 0.95, min(d_v, d_t))
        values = rng.uniform(0.05, 1, d_v), rng.uniform(0.05, 1, d_t)
        model = CorrelatedProducts(*values, rho, intercept=case % 3 == 0, samples=4096)
        n = max(d_v * d_t, 2) if case % 2 else int(rng.integers(2, 3 * d_v * d_t + 3))
        target = rng.standard_normal((d_v, d_t))
        risk = model.risk(target, [n], 10.0 ** rng.uniform(-4, 1), 0.1)
        assert np.isfinite(risk).all()
        assert risk.min() > 0.1


def test_few_draws_say_what_many_do():
    flat = np.ones(2), np.ones(3), np.array([0.5, 0.2])
    few, many = (
        CorrelatedProducts(*flat, samples=samples).risk(np.ones((2, 3)), [6], 1e-3, 0.1)[0]
        for samples in (2**12, 2**16)
    )
    assert few == pytest.approx(many, rel=0.05)


def test_one_sample_and_an_intercept_are_refused():
    model = CorrelatedProducts(np.ones(2), np.ones(2), 0.5, intercept=True, samples=64)
    with pytest.raises(InputError, match="n must be above 1 with an intercept"):
        model.risk(np.ones((2, 2)), [1], 0.1, 0.1)


@pytest.mark.parametrize("intercept", [False, True])
def test_as_simulated(intercept):
    rng = np.random.default_rng(0)
    rho, n, ridge = np.array([0.9, 0.5, 0.2, 0.0]), 24, 0.2
    target = rng.standard_normal((4, 6)) / 5

    def draw(m):
        v, t = rng.standard_normal((m, 4)), rng.standard_normal((m, 6))
        t[:, :4] = rho * v + np.sqrt(1 - rho**2) * t[:, :4]
        x = (v[:, :, None] * t[:, None, :]).reshape(m, -1)
        return x, x @ target.ravel()

    test, truth = draw(4000)
    risks = []
    for _ in range(300):
        x, y = draw(n)
        y = y + 0.1**0.5 * rng.standard_normal(n)
        centre = (x.mean(axis=0), y.mean()) if intercept else (0.0, 0.0)
        a = x - centre[0]
        weights = np.linalg.solve(a.T @ a + ridge * np.eye(24), a.T @ (y - centre[1]))
        risks.append(np.mean(((test - centre[0]) @ weights + centre[1] - truth) ** 2) + 0.1)
    model = CorrelatedProducts(np.ones(4), np.ones(6), rho, intercept=intercept, samples=2**12)
    found = model.risk(target, [n], ridge, 0.1)[0]
    error = np.std(risks) / np.sqrt(len(risks))
    # Terms of relative size 1/n are left out.
    assert abs(found - np.mean(risks)) < 3 * error + np.mean(risks) / n


def test_the_peak_is_infinite_without_ridge_and_the_caller_is_warned():
    model = CorrelatedProducts(np.ones(2), np.ones(2), np.zeros(2), samples=4096)
    with pytest.warns(ValidityWarning, match="infinite at n = 4") as caught:
        risk = model.risk(np.ones((2, 2)), [3, 4, 5], 0.0, 0.1)
    assert caught[0].filename == __file__
    assert np.isinf(risk).tolist() == [False, True, False]


@pytest.mark.parametrize("wrong", [4, 6, 8])
def test_additive_parts_have_a_value_for_each_feature(wrong):
    model = CorrelatedProducts(np.ones(2), np.ones(3), np.zeros(2), samples=64)
    with pytest.raises(InputError, match=f"must have 5 values, got {wrong}"):
        model.risk(np.ones((2, 3)), [9], 0.1, 0.1, np.ones(wrong))
    with pytest.raises(InputError, match=f"must have 5 values, got {wrong}"):
        model.mean_risk(np.ones((2, 3)), [9], 0.1, 0.1, np.ones(wrong))
