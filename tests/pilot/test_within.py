"""Leave-one-out, freedom and risk within reach of a pilot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusiontheory.checks import InputError
from fusiontheory.pilot import (
    PilotCurve,
    PilotSpectrum,
    WithinReach,
    group_blocks,
    leave_out_errors,
)


def small_problem(seed, n=24, d=6):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    y = x[:, :1] + 0.5 * rng.standard_normal((n, 1))
    return x @ x.T, y


def refitted_errors(kernel, y, ridge, groups):
    """Errors of ridge fits with a free intercept, each made anew without the group."""
    errors = np.empty_like(y)
    for group in np.unique(groups):
        keep = groups != group
        size = keep.sum()
        system = np.ones((size + 1, size + 1))
        system[:size, :size] = kernel[np.ix_(keep, keep)] + ridge * np.eye(size)
        system[size, size] = 0
        found = np.linalg.solve(system, np.vstack([y[keep], np.zeros((1, y.shape[1]))]))
        errors[~keep] = y[~keep] - kernel[np.ix_(~keep, keep)] @ found[:size] - found[size]
    return errors


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1, 2, 3]), st.floats(-2, 3))
def test_leave_out_is_a_refit(seed, size, log_ridge):
    kernel, y = small_problem(seed)
    groups = np.arange(len(y)) // size
    ridge = 10.0**log_ridge
    spectrum = PilotSpectrum.from_kernel(kernel)
    found = leave_out_errors(spectrum, y, np.array([ridge]), group_blocks(groups, len(y)))[0]
    np.testing.assert_allclose(found, refitted_errors(kernel, y, ridge, groups), rtol=1e-7)


def test_interpolating_kernel_is_not_perfect():
    """Clipping 1 - h would make a diagonal kernel look as if it had learned everything."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal((60, 1))
    spectrum = PilotSpectrum.from_kernel(np.eye(60))
    errors = leave_out_errors(spectrum, y, np.array([1e-8]))
    np.testing.assert_allclose(errors[0], (y - y.mean()) * 60 / 59, rtol=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 100), st.integers(0, 100))
def test_scale_of_the_kernel_and_order_of_the_items_do_not_matter(scale, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((60, 5))
    y = np.sign(x[:, 0] + rng.standard_normal(60)).astype(int)
    order = rng.permutation(60)
    first = PilotCurve.from_kernel(x @ x.T, y).risk([20, 60])
    second = PilotCurve.from_kernel(scale * (x @ x.T)[np.ix_(order, order)], y[order]).risk(
        [20, 60]
    )
    np.testing.assert_allclose(first, second, rtol=1e-6)


def test_risk_within_reach_is_the_measured_one():
    """Linear heads on Gaussian items: pilots' mean forecast against fits at another size."""
    rng = np.random.default_rng(1)
    scale = np.arange(1, 31) ** -0.5
    weights = rng.standard_normal(30) / np.sqrt(30)
    ridge = 3.0

    def items(n):
        x = rng.standard_normal((n, 30)) * scale
        return x, x @ weights / np.sqrt((weights**2 * scale**2).sum()) + rng.standard_normal(n)

    forecast = []
    for _ in range(30):
        x, y = items(200)
        curve = PilotCurve.from_kernel(x @ x.T, y, task="regression")
        forecast.append(curve.risk_at_ridge([60], ridge)[0] * y.var())
    measured = []
    test_x, test_y = items(4000)
    for _ in range(60):
        x, y = items(60)
        centred = x - x.mean(0)
        w = np.linalg.solve(centred.T @ centred + ridge * np.eye(30), centred.T @ (y - y.mean()))
        measured.append(((test_y - y.mean() - (test_x - x.mean(0)) @ w) ** 2).mean())
    error = np.hypot(np.std(forecast) / np.sqrt(30), np.std(measured) / np.sqrt(60))
    # Half a percent for the deterministic equivalent itself at 60 items; test items are shared.
    assert abs(np.mean(forecast) - np.mean(measured)) < 3 * error + 0.03 * np.mean(measured)


def test_risk_at_the_pilots_size_is_leave_one_out():
    kernel, y = small_problem(3, n=60)
    spectrum = PilotSpectrum.from_kernel(kernel)
    errors = leave_out_errors(spectrum, y, spectrum.ridges)
    within = WithinReach.from_errors(spectrum, errors, 1.0)
    np.testing.assert_allclose(within.risks(60)[0], within.leave_out, rtol=1e-9)
    np.testing.assert_allclose(within.risks(60)[1], within.kappa * (60 - within.df1))


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (np.ones((60, 60)), "constant"),
        (np.arange(3600.0).reshape(60, 60), "symmetric"),
        (np.ones((60, 50)), "square"),
        (-np.eye(60), "negative"),
        (np.full((60, 60), np.nan), "finite"),
    ],
)
def test_matrices_that_are_no_kernel_are_refused(kernel, message):
    with pytest.raises(InputError, match=message):
        PilotCurve.from_kernel(kernel, np.arange(60) % 2)


def test_groups_must_fit():
    with pytest.raises(InputError, match="one group for each"):
        group_blocks([1, 2], 60)
    with pytest.raises(InputError, match="at least 5"):
        group_blocks(np.arange(60) % 2, 60)
