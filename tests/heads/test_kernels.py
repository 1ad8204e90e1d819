"""Kernels of the heads: closed forms, Taylor series, positivity, and a finite wide network."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusiontheory.checks import InputError
from fusiontheory.heads import (
    linear_kernel,
    product_kernel,
    relu_tangent_coefficients,
    relu_tangent_kernel,
)

LAYERS = [1, 2, 3]


def unit_rows(seed, n, d):
    rows = np.random.default_rng(seed).standard_normal((n, d))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_linear_and_product_kernels():
    a, b = np.array([[1.0, -2.0]]), np.array([[3.0, 0.5]])
    np.testing.assert_array_equal(linear_kernel(a, b), [[2.0, -0.75]])
    np.testing.assert_array_equal(product_kernel(a, b), [[3.0, -1.0]])


def test_one_hidden_layer_in_closed_form():
    u = np.linspace(-1, 1, 101)
    angle = np.pi - np.arccos(u)
    expected = (2 * u * angle + np.sqrt(1 - u**2)) / (2 * np.pi)
    np.testing.assert_allclose(relu_tangent_kernel(u, 1), expected, atol=1e-14)


def test_two_hidden_layers_at_known_points():
    # At u = 0: S_1 = T_1 = 1 / pi; at u = -1: S_1 = T_1 = 0, then T_2 = k1(0) = 1 / pi.
    s = 1 / np.pi
    angle = np.pi - np.arccos(s)
    at_zero = (2 * s * angle + np.sqrt(1 - s**2)) / (3 * np.pi)
    np.testing.assert_allclose(
        relu_tangent_kernel(np.array([-1.0, 0.0, 1.0])), [s / 3, at_zero, 1.0], rtol=1e-12
    )


@pytest.mark.parametrize("layers", LAYERS)
def test_tangent_kernel_is_1_at_1_and_increases_from_0(layers):
    u = np.linspace(0, 1, 1001)
    kernel = relu_tangent_kernel(u, layers)
    assert kernel[-1] == pytest.approx(1, abs=1e-12)
    assert (np.diff(kernel) > 0).all()


def test_rounding_beyond_1_is_clipped_and_the_argument_kept():
    u = np.array([1 + 1e-12, -1 - 1e-12])
    kept = u.copy()
    np.testing.assert_allclose(relu_tangent_kernel(u), relu_tangent_kernel(np.array([1.0, -1.0])))
    np.testing.assert_array_equal(u, kept)


@pytest.mark.parametrize("layers", LAYERS)
def test_taylor_coefficients_against_finite_differences(layers):
    a = relu_tangent_coefficients(4, layers)
    h = 0.02
    stencil = relu_tangent_kernel(h * np.arange(-4, 5), layers)
    # The polynomial through nine points, whose higher coefficients take up what is left.
    fitted = np.polynomial.polynomial.polyfit(h * np.arange(-4, 5), stencil, 8)
    np.testing.assert_allclose(fitted[:5], a, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("layers", LAYERS)
def test_taylor_series_converges_to_the_kernel_from_below(layers):
    a = np.array(relu_tangent_coefficients(16, layers))
    assert (a >= 0).all()
    assert a.sum() < 1
    u = np.linspace(-0.5, 0.5, 21)
    series = np.polynomial.polynomial.polyval(u, a)
    np.testing.assert_allclose(series, relu_tangent_kernel(u, layers), atol=1e-6)
    assert relu_tangent_coefficients(4, layers) == pytest.approx(a[:5], rel=1e-12)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(2, 10), layers=st.sampled_from(LAYERS))
def test_tangent_kernel_is_positive_semidefinite(seed, d, layers):
    rows = unit_rows(seed, 40, d)
    gram = relu_tangent_kernel(rows @ rows.T, layers)
    assert np.linalg.eigvalsh(gram).min() > -1e-6


def test_single_precision_stays_single_and_close():
    u = np.linspace(-1, 1, 2001)
    single = relu_tangent_kernel(u.astype(np.float32))
    assert single.dtype == np.float32
    inside = np.abs(u) < 0.999
    expected = relu_tangent_kernel(u.astype(np.float32).astype(np.float64))
    np.testing.assert_allclose(single[inside], expected[inside], atol=2e-6)
    # The slope is infinite at 1: half of the digits are lost there.
    np.testing.assert_allclose(single, expected, atol=1e-3)


def finite_network_kernel(rng, rows, width):
    """Sum over the weights of a random three-layer network of the products of its gradients."""
    scale = np.sqrt(2 / width)
    first = rng.standard_normal((rows.shape[1], width), dtype=np.float32)
    second = rng.standard_normal((width, width), dtype=np.float32)
    last = rng.standard_normal(width, dtype=np.float32)
    before_1 = rows @ first
    hidden_1 = scale * np.maximum(before_1, 0)
    before_2 = hidden_1 @ second
    hidden_2 = scale * np.maximum(before_2, 0)
    back_2 = scale * last * (before_2 > 0)
    back_1 = scale * (back_2 @ second.T) * (before_1 > 0)
    return (
        hidden_2 @ hidden_2.T
        + (back_2 @ back_2.T) * (hidden_1 @ hidden_1.T)
        + (back_1 @ back_1.T) * (rows @ rows.T)
    )


def test_tangent_kernel_is_that_of_a_wide_network():
    rng = np.random.default_rng(0)
    cosines = np.array([1.0, 0.9, 0.5, 0.0, -0.4, -0.95])
    rows = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1).astype(np.float32)
    draws = np.array([finite_network_kernel(rng, rows, 2000)[0] for _ in range(12)]) / 3
    error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    expected = relu_tangent_kernel(cosines)
    assert (np.abs(draws.mean(axis=0) - expected) < 4 * error).all()
    assert (error < 0.02).all()


@pytest.mark.parametrize("bad", [0, -1, 1.5, "two"])
def test_bad_layers_and_degree(bad):
    with pytest.raises(InputError, match="hidden_layers must be"):
        relu_tangent_kernel(np.zeros(2), bad)
    with pytest.raises(InputError, match="hidden_layers must be"):
        relu_tangent_coefficients(2, bad)
    with pytest.raises(InputError, match="degree must be"):
        relu_tangent_coefficients(bad)
