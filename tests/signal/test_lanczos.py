"""The matching signal: moments against their closed form, resolvents against brute force."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusiontheory.moments import Moments, centred
from fusiontheory.signal import (
    FOLDS,
    MatchingSignal,
    lanczos_signal,
    operator_rotations,
    signal_curve,
    signal_error,
)
from fusiontheory.synthetic import find_population

KAPPA = (0.05, 1.0)


def mean_operator(*arguments):
    """Return d_0 .. d_3 at each kappa, unbiased: the mean over the rotations of the folds."""
    return operator_rotations(*arguments).mean(axis=1)


def exact_moments(cross, product, kappa):
    """d_0 .. d_3 of centred Gaussian pairs: D W = C W^T C, the swap term of the fourth moment."""
    resolvent = 1 / (product + kappa)
    once = cross @ (resolvent * cross).T @ cross
    twice = cross @ (resolvent * once).T @ cross
    thrice = cross @ (resolvent * twice).T @ cross
    return [np.vdot(resolvent * cross, term) for term in (cross, once, twice, thrice)]


def gaussian_pairs(rng, shape, cross, values_v, values_t, shared):
    """Draw v and captions t whose text noise is shared by an image's captions in part."""
    draws, n, captions = shape
    d_v, d_t = cross.shape
    v = rng.standard_normal((draws, n, d_v)) * np.sqrt(values_v)
    slope = cross / values_v[:, None]
    rest = np.linalg.cholesky(np.diag(values_t) - slope.T @ cross)
    noise = np.sqrt(shared) * rng.standard_normal((draws, n, 1, d_t)) + np.sqrt(
        1 - shared
    ) * rng.standard_normal((draws, n, captions, d_t))
    return v, (v @ slope)[:, :, None] + noise @ rest.T


@pytest.mark.parametrize("captions", [1, 3])
# Few images: what is biased is so by a third, but only d_0 and d_1 are sharp. Many: all of them.
@pytest.mark.parametrize(("draws", "images", "sharp"), [(2500, 4, 2), (400, 80, 4)])
def test_operator_moments_are_unbiased(captions, draws, images, sharp):
    rng = np.random.default_rng(captions)
    values_v, values_t = np.array([1.0, 0.6, 0.3]), np.array([0.9, 0.4])
    cross = np.array([[0.8, 0.05], [-0.1, 0.4], [0.1, -0.1]])
    shape = (draws, images * FOLDS, captions)
    v, t = gaussian_pairs(rng, shape, cross, values_v, values_t, shared=0.3)
    product = np.outer(values_v, values_t)
    folds = np.arange(images * FOLDS) % FOLDS
    estimates = np.array(
        [mean_operator(*pair, product, folds, KAPPA) for pair in zip(v, t, strict=True)]
    )
    mean = estimates.mean(axis=0)
    error = estimates.std(axis=0) / np.sqrt(draws)
    expected = np.array([exact_moments(cross, product, kappa) for kappa in KAPPA])
    assert (np.abs(mean - expected) < 4 * error).all()
    assert (error < expected / 10)[:, :sharp].all()


def test_noise_changes_the_resolvent_and_not_the_excess():
    """Of Gaussian pairs D is known; with the noise's Lambda in R estimates are unbiased again."""
    rng = np.random.default_rng(0)
    values_v, values_t = np.array([1.0, 0.6, 0.3]), np.array([0.9, 0.4])
    cross = np.array([[0.8, 0.05], [-0.1, 0.4], [0.1, -0.1]])
    v, t = gaussian_pairs(rng, (200, 400, 1), cross, values_v, values_t, shared=0.0)
    product, noisy = np.outer(values_v, values_t), np.outer(values_v + 0.5, values_t + 0.3)
    folds = np.arange(400) % FOLDS
    estimates = np.array(
        [
            operator_rotations(*pair, product, folds, KAPPA, noisy).mean(axis=1)
            for pair in zip(v, t, strict=True)
        ]
    )
    error = estimates.std(axis=0) / np.sqrt(len(estimates))
    expected = np.array([exact_moments(cross, noisy, kappa) for kappa in KAPPA])
    assert (np.abs(estimates.mean(axis=0) - expected) < 4 * error).all()
    assert (error < expected / 10)[:, :3].all()


