"""The heads: their kernels' structure, their models, and how they are found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusiontheory.checks import InputError
from fusiontheory.curves import find_model
from fusiontheory.heads import HEADS, find_head, relu_tangent_coefficients
from fusiontheory.matching import Terms
from fusiontheory.moments import Moments
from fusiontheory.risk import effective_ridge

SEEDS = st.integers(0, 2**32 - 1)


def draw(seed, n=30, d_v=4, d_t=4):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d_v)), rng.standard_normal((n, d_t))


def rotation(seed, d=4):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]


@pytest.fixture(scope="module")
def moments():
    image, text = draw(0, n=500)
    return Moments.from_features(image, 0.7 * image + text)


def test_the_names_are_the_keys():
    assert list(HEADS) == ["concat-linear", "concat-mlp", "bilinear", "dot-product"]
    for name, head in HEADS.items():
        assert head.name == name
        assert find_head(name) is head
        assert head.summary


@pytest.mark.parametrize("name", [name for name, head in HEADS.items() if head.features])
def test_gram_is_that_of_the_explicit_features(name):
    head = HEADS[name]
    first, second = draw(0), draw(1, n=7)
    gram = head.gram(*first, *second)
    np.testing.assert_allclose(gram, head.features(*first) @ head.features(*second).T, atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, name=st.sampled_from(list(HEADS)))
def test_gram_is_symmetric_and_positive_semidefinite(seed, name):
    pairs = draw(seed)
    gram = HEADS[name].gram(*pairs, *pairs)
    np.testing.assert_allclose(gram, gram.T, rtol=1e-9, atol=1e-12)
    assert np.linalg.eigvalsh(gram).min() > -1e-6 * gram.trace()


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS)
def test_separate_rotations_change_the_dot_product_alone(seed):
    image, text = draw(seed)
    turned = image @ rotation(seed), text @ rotation(seed + 1)
    for name, head in HEADS.items():
        gram, other = head.gram(image, text, image, text), head.gram(*turned, *turned)
        if name == "dot-product":
            assert not np.allclose(gram, other, rtol=1e-3)
        else:
            np.testing.assert_allclose(gram, other, atol=1e-6)


def test_bilinear_kernel_is_that_of_the_outer_product():
    first, second = draw(0, d_t=3), draw(1, n=5, d_t=3)
    outer = [np.einsum("ni,nj->nij", v, t).reshape(len(v), -1) for v, t in (first, second)]
    gram = find_head("bilinear").gram(*first, *second)
    np.testing.assert_allclose(gram, outer[0] @ outer[1].T, atol=1e-12)


def test_tangent_kernel_grows_with_the_length_of_its_inputs():
    (v, t), (v2, t2) = draw(0, d_t=3), draw(1, d_t=3)
    gram = find_head("concat-mlp").gram
    np.testing.assert_allclose(gram(3 * v, 3 * t, v2, t2), 3 * gram(v, t, v2, t2), rtol=1e-9)
    lengths = ((v**2).sum(1) + (t**2).sum(1)) / 2
    np.testing.assert_allclose(np.diag(gram(v, t, v, t)), lengths, rtol=1e-6)


def test_tangent_kernel_of_a_zero_input_is_zero():
    v, t = draw(0)
    v[3], t[3] = 0, 0
    gram = find_head("concat-mlp").gram(v, t, v, t)
    np.testing.assert_array_equal(gram[3], 0)
    np.testing.assert_array_equal(gram[:, 3], 0)
    assert np.isfinite(gram).all()
    assert (np.diag(np.delete(np.delete(gram, 3, 0), 3, 1)) > 0).all()


@pytest.mark.parametrize("name", HEADS)
def test_kernels_in_single_precision(name):
    pairs = draw(0)
    single = HEADS[name].gram(*(array.astype(np.float32) for array in (*pairs, *pairs)))
    assert single.dtype == np.float32
    expected = HEADS[name].gram(*pairs, *pairs)
    np.testing.assert_allclose(single, expected, atol=2e-3 * np.abs(expected).max())


def test_concatenation_without_a_hidden_layer_has_no_signal(moments):
    model = find_model("concat-linear")(moments, Terms())
    q, slope = model.signal(np.geomspace(1e-9, 1e9, 7))
    np.testing.assert_array_equal(q, 0)
    np.testing.assert_array_equal(slope, 0)


@pytest.mark.parametrize("name", ["bilinear", "concat-mlp", "dot-product"])
def test_signal_falls_with_kappa_no_faster_than_its_inverse(moments, name):
    signal = find_model(name)(moments, Terms()).signal
    kappa = np.geomspace(1e-5, 1e3, 200)
    q, slope = signal(kappa)
    assert (q > 0).all()
    assert (slope <= 0).all()
    assert (q + slope >= -1e-12 * q).all()
    assert (np.diff(q) <= 1e-9 * q[:-1]).all()
    assert (np.diff(kappa * q) >= -1e-9 * (kappa * q)[:-1]).all()


def test_tangent_model_keeps_the_power_of_the_kernel(moments):
    model = find_model("concat-mlp")(moments, Terms())
    r = (moments.image_eigenvalues.sum() + moments.text_eigenvalues.sum()) / 2
    total = model.spectrum.sum(lambda lam, _: lam, 0.0) + model.ridge
    constant = relu_tangent_coefficients(1)[0]
    # Gaussian self blocks have more power than those of unit norm, which the ridge is made for.
    assert (1 - constant) * r <= total < 1.1 * r
    # Of one scale: n for which kappa is far above everything but the trace.
    kappa = effective_ridge(model.spectrum, 10, model.ridge)
    assert kappa > model.ridge / 10


def test_terms_of_the_tangent_model(moments):
    kappa = np.array([0.01, 0.1])
    model = find_model("concat-mlp")
    full, _ = model(moments, Terms()).signal(kappa)
    second, _ = model(moments, Terms(mixed_orders=False)).signal(kappa)
    plain, _ = model(moments, Terms(lanczos_steps=0, mixed_orders=False)).signal(kappa)
    alone = Terms(self_blocks=False, mixed_orders=False)
    cross, _ = model(moments, alone).signal(kappa)
    assert (full >= second).all()
    assert (second > cross).all()
    assert (second != plain).all()


def test_tangent_model_has_the_orders_of_the_kernel():
    image, noise = draw(0, n=500)
    moments = Moments.from_features(image, image + 0.5 * (image**2 - 1) + noise)
    asked = find_model("concat-mlp")(moments, Terms()).signal.orders
    # r a_k (u / r)^k, u = (v.v' + t.t') / 2, by the binomial theorem.
    r = (moments.image_eigenvalues.sum() + moments.text_eigenvalues.sum()) / 2
    coefficients = relu_tangent_coefficients(4)
    gram_v, gram_t = 0.7, -0.4
    direct = sum(r * coefficients[k] * ((gram_v + gram_t) / (2 * r)) ** k for k in range(5))
    found = sum(weight * gram_v**a * gram_t**b for (a, b), weight in asked.items())
    assert found == pytest.approx(direct, rel=1e-12)


def test_dot_product_needs_one_dimension():
    image, text = draw(0, d_t=3)
    head = find_head("dot-product")
    with pytest.raises(InputError, match=r"dot-product needs .* one dimension, got 4 and 3"):
        head.gram(image, text, image, text)
    moments = Moments.from_features(*draw(0, n=60, d_t=3))
    with pytest.raises(InputError, match=r"dot-product needs .* one dimension, got 4 and 3"):
        find_model("dot-product")(moments, Terms())


def test_an_unknown_head_is_answered_with_the_known():
    with pytest.raises(
        InputError, match=r"head must be one of concat-linear, .*bilnear.*bilinear\?"
    ):
        find_head("bilnear")
    with pytest.raises(InputError, match=r"got 'xyz'$"):
        find_head("xyz")
    with pytest.raises(InputError, match="head must be one of"):
        find_head(None)


@pytest.mark.parametrize("steps", [-1, 3, 1.5, None, "2"])
def test_bad_terms(steps):
    with pytest.raises(InputError, match="lanczos_steps must be 0, 1 or 2"):
        Terms(lanczos_steps=steps)
