"""Fast heads of simulations against plain ridge regression."""

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge

from fusiontheory.checks import InputError
from fusiontheory.heads import find_head
from fusiontheory.simulate import (
    fit_head,
    head_features,
)
from fusiontheory.solvers import fit_bilinear_ridge, fit_linear_ridge, fit_low_rank


def data(n=60, d_v=4, d_t=3, labels=3, seed=0):
    rng = np.random.default_rng(seed)
    v, t = rng.standard_normal((n, d_v)) + 0.3, rng.standard_normal((n, d_t))
    t[:, 0] += v[:, 0]
    y = rng.standard_normal((n, labels)) + (v[:, :1] * t[:, :1]) + 0.5
    return v, t, y


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("many", [False, True], ids=["few ridges", "many ridges"])
@pytest.mark.parametrize("head", ["additive", "bilinear", "sum", "dot-product"])
def test_fits_agree_with_plain_ridge_on_explicit_features(head, many, intercept):
    v, t, y = data(d_t=4 if head == "dot-product" else 3)
    ridges = [0.01, 1.0, *(np.geomspace(1e-3, 10, 20) if many else [])]
    sizes = [5, 12, 13, 60]  # on both sides of the 12 products
    x, points = head_features(head, v, t), data(9, d_t=t.shape[1], seed=1)[:2]
    seen = set()
    for fit in fit_head(head, v, t, y, sizes, ridges, intercept):
        plain = Ridge(alpha=fit.ridge, fit_intercept=intercept).fit(x[: fit.n], y[: fit.n])
        expected = plain.predict(head_features(head, *points)).reshape(9, -1)
        np.testing.assert_allclose(fit.predictor(*points), expected, rtol=1e-6, atol=1e-8)
        missed = y[: fit.n] - plain.predict(x[: fit.n]).reshape(fit.n, -1)
        np.testing.assert_allclose(fit.training, np.mean(missed**2, axis=0), rtol=1e-6, atol=1e-9)
        seen.add((fit.n, fit.ridge))
    assert len(seen) == len(sizes) * len(ridges)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("head", ["additive", "bilinear"])
def test_without_ridge_fits_have_least_norm(head, intercept):
    v, t, y = data()
    for fit in fit_head(head, v, t, y, [5, 30], [0.0, 0.5], intercept):
        for k, column in enumerate(y.T):
            arguments = column[: fit.n], fit.ridge, intercept
            if head == "bilinear":
                w = fit_bilinear_ridge(v[: fit.n], t[: fit.n], *arguments)
                found = fit.predictor.product[k]
            else:
                w = fit_linear_ridge(np.hstack([v, t])[: fit.n], *arguments)
                found = np.concatenate([fit.predictor.image[k], fit.predictor.text[k]])
            np.testing.assert_allclose(found, w, rtol=1e-6, atol=1e-8)


def test_tangent_kernel_agrees_with_plain_kernel_ridge():
    v, t, y = data()
    test, kernel = data(9, seed=1)[:2], find_head("concat-mlp").gram
    for fit in fit_head("concat-mlp", v, t, y, [20, 60], [0.1], False, test=test):
        plain = KernelRidge(alpha=fit.ridge, kernel="precomputed")
        plain.fit(kernel(v[: fit.n], t[: fit.n], v[: fit.n], t[: fit.n]), y[: fit.n])
        expected = plain.predict(kernel(*test, v[: fit.n], t[: fit.n]))
        np.testing.assert_allclose(fit.outputs, expected, rtol=1e-6, atol=1e-8)


def test_low_rank_head_is_that_of_the_library():
    v, t, y = data()
    [fit] = fit_head("low-rank", v, t, y[:, :1], [60], [0.1], rank=1)
    expected = fit_low_rank(v, t, y[:, 0], 1, np.random.default_rng([60, 0]))
    np.testing.assert_allclose(fit.predictor.product[0], expected)
    assert np.linalg.matrix_rank(fit.predictor.product[0]) == 1
    with pytest.raises(InputError, match="rank must be given"):
        next(fit_head("low-rank", v, t, y, [60], [0.1]))