def test_directions_far_below_kappa_change_next_to_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    values = np.arange(1.0, 41) ** -1.5
    v = rng.standard_normal((2000, 40)) * np.sqrt(values)
    t = 0.7 * v + 0.7 * rng.standard_normal((2000, 40)) * np.sqrt(values)
    product, folds = np.outer(values, values), np.arange(2000) % FOLDS
    kappa = [0.1, 1.0, 10.0]
    cut = mean_operator(v, t[:, None], product, folds, kappa)
    monkeypatch.setattr("fusiontheory.signal.rotations._NEGLIGIBLE", 0.0)
    whole = mean_operator(v, t[:, None], product, folds, kappa)
    assert not np.array_equal(cut, whole)
    np.testing.assert_array_equal(cut[:, 0], whole[:, 0])
    np.testing.assert_allclose(lanczos_signal(cut), lanczos_signal(whole), rtol=2e-3)


def test_operator_moments_have_no_units():
    rng = np.random.default_rng(0)
    v, t = rng.standard_normal((60, 4)), rng.standard_normal((60, 2, 3))
    product, folds = np.outer([4.0, 3, 2, 1], [2.0, 1, 1]), np.arange(60) % FOLDS
    expected = mean_operator(v, t, product, folds, KAPPA)
    scaled = mean_operator(3 * v, t / 7, product * 9 / 49, folds, np.array(KAPPA) * 9 / 49)
    np.testing.assert_allclose(scaled, expected, rtol=1e-10)


def test_a_caption_said_twice_changes_nothing():
    rng = np.random.default_rng(0)
    v, t = rng.standard_normal((40, 3)), rng.standard_normal((40, 1, 2))
    product, folds = np.ones((3, 2)), np.arange(40) % FOLDS
    np.testing.assert_allclose(
        mean_operator(v, t.repeat(2, axis=1), product, folds, KAPPA),
        mean_operator(v, t, product, folds, KAPPA),
        rtol=1e-10,
    )


def draw_operators(seed, dimension, kappa):
    """Return c, Lambda and S_matched, each in `dimension` directions, and d_0 .. d_3."""
    rng = np.random.default_rng(seed)
    c, values = rng.standard_normal(dimension), rng.uniform(0, 3, dimension)
    root = rng.standard_normal((dimension, rng.integers(1, dimension + 1)))
    matched = root @ root.T
    resolvent = np.diag(1 / (values + kappa))
    step = (matched - np.diag(values)) @ resolvent
    moments = [c @ resolvent @ np.linalg.matrix_power(step, k) @ c for k in range(4)]
    exact = c @ np.linalg.solve((np.diag(values) + matched) / 2 + kappa * np.eye(dimension), c)
    return np.array(moments), exact


OPERATORS = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 8), st.floats(0.01, 10))


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), dimension=st.integers(1, 2), kappa=st.floats(0.01, 10))
def test_two_steps_are_exact_in_two_dimensions(seed, dimension, kappa):
    moments, exact = draw_operators(seed, dimension, kappa)
    assert lanczos_signal(moments) == pytest.approx(exact, rel=1e-6)


@settings(deadline=None, max_examples=60)
@given(problem=OPERATORS)
def test_steps_close_in_on_the_resolvent_from_below(problem):
    moments, exact = draw_operators(*problem)
    one, two = lanczos_signal(moments, steps=1), lanczos_signal(moments, steps=2)
    assert 0 < one <= two * (1 + 1e-9)
    assert two <= exact * (1 + 1e-7)
    # S >= Lambda / 2 bounds q, too.
    assert exact <= 2 * moments[0] * (1 + 1e-9)


@settings(deadline=None, max_examples=60)
@given(problem=OPERATORS, scale=st.floats(1e-6, 1e6), steps=st.sampled_from([0, 1, 2]))
def test_the_signal_grows_as_the_square_of_the_cross_covariance(problem, scale, steps):
    moments, _ = draw_operators(*problem)
    expected = scale * lanczos_signal(moments, steps)
    assert lanczos_signal(scale * moments, steps) == pytest.approx(expected, rel=1e-9)


NUMBERS = st.floats(-1e3, 1e3).map(lambda x: round(x, 6))


