"""Gaussian pairs: closed forms against sampling and dense algebra, twins, bad moments."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.curves import predict_curve
from fusiontheory.heads import HEADS
from fusiontheory.moments import Moments, gaussian_surrogate


def second_moments(seed, d_v, d_t, mean=0.0):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((d_v + d_t, d_v + d_t)) / np.sqrt(d_v + d_t)
    covariance = root @ root.T
    mu, nu = mean * rng.standard_normal(d_v), mean * rng.standard_normal(d_t)
    image = covariance[:d_v, :d_v] + np.outer(mu, mu)
    text = covariance[d_v:, d_v:] + np.outer(nu, nu)
    return image, text, covariance[:d_v, d_v:], mu, nu


def of(image, text, cross, mu, nu):
    return Moments.from_second_moments(image, text, cross, image_mean=mu, text_mean=nu)


def correlated(rho, decay, d=16, seed=0):
    """Canonical correlations rho between directions that are not those of most variance."""
    values = np.arange(1, d + 1) ** -decay
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]
    root = np.sqrt(values)
    return np.diag(values), np.diag(values), rho * root[:, None] * turn * root


def test_the_second_moments_are_those_given():
    image, text, cross, mu, nu = second_moments(0, 4, 3, mean=0.5)
    moments = of(image, text, cross, mu, nu)
    np.testing.assert_allclose(moments.image_eigenvalues, np.linalg.eigvalsh(image)[::-1])
    np.testing.assert_allclose(moments.text_eigenvalues, np.linalg.eigvalsh(text)[::-1])
    singular = np.linalg.svd(cross, compute_uv=False)
    np.testing.assert_allclose(np.linalg.svd(moments.cross, compute_uv=False), singular)
    np.testing.assert_array_equal(moments.cross_power, moments.cross**2)
    assert moments.images == np.inf
    assert not moments.signal_error.any()
    assert not moments.matching_error(moments.grid).any()


@pytest.mark.parametrize("mean", [0.0, 0.7])
def test_excess_covariance_against_sampling(mean):
    moments = of(*second_moments(1, 3, 2, mean))
    pairs = moments.pairs
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((3, 2))
    product = np.outer(pairs.image, pairs.text)
    batches = []
    for _ in range(40):
        v, t = pairs.draw(40_000, rng)
        scores = np.einsum("nd,de,ne->n", v, weights, t)
        scores -= scores.mean()
        batches.append(v.T @ (scores[:, None] * t) / len(v) - product * weights)
    error = np.std(batches, axis=0) / np.sqrt(len(batches))
    expected = pairs.excess(weights)
    assert (np.abs(np.mean(batches, axis=0) - expected) < 4.5 * error).all()
    assert np.abs(expected).max() > 12 * error.max()


def test_operator_is_what_features_of_such_pairs_give():
    moments = of(*second_moments(2, 4, 3, 0.5))
    sample = Moments.from_features(*moments.pairs.draw(60_000, np.random.default_rng(0)))
    kappa = np.geomspace(1e-5, 1, 9) * moments.grid[-1]
    for steps in (0, 1, 2):
        q, slope = moments.matching_signal(kappa, steps)
        estimate, slopes = sample.matching_signal(kappa, steps)
        assert (np.abs(estimate - q) < 3 * sample.matching_error(kappa)).all()
        np.testing.assert_allclose(slopes, slope, atol=0.05 * q.max())


@pytest.mark.parametrize("mean", [0.0, 0.7])
def test_moments_of_the_dot_product_against_sampling(mean):
    moments = of(*second_moments(3, 5, 5, mean))
    image, text, cross, mu, nu = second_moments(3, 5, 5, mean)
    joint = np.block([[image - np.outer(mu, mu), cross], [cross.T, text - np.outer(nu, nu)]])
    rows = np.random.default_rng(0).multivariate_normal(np.append(mu, nu), joint, 400_000)
    expected = Moments.from_features(rows[:, :5], rows[:, 5:]).dot_product
    for name in ("difference", "matched_variance", "mismatched_variance"):
        assert getattr(moments.dot_product, name) == pytest.approx(
            getattr(expected, name), rel=0.02, abs=0.01
        )


# Two-step errors are 0.0000 % (rho 0.3), 0.001 % (0.6) and 0.03 % (0.9); without D the signal is
# off by 4.5, 18 and 40 %.
@pytest.mark.parametrize(("rho", "bound"), [(0.3, 1e-5), (0.6, 1e-4), (0.9, 1e-3)])
@pytest.mark.parametrize("decay", [0.0, 1.0, 2.0])
def test_two_lanczos_steps_against_the_exact_signal(rho, bound, decay):
    moments = Moments.from_second_moments(*correlated(rho, decay))
    d = len(moments.cross)
    units = np.eye(d * d).reshape(d * d, d, d)
    excess = np.array([moments.pairs.excess(unit).ravel() for unit in units]).T
    product = np.outer(moments.image_eigenvalues, moments.text_eigenvalues).ravel()
    c = moments.cross.ravel()
    for kappa in moments.grid[::2]:
        exact = c @ np.linalg.solve(np.diag(product + kappa) + excess / 2, c)
        two = moments.matching_signal(np.array([kappa]))[0][0]
        assert exact * (1 - bound) <= two <= exact * (1 + 1e-9)
    # Without the covariance of matched pairs it is off by rho^2 / 2.
    plain = moments.matching_signal(moments.grid[:1], steps=0)[0][0]
    smallest = c @ np.linalg.solve(np.diag(product + moments.grid[0]) + excess / 2, c)
    assert plain / smallest - 1 > 0.35 * rho**2


def test_between_the_points_of_the_grid():
    moments = Moments.from_second_moments(*correlated(0.8, 1.5))
    kappa = np.geomspace(2e-6, 0.9, 40) * moments.grid[-1]
    exact = Moments.from_second_moments(*correlated(0.8, 1.5)).pairs.rotations(kappa)[:, 0]
    np.testing.assert_allclose(moments.matching_signal(kappa, steps=0)[0], exact[:, 0], rtol=1e-3)


def test_every_head_predicts_from_second_moments():
    moments = Moments.from_second_moments(*correlated(0.8, 1.0))
    for head in HEADS:
        curve = predict_curve(head, moments, [10, 1000], ridge=0.1)
        assert curve["accuracy"].between(0.5, 1).all()
        if head != "concat-mlp":  # its other orders are sampled
            np.testing.assert_allclose(curve["accuracy_low"], curve["accuracy"], atol=1e-12)


def gaussian_sample(n, d=40):
    values = np.arange(1, d + 1) ** -1.0
    correlations = 0.8 * np.arange(1, d + 1) ** -0.3
    moments = Moments.from_second_moments(
        np.diag(values), np.diag(values), np.diag(values * correlations)
    )
    return moments, moments.pairs.draw(n, np.random.default_rng(0))


def test_the_twin_of_gaussian_features_is_their_population():
    population, features = gaussian_sample(1500)
    sample = Moments.from_features(*features)
    twin = sample.gaussian_twin()
    q, _ = population.matching_signal(population.grid)
    np.testing.assert_allclose(twin.matching_signal(population.grid)[0], q, rtol=0.1)
    assert twin.dot_product.matched_variance == pytest.approx(
        population.dot_product.matched_variance, rel=0.1
    )
    # The plain sample covariance, taken as a population's, has far more signal.
    v, t = features
    plain = Moments.from_second_moments(v.T @ v / 1500, t.T @ t / 1500, np.cov(v.T, t.T)[:40, 40:])
    far = plain.matching_signal(population.grid)[0][0] / q[0] - 1
    assert far > 2 * abs(twin.matching_signal(population.grid)[0][0] / q[0] - 1)
    assert twin.gaussian_twin() is twin
    noisy = sample.with_noise(image=0.3).gaussian_twin()
    np.testing.assert_allclose(noisy.operator, twin.with_noise(image=0.3).operator)


def test_the_twin_keeps_the_plain_signal_of_other_features():
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((2000, 10)) + 0.5
    image = np.tanh(shared + rng.standard_normal((2000, 10)))
    text = (shared[:, None] > rng.standard_normal((2000, 3, 10)))[..., :8].astype(float)
    moments = Moments.from_features(image, text)
    twin = moments.gaussian_twin()
    own = moments.pairs.eigenvalues
    np.testing.assert_allclose(twin.image_eigenvalues, own[0], rtol=1e-6)
    np.testing.assert_allclose(twin.text_eigenvalues, own[1], rtol=1e-6)
    plain = [m.matching_signal(moments.grid, steps=0)[0] for m in (twin, moments)]
    np.testing.assert_allclose(plain[0], plain[1], rtol=0.05)


def test_surrogates_have_the_moments_of_the_twin():
    _, (v, t) = gaussian_sample(1000, d=8)
    image, text = v + 0.4, np.stack([t, t + 0.1 * v], axis=1)
    twin = Moments.from_features(image, text).gaussian_twin()
    drawn = gaussian_surrogate(image, text, 60_000, np.random.default_rng(1))
    assert [x.shape for x in drawn] == [(60_000, 8), (60_000, 8)]
    np.testing.assert_allclose(drawn[0].mean(axis=0), image.mean(axis=0), atol=0.02)
    sample = Moments.from_features(*drawn)
    np.testing.assert_allclose(sample.image_eigenvalues, twin.image_eigenvalues, rtol=0.05)
    q, _ = twin.matching_signal(twin.grid)
    error = sample.matching_error(twin.grid)
    assert (np.abs(sample.matching_signal(twin.grid)[0] - q) < 4 * error).all()
    dot, expected = sample.dot_product, twin.dot_product
    assert dot.difference == pytest.approx(expected.difference, rel=0.05)
    assert dot.matched_variance == pytest.approx(expected.matched_variance, rel=0.05)


GOOD = np.diag([2.0, 1.0]), np.eye(3), np.full((2, 3), 0.3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({0: np.ones((2, 3))}, r"image must be a square matrix, got shape \(2, 3\)"),
        ({0: np.array([[1.0, 0.5], [0.2, 1.0]])}, "image must be symmetric, got .* up to 0.3"),
        ({1: np.diag([1.0, 1.0, -0.2])}, "text must have no eigenvalue below 0, got -0.2"),
        ({1: np.zeros((3, 3))}, "text must have a feature that is not zero, got all zeros"),
        ({1: np.full((3, 3), np.nan)}, "text must be finite, got 9 NaN"),
        ({0: 1e31 * np.eye(2)}, "image must have its largest value between .* got 1e"),
        ({2: np.ones((3, 2))}, r"cross must have shape \(d_v, d_t\) = \(2, 3\), got \(3, 2\)"),
        ({2: np.full((2, 3), 1.0)}, "cross must leave the joint covariance .* got -"),
        ({2: 1.0}, r"cross must have 2 dimensions, got shape \(\)"),
        ({"image_mean": np.ones(3)}, r"image_mean must have shape \(2,\), got \(3,\)"),
        ({"text_mean": np.ones(3)}, "text_mean must leave text - mean mean.* got -2"),
        ({"image_mean": [1.0, 0.7], 2: np.full((2, 3), 0.5)}, "cross must leave the joint"),
    ],
)
def test_moments_that_no_data_can_have(change, message):
    arguments = [change.get(index, value) for index, value in enumerate(GOOD)]
    means = {key: value for key, value in change.items() if isinstance(key, str)}
    Moments.from_second_moments(*GOOD)
    with pytest.raises(InputError, match=message):
        Moments.from_second_moments(*arguments, **means)


def test_rounding_is_no_fault():
    image, text, cross, _, _ = second_moments(4, 5, 5)
    single = [x.astype(np.float32).astype(float) for x in (image, text, cross)]
    single[0][0, 1] += 1e-8
    moments = Moments.from_second_moments(*single)
    q, _ = Moments.from_second_moments(image, text, cross).matching_signal(moments.grid)
    np.testing.assert_allclose(moments.matching_signal(moments.grid)[0], q, rtol=1e-4)
    # Canonical correlations of exactly 1: the joint covariance has rank d.
    full = Moments.from_second_moments(image, image, image)
    assert np.isfinite(full.operator).all()
