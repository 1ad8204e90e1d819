"""The product risk where one modality has a single direction, at interpolation."""

import numpy as np
import pytest

from fusiontheory import product_ridge_risk


def simulated(d_t: int, n: int, ridge: float, draws: int) -> tuple[float, float]:
    """Return mean and standard error of the risk of ridge regression on z w, noise 0.1."""
    rng = np.random.default_rng(0)
    target = np.full(d_t, d_t**-0.5)
    risks = []
    for _ in range(draws):
        x = rng.standard_normal((n, 1)) * rng.standard_normal((n, d_t))
        y = x @ target + 0.1**0.5 * rng.standard_normal(n)
        weights = np.linalg.solve(x.T @ x + ridge * np.eye(d_t), x.T @ y)
        risks.append(np.sum((weights - target) ** 2) + 0.1)
    return float(np.mean(risks)), float(np.std(risks) / np.sqrt(draws))


@pytest.mark.parametrize(("n", "ridge"), [(40, 0.1), (40, 1.0), (60, 0.1), (20, 0.1)])
def test_as_simulated(n, ridge):
    power = np.full((1, 40), 1 / 40)
    found = product_ridge_risk(np.ones(1), np.ones(40), power, n, ridge, noise=0.1)
    measured, error = simulated(40, n, ridge, draws=300)
    # What is left out is of relative size 1 / 40.
    assert abs(found - measured) < 4 * error + 0.06 * measured


@pytest.mark.parametrize("ridge", [1e-5, 1e-3, 0.1])
def test_solved_at_interpolation_for_every_number_of_directions(ridge):
    for d_t in (1, 2, 5, 14, 22, 40):
        power = np.ones((1, d_t)) / d_t
        curve = product_ridge_risk(np.ones(1), np.ones(d_t), power, [d_t, d_t + 1], ridge, 0.1)
        assert np.isfinite(curve).all()
        assert curve.min() > 0.1