@settings(deadline=None, max_examples=200)
@given(moments=st.lists(NUMBERS, min_size=4, max_size=4))
def test_no_noise_takes_the_signal_out_of_its_bounds(moments):
    for steps in (0, 1, 2):
        signal = lanczos_signal(np.array(moments), steps)
        assert 0 <= signal <= 2 * max(moments[0], 0)


def test_without_excess_covariance_all_steps_agree():
    moments = np.array([[2.0, 0, 0, 0], [0.0, 0, 0, 0]])
    for steps in (0, 1, 2):
        np.testing.assert_array_equal(lanczos_signal(moments, steps), [2.0, 0.0])


def test_noise_that_breaks_the_second_step_leaves_the_first():
    moments = np.array([1.0, 0.5, 1.0, -9.0])  # d_2 + d_3 / 2 < 0: not a variance
    assert lanczos_signal(moments) == lanczos_signal(moments, steps=1) == pytest.approx(0.8)


@settings(deadline=None, max_examples=40)
@given(noise=st.lists(st.floats(-1.0, 1.0), min_size=6, max_size=6))
def test_a_signal_falls_with_kappa_but_not_faster_than_its_inverse(noise):
    grid = np.geomspace(1e-3, 1.0, 6)
    levels = np.geomspace(1e-3, 1.0, 21)
    shape, share = -np.log(levels + 0.1), grid / (grid + 0.1)
    known = (grid + 0.1) ** -1.0 * np.exp(noise)
    kappa = np.geomspace(1e-4, 10.0, 60)
    q, slope = signal_curve(kappa, grid, known, levels, shape, share, 0 * grid)
    assert (np.diff(q) <= 1e-9 * q[:-1]).all()
    assert (-q * (1 + 1e-9) <= slope).all()
    assert (slope <= 0).all()
    # Between the points of the grid the spline may be steeper.
    area = grid * signal_curve(grid, grid, known, levels, shape, share, 0 * grid)[0]
    assert (np.diff(area) >= -1e-9 * area[:-1]).all()


@pytest.mark.parametrize("off", [0.4, 1 / 1.3, 1.0, 1.3, 2.5])
def test_a_signal_goes_through_what_is_known_where_its_share_is_nearly_so(off):
    grid, pole = np.geomspace(1e-3, 1.0, 6), 0.01
    levels = np.geomspace(1e-3, 1.0, 21)
    known, share = 1 / (grid + pole), off * pole / (grid + off * pole)
    shape = -np.log(levels + pole)
    q, slope = signal_curve(grid, grid, known, levels, shape, share, 0 * grid)
    if 1 / 1.5 < off < 1.5:
        np.testing.assert_allclose(q, known, rtol=1e-9)
    else:  # shares are put right by a factor of 1.5, and no more
        assert (np.diff(q) < 0).all()
        assert np.abs(np.log(q / known)).max() < np.log(max(off, 1 / off) / 1.5)
    if off == 1:
        np.testing.assert_allclose(slope, -grid / (grid + pole) ** 2, rtol=0.02)


def test_a_slope_lies_between_differences_and_its_closed_form_by_the_noise():
    grid, pole = np.geomspace(1e-3, 1.0, 8), 0.3
    levels = np.geomspace(1e-3, 1.0, 29)
    shape, share, inside = -np.log(levels + pole), 2 * pole / (grid + 2 * pole), grid[1:4]

    def shares(error):
        known = 1 / (grid + pole)
        q, slope = signal_curve(inside, grid, known, levels, shape, share, error + 0 * grid)
        return 1 + slope / q

    np.testing.assert_allclose(shares(0.0), pole / (inside + pole), rtol=0.02)
    np.testing.assert_allclose(shares(1e6), share[1:4], rtol=1e-6)
    # The closed form is off by a factor of 1.5 of B, the difference by sqrt(2) errors over a step
    # as far as q falls.
    even = np.log(1.5) * share[1:4] * np.log(grid[1] / grid[0]) / np.sqrt(2)
    for k in range(3):
        middle = (shares(0.0)[k] + share[1 + k]) / 2
        assert shares(even[k])[k] == pytest.approx(middle, rel=1e-9)


