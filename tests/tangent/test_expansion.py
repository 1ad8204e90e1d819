"""Kernels as sums of blocks: known coefficients, known curves, and against measurement."""

import numpy as np
import pytest
from worlds import theory_alone

from fusiontheory.checks import InputError
from fusiontheory.curves import predict_curve
from fusiontheory.heads import find_head, relu_tangent_coefficients
from fusiontheory.matching import Terms, matching_curve
from fusiontheory.moments import Moments
from fusiontheory.risk import Spectrum
from fusiontheory.tangent import (
    BLOCKS,
    CoordinateMoments,
    KernelExpansion,
    MatchedMetric,
    expand_kernel,
    expansion_model,
)

D = 12
SIZES = np.array([64.0, 256.0, 1024.0, 4096.0])
# The curve of an expansion has normal scores.
NORMAL = Terms(score_law=False)
SECOND_ORDER = Terms(mixed_orders=False, score_law=False)


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def draw(n, seed=0, d=D):
    """Matched unit-norm features of one coordinate system."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n, d))
    return [unit(shared + 0.8 * rng.standard_normal((n, d))) for _ in range(2)]


@pytest.fixture(scope="module")
def moments():
    return Moments.from_features(*draw(2000))


@pytest.fixture(scope="module")
def coordinates():
    return CoordinateMoments.from_features(*draw(2000))


@pytest.fixture
def pairs():
    image, text = draw(300, seed=1)
    return image, np.vstack([text[:150], np.roll(text[150:], 1, axis=0)])


def test_known_coefficients_come_back(pairs):
    wanted = dict(zip(BLOCKS, [0.5, 0.0, 1.5, 0.25, 2.0, 0.125, 3.0], strict=True))
    kernel = 1.5 + 0.25 * np.eye(300)
    kernel += sum(a * BLOCKS[name](*pairs) for name, a in wanted.items())
    # What an intercept absorbs changes nothing.
    effect = np.random.default_rng(0).standard_normal(300)
    effect -= effect.mean()
    kernel += effect[:, None] + effect[None, :]
    expansion = expand_kernel(kernel, *pairs)
    assert expansion.coefficients == pytest.approx(wanted, abs=1e-6)
    assert expansion.constant == pytest.approx(1.5)
    assert expansion.remainder == pytest.approx(0.25)
    assert expansion.r_squared == pytest.approx(1)
    assert expansion.residual < 1e-6


def test_coefficients_are_never_negative(pairs):
    kernel = -BLOCKS["cross"](*pairs) + 2 * BLOCKS["image"](*pairs)
    expansion = expand_kernel(kernel, *pairs)
    assert expansion["cross"] == 0
    assert expansion["image"] > 0
    assert expansion.r_squared < 1


def test_a_kernel_of_the_text_has_no_other_block(pairs):
    # Its own features are random functions of t; chance correlates them with the other blocks.
    text = pairs[1]
    found = []
    for seed in range(12):
        weights = np.random.default_rng(seed).standard_normal((D, 40))
        hidden = np.maximum(text @ weights, 0)
        expansion = expand_kernel(hidden @ hidden.T, *pairs)
        assert expansion["text"] > 0
        found.append([expansion[name] > 0 for name in ("image", "cross", "dot_product")])
    # Two standard errors: one in forty by chance.
    assert np.mean(found) < 0.15


def test_constant_kernel_and_identity(pairs):
    for kernel, remainder in ((np.full((300, 300), 2.0), 0.0), (np.eye(300), 1.0)):
        expansion = expand_kernel(kernel, *pairs)
        assert not any(expansion.coefficients.values())
        assert expansion.remainder == pytest.approx(remainder, abs=1e-12)


def test_many_pairs_are_thinned_reproducibly(monkeypatch):
    monkeypatch.setattr("fusiontheory.tangent.expansion._MOST_PAIRS", 200)
    image, text = draw(400, seed=3)
    kernel = (image @ image.T) * (text @ text.T)
    expansion = expand_kernel(kernel, image, text)
    assert expansion["cross"] == pytest.approx(1)
    assert len(expansion.product_eigenvalues) == 200 - 2 * D - 1
    again = expand_kernel(kernel, image, text)
    assert expansion.coefficients == again.coefficients
    assert expansion.errors == again.errors


def test_second_order_of_the_tangent_kernel():
    # At unit norm r = 1: K(u), u = (v.v' + t.t') / 2. In 48 dimensions u is small off the
    # diagonal, and higher orders hardly enter the coefficients; those of odd order are in a_1.
    rng = np.random.default_rng(0)
    image, text = (unit(rng.standard_normal((1000, 48))) for _ in range(2))
    kernel = find_head("concat-mlp").gram(image, text, image, text)
    expansion = expand_kernel(kernel, image, text)
    a0, a1, a2 = relu_tangent_coefficients(2)
    assert expansion.constant == pytest.approx(a0, rel=1e-3)
    assert expansion["image"] == pytest.approx(a1 / 2, rel=0.02)
    assert expansion["text"] == pytest.approx(a1 / 2, rel=0.02)
    assert expansion["image_square"] == pytest.approx(a2 / 4, rel=0.1)
    assert expansion["text_square"] == pytest.approx(a2 / 4, rel=0.1)
    assert expansion["cross"] == pytest.approx(a2 / 2, rel=0.05)
    assert expansion["dot_product"] < 1e-3
    assert expansion["hadamard"] < 0.01
    assert expansion.remainder == pytest.approx(1 - a0 - a1 - a2, rel=0.03)
    assert expansion.r_squared > 0.99


def taylor():
    a0, a1, a2 = relu_tangent_coefficients(2)
    weights = dict(zip(BLOCKS, [a1 / 2, a1 / 2, a2 / 4, a2 / 4, a2 / 2], strict=False))
    return KernelExpansion(weights, constant=a0, remainder=1 - a0 - a1 - a2)


def test_model_with_taylor_coefficients_is_that_of_the_head(moments):
    moments = theory_alone(moments)
    expected = predict_curve("concat-mlp", moments, SIZES, 0.1, terms=SECOND_ORDER)
    curve = matching_curve(expansion_model(taylor(), moments), SIZES, 0.1)
    np.testing.assert_allclose(curve.accuracy, expected["accuracy"], rtol=1e-6)
    np.testing.assert_allclose(curve.risk, expected["risk"], rtol=1e-6)
    np.testing.assert_allclose(curve.low, expected["accuracy_low"], rtol=1e-6)


def test_fitted_model_is_close_to_that_of_the_head(moments, pairs):
    kernel = find_head("concat-mlp").gram(*pairs, *pairs)
    expansion = expand_kernel(kernel, *pairs, blocks=tuple(BLOCKS)[:5])
    expected = predict_curve("concat-mlp", moments, SIZES, 0.1, terms=SECOND_ORDER)["accuracy"]
    curve = matching_curve(expansion_model(expansion, moments), SIZES, 0.1)
    # In 12 dimensions the fit has parts of the third and fourth order.
    np.testing.assert_allclose(curve.accuracy, expected, atol=0.02)
    assert curve.accuracy[-1] > 0.7


def test_cross_block_alone_is_the_bilinear_head(moments):
    expected = predict_curve("bilinear", moments, SIZES, 0.1, terms=NORMAL)
    model = expansion_model(KernelExpansion({"cross": 4.0}), moments)
    np.testing.assert_allclose(
        matching_curve(model, SIZES, 0.4).accuracy, expected["accuracy"], rtol=1e-9
    )


def test_dot_product_block_alone_is_the_dot_product_head(moments, coordinates):
    expected = predict_curve("dot-product", moments, SIZES, 0.1, terms=NORMAL)
    model = expansion_model(KernelExpansion({"dot_product": 1.0}), moments, coordinates=coordinates)
    curve = matching_curve(model, SIZES, 0.1)
    # Two estimates of one covariance; here the noise of the mean is taken out of its square.
    np.testing.assert_allclose(curve.accuracy, expected["accuracy"], atol=2e-3)


def test_hadamard_block_alone_is_ridge_on_its_features(moments, coordinates):
    model = expansion_model(KernelExpansion({"hadamard": 1.0}), moments, coordinates=coordinates)
    n, errors = 200, []
    for seed in range(10):
        image, text = draw(3 * n, seed=10 + seed)
        label = np.tile([1.0, -1.0], 3 * n // 2)
        text[1::2] = np.roll(text[1::2], 1, axis=0)
        features = np.hstack([image * text, np.ones((3 * n, 1))])
        normal = features[:n].T @ features[:n] + 0.01 * np.diag([1.0] * D + [0.0])
        weights = np.linalg.solve(normal, features[:n].T @ label[:n])
        errors.append(np.mean(np.sign(features[n:] @ weights) == label[n:]))
    spread = np.std(errors, ddof=1) / np.sqrt(len(errors))
    predicted = matching_curve(model, np.array([float(n)]), 0.01).accuracy[0]
    assert abs(predicted - np.mean(errors)) < max(4 * spread, 0.015)
    assert np.mean(errors) > 0.7


@pytest.mark.parametrize("block", ["dot_product", "hadamard"])
def test_coordinate_blocks_tend_to_their_limits(moments, coordinates, block):
    kappa = np.geomspace(1e-3, 1.0, 7)

    def signal(**weights):
        expansion = KernelExpansion(weights)
        return expansion_model(expansion, moments, coordinates=coordinates).signal(kappa)[0]

    alone, bound = signal(cross=1.0), signal(**{block: 1.0})
    # Nearly all of the signal lies along v * t here. The two estimates of it, by Lanczos from the
    # covariance of v (x) t and directly, differ by 0.7 %, and the larger one is taken. Only the
    # first of them is corrected for few images.
    np.testing.assert_allclose(signal(cross=1.0, **{block: 1e-9}), alone, rtol=0.01)
    np.testing.assert_allclose(signal(cross=1e-9, **{block: 1.0}), bound, rtol=2e-3)
    both = signal(cross=1.0, **{block: 1.0})
    assert (both >= alone).all()
    assert (both >= 0.98 * bound).all()
    assert (both > 1.05 * alone).any()


def test_combined_signal_is_that_of_the_full_covariance(moments, coordinates):
    # With mismatched pairs' covariance throughout, S is known and q can be solved in full.
    cross, dot, hadamard = 1.0, 0.5, 2.0
    axes = np.kron(coordinates.axes_image, coordinates.axes_text)
    s = (axes * coordinates.product.ravel()) @ axes.T
    c = axes @ coordinates.cross.ravel()
    e = np.zeros((D * D, D))
    e[np.arange(D) * (D + 1), np.arange(D)] = 1
    prior = cross * np.eye(D * D) + e @ (hadamard * np.eye(D) + dot) @ e.T
    exact = CoordinateMoments(
        e.T @ c,
        e.T @ s @ e,
        np.zeros((D, D)),
        *(getattr(coordinates, name) for name in ("axes_image", "axes_text", "product", "cross")),
    )

    def bilinear(kappa):
        values = [c @ np.linalg.solve(s + level * np.eye(D * D), c) for level in kappa]
        return np.array(values), np.zeros(len(values))

    kappa = np.array([0.003, 0.03, 0.3])
    expected = bilinear_with(prior, s, c, kappa)
    found, slope = exact.signal(kappa, bilinear, cross, dot, hadamard)
    # A lower bound, and a close one; far above the cross block alone.
    assert (found <= expected * (1 + 1e-9)).all()
    assert (found >= 0.97 * expected).all()
    assert (found > 1.1 * bilinear(kappa)[0]).any()
    step = 1e-3
    higher = exact.signal(kappa * np.exp(step), bilinear, cross, dot, hadamard)[0]
    np.testing.assert_allclose(slope, (higher - found) / step, rtol=0.02)


def bilinear_with(prior, s, c, kappa):
    inverse = np.linalg.inv(prior)
    return np.array([c @ np.linalg.solve(s + level * inverse, c) for level in kappa])


def test_without_coordinates_their_blocks_are_ridge(moments, coordinates):
    expansion = KernelExpansion({"cross": 1.0, "dot_product": 0.5, "hadamard": 0.5})
    without = expansion_model(expansion, moments)
    assert without.ridge > 0
    assert without.spectrum.size == D * D
    assert expansion_model(expansion, moments, coordinates=coordinates).ridge == 0


def test_additive_kernels_are_at_chance(moments):
    model = expansion_model(KernelExpansion({"image": 1.0, "text": 2.0}), moments)
    np.testing.assert_array_equal(matching_curve(model, SIZES, 0.1).accuracy, 0.5)


def random_metric(size, features, seed):
    """Return B^{1/2} of B = F^T D F with heavy-tailed weights D, as sqrt(D) F."""
    rng = np.random.default_rng(seed)
    weights = rng.pareto(1.5, features)
    rows = rng.standard_normal((features, size)) * np.sqrt(weights / weights.sum())[:, None]
    return rows


@pytest.mark.parametrize("features", [60, 600])
def test_random_metric_acts_through_one_number(features):
    # phi with a power-law spectrum, few or many random features of very different weights.
    size, m = 400, 500
    rng = np.random.default_rng(0)
    eigenvalues = np.arange(1, size + 1) ** -0.7
    # Directions of one power and random signs: one alone is up to 15 % off their mean.
    power = rng.exponential(size=size) * eigenvalues**2
    directions = np.sqrt(power) * rng.choice([-1.0, 1.0], (50, size))
    rows = random_metric(size, features, 1)
    phi = rng.standard_normal((m, size)) * np.sqrt(eigenvalues)
    sample = np.linalg.eigvalsh(phi @ rows.T @ rows @ phi.T)
    metric = MatchedMetric.from_sample(sample, Spectrum.from_eigenvalues(eigenvalues), 0.0)
    kappa = np.geomspace(0.003, 0.3, 5)
    values, axes = np.linalg.eigh((rows * eigenvalues) @ rows.T)
    seen = ((axes.T @ (rows @ directions.T)) ** 2).mean(axis=1)
    exact = (seen / (values + kappa[:, None])).sum(axis=1)
    degrees = (values / (values + kappa[:, None])).sum(axis=1)
    xi = metric.effective_ridge(kappa)
    found = (power / (eigenvalues + xi[:, None])).sum(axis=1)
    np.testing.assert_allclose(found, exact, rtol=0.1)
    counted = metric.spectrum.sum(lambda lam, level: lam / (lam + level), kappa)
    np.testing.assert_allclose(counted + metric.ridge / kappa, degrees, rtol=0.1)
    # Without it: far off.
    plain = (power / (eigenvalues + kappa[:, None])).sum(axis=1)
    assert (np.abs(plain / exact - 1) > 0.15).any()


def test_without_a_metric_the_effective_ridge_is_kappa():
    eigenvalues = np.arange(1, 401) ** -0.7
    phi = np.random.default_rng(0).standard_normal((600, 400)) * np.sqrt(eigenvalues)
    metric = MatchedMetric.from_sample(
        np.linalg.eigvalsh(phi @ phi.T), Spectrum.from_eigenvalues(eigenvalues), 0.0
    )
    kappa = np.geomspace(1e-3, 10, 9)
    np.testing.assert_allclose(metric.effective_ridge(kappa), kappa, rtol=0.05)
    q, slope = metric.signal(kappa, lambda xi: (1 / xi, -1 / xi))
    np.testing.assert_allclose(q, 1 / metric.effective_ridge(kappa))
    np.testing.assert_allclose(slope, -q, rtol=0.05)


def test_bad_input(pairs, moments):
    image, text = pairs
    kernel = image @ image.T
    for arguments, message in (
        ((kernel[:, :9], image, text), r"kernel must be \(n, n\)"),
        ((kernel, image[:9], text), r"kernel must be \(n, n\)"),
        ((kernel + np.arange(300), image, text), "kernel must be symmetric"),
        ((kernel[:9, :9], image[:9], text[:9]), "number of pairs must be at least 20"),
        ((np.full_like(kernel, np.nan), image, text), "kernel must be finite"),
    ):
        with pytest.raises(InputError, match=message):
            expand_kernel(*arguments)
    with pytest.raises(InputError, match=r"blocks must be among image, .* got third"):
        expand_kernel(kernel, image, text, blocks=("third",))
    with pytest.raises(InputError, match="d_v = 12, d_t = 6, got dot_product"):
        expand_kernel(kernel, image, text[:, :6], blocks=("dot_product",))
    assert "dot_product" not in expand_kernel(kernel, image, text[:, :6]).coefficients
    with pytest.raises(InputError, match="expansion must have a block"):
        expansion_model(KernelExpansion(), moments)
    with pytest.raises(InputError, match="and one dimension"):
        CoordinateMoments.from_features(image, text[:, :6])