def test_few_images_tell_the_slope_better_with_its_closed_form():
    """A hundred topics, where q from 500 images can fall as fast as 1/kappa: as from 3000."""
    population, rng, kappa = (
        find_population("topics_100"),
        np.random.default_rng(3),
        np.array([2.5e-4]),
    )

    def shares(rows, signals):
        sample = population.draw(rows, rng)
        signal = centred(Moments.from_features(sample.image, sample.text)).moments.signal
        plain = replace(signal, known_error=0 * signal.known_error)
        both = [own(kappa) for own in (plain, signal)]
        return [1 + float(slope[0] / q[0]) for q, slope in both][-signals:]

    [known] = shares(3000, 1)
    off = np.array([shares(500, 2) for _ in range(5)]) - known
    without, now = np.sqrt(np.mean(off**2, axis=0))
    assert now < without / 1.5


def test_the_error_of_a_signal_in_one_direction():
    images, power, product, resolvent, excess = 50, 0.5, 2.0, 0.25, 0.3
    # The variance of a matched score, and the square of a mean of as many without signal.
    scores = power * product * resolvent**2 + excess
    direct = 4 * scores / images + 2 * (product * resolvent) ** 2 / images**2
    given = np.array([[power]]), np.array([[product]]), [np.array([[resolvent]])], images
    once = np.array([[[0.1, excess, 7.0, 9.0]]])
    np.testing.assert_allclose(signal_error(once, *given), np.sqrt(direct), rtol=1e-12)
    # Without excess q is d_0 at each rotation, and its mean has the error of a mean.
    turns = np.zeros((1, 5, 4))
    turns[0, :, 0] = [0.1, 0.2, 0.4, 0.3, 0.5]
    direct -= 4 * excess / images
    expected = np.sqrt(direct + np.var(turns[0, :, 0]) / 4)
    np.testing.assert_allclose(signal_error(turns, *given), expected, rtol=1e-12)


def test_of_the_same_images_the_excess_is_over_all_mismatched_pairs():
    """d_1 of the first rotation: c of folds 0 and 1, and D of fold 2 as a sum over its pairs."""
    rng = np.random.default_rng(0)
    v, t = rng.standard_normal((20, 3)), rng.standard_normal((20, 2, 2))
    folds, resolvent = np.arange(20) % FOLDS, rng.uniform(0.5, 1, (3, 2))
    found = operator_rotations(v, t, np.ones((3, 2)), folds, [1.0], resolvents=[resolvent])

    def pairs(fold):
        own_v, own_t = v[folds == fold], t[folds == fold]
        joint = np.einsum("id,jkc->ijkdc", own_v, own_t)  # image i, caption k of image j
        other = ~np.eye(len(own_v), dtype=bool)
        return joint[~other].reshape(-1, 2, 3, 2), joint[other]

    starts = []
    for fold in (0, 1):
        matched, mismatched = pairs(fold)
        starts.append(resolvent * (matched.mean(axis=(0, 1)) - mismatched.mean(axis=(0, 1))))
    (matched, mismatched), (left, right) = pairs(2), starts
    scores = np.einsum("ikdc,dc->ik", matched, left)
    square = np.einsum("ik,ikdc->dc", scores, matched) / scores.size
    i, j = np.nonzero(~np.eye(len(scores), dtype=bool))
    means = np.einsum("p,pdc->dc", scores.mean(axis=1)[i], matched.mean(axis=1)[j]) / len(i)
    apart = np.einsum("pkdc,dc,pkef->ef", mismatched, left, mismatched) / (2 * len(i))
    assert found[0, 0, 1] == pytest.approx(np.vdot(square - means - apart, right))


def test_longer_features_have_the_signal_at_a_larger_ridge():
    grid = np.geomspace(0.01, 1.0, 8)
    moments = np.outer(1 / (1 + grid), [1.0, 0.5, 0.3, 0.2])
    signal = MatchingSignal.of(grid, moments, 0.1 + 0 * grid, 0.0, *4 * [np.eye(1)])
    longer, kappa = signal.rescaled(9.0), np.geomspace(0.003, 3, 12)
    np.testing.assert_allclose(longer(9 * kappa), signal(kappa), rtol=1e-9)
    np.testing.assert_allclose(longer.error(9 * kappa), signal.error(kappa), rtol=1e-9)
