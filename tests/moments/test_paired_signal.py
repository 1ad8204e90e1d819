"""The signal of moments: between and beyond its points, and its error with few images."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import partly_shared

from fusiontheory.curves import predict_curve
from fusiontheory.moments import Moments
from fusiontheory.signal import (
    SampleResolvent,
    fused_resolvent,
    fused_signal,
    lanczos_signal,
)

few_images = pytest.mark.filterwarnings("ignore::fusiontheory.ValidityWarning")


# Without what is added below the reach the interval misses the signal at the smallest kappa.
@few_images
@pytest.mark.parametrize(("n", "d", "decay"), [(50, 60, 0.0), (60, 100, 0.5), (100, 200, 1.0)])
def test_the_signal_error_widens_with_fewer_images_than_features(n, d, decay):
    values = np.arange(1.0, d + 1) ** -decay
    matrices = np.diag(values), np.diag(values), 0.7 * np.diag(values)
    population = Moments.from_second_moments(*matrices)
    kappa = np.geomspace(1e-6, 1, 8) * population.grid[-1]
    exact, _ = population.matching_signal(kappa)
    inside, narrow = [], []
    for seed in range(12):
        moments = Moments.from_features(*population.pairs.draw(n, np.random.default_rng(seed)))
        miss = np.abs(moments.matching_signal(kappa)[0] - exact)
        inside.append(miss < 1.96 * moments.matching_error(kappa))
        narrow.append(miss < 1.96 * replace(moments.signal, reach=0.0).error(kappa))
    assert np.mean(inside, axis=0).min() > 0.7
    assert np.mean(narrow, axis=0)[:3].max() < 0.2


@few_images
@pytest.mark.parametrize("seed", range(4))
def test_the_interval_of_few_images_is_wider_than_that_of_many(seed):
    features = partly_shared(seed, n=2000, d_v=40, d_t=40)
    many = Moments.from_features(*features)
    few = Moments.from_features(*(x[:39] for x in features))
    widths = []
    for moments in (few, many):
        curve = predict_curve("bilinear", moments, [200], ridge=0.1)
        widths.append((curve["accuracy_high"] - curve["accuracy_low"]).item())
    assert widths[0] > 5 * widths[1]


# Interpolation between 8 effective ridges costs less than a fifth of the signal's own error, where
# noise does not stop the recursion's second step: at decays 0.5 and 1.5 it does between the
# smallest two, and the miss there is 0.3 and 1.6 errors.
def test_the_signal_between_the_points_against_estimates_there():
    rng = np.random.default_rng(0)
    scale = np.arange(1.0, 65) ** -1.0
    shared = rng.standard_normal((3000, 64))
    moments = Moments.from_features(
        *((shared + rng.standard_normal((3000, 64))) * scale for _ in range(2))
    )
    kappa = np.sqrt(moments.grid[1:] * moments.grid[:-1])
    image, text = (SampleResolvent.of(x, 2999.0) for x in moments.pairs.eigenvalues)
    resolvents = [fused_resolvent(image, text, float(level)) for level in kappa]
    operator = moments.pairs.rotations(kappa, resolvents).mean(axis=1)
    operator[:, 0] = fused_signal(image, text, moments.cross_power, 3000, kappa)
    # One step: at two of these points noise lets the second in, at their neighbours it does not.
    direct = lanczos_signal(operator, steps=1)
    q, _ = moments.matching_signal(kappa, steps=1)
    assert (np.abs(q - direct) < 0.2 * moments.matching_error(kappa)).all()


# Independent features: what noise leaves of the signal is 0 at some points of the grid.
@pytest.mark.parametrize("n", [60, 200, 1000])
def test_noise_between_the_points_of_the_grid_does_not_make_signal(n):
    for seed in range(12):
        moments = Moments.from_features(*partly_shared(seed, n=n, d_v=12, d_t=12, shared=0.0))
        kappa = np.geomspace(1e-8, 100, 400) * moments.grid[-1]
        q, slope = moments.matching_signal(kappa)
        inside = q[kappa >= moments.grid[0]]
        assert inside.max() <= 1.1 * lanczos_signal(moments.operator).max() + 1e-300
        assert (slope <= 0).all()
        assert (q + slope >= 0).all()


def test_the_signal_between_and_beyond_the_points_of_the_grid():
    moments = Moments.from_features(*partly_shared(0, n=2000))
    q, slope = moments.matching_signal(moments.grid)
    np.testing.assert_allclose(q, lanczos_signal(moments.operator), rtol=1e-9)
    far = np.array([1.0, 10.0, 1e3, 1e6]) * moments.grid[-1]
    q, slope = moments.matching_signal(far, steps=0)
    power, product = (
        moments.cross_power,
        np.outer(moments.image_eigenvalues, moments.text_eigenvalues),
    )
    np.testing.assert_allclose(q, [np.sum(power / (product + k)) for k in far], rtol=0.015)
    # Of q + dq, a variance, nearly nothing is left; it must still be right.
    within = [np.sum(power * product / (product + k) ** 2) for k in far]
    np.testing.assert_allclose(q[:3] + slope[:3], within[:3], rtol=0.15)
    near = np.array([1.0, 0.1, 1e-300]) * moments.grid[0]
    q, slope = moments.matching_signal(near)
    np.testing.assert_allclose(slope, slope[0] * near / near[0], rtol=1e-9)
    np.testing.assert_allclose(q, q[0] - slope[0] + slope, rtol=1e-9)
    kappa = np.geomspace(2e-6, 0.5, 50) * moments.grid[-1]
    q, slope = moments.matching_signal(kappa)
    numeric = np.gradient(q, np.log(kappa), edge_order=2)
    np.testing.assert_allclose(slope, numeric, atol=0.02 * q.max())
    # In steps: fewer of them, a smaller bound; none is not a bound.
    assert (moments.matching_signal(kappa, steps=1)[0] <= q * (1 + 1e-3)).all()


def test_the_signal_error_is_on_the_safe_side():
    draws = [Moments.from_features(*partly_shared(seed, n=400)) for seed in range(100)]
    kappa = np.geomspace(1e-6, 1, 7) * np.mean([moments.grid[-1] for moments in draws])
    signals = np.array([moments.matching_signal(kappa)[0] for moments in draws])
    measured = signals.std(axis=0)
    ratio = np.mean([moments.matching_error(kappa) for moments in draws], axis=0) / measured
    # The error takes Lambda as known. Where kappa is small, estimating it on the same images
    # undoes part of the noise (a canonical correlation is sharper than a covariance); and the
    # spread of the folds has part of the images' noise a second time.
    assert (ratio > 0.8).all()
    assert (ratio < 2.5).all()
    kappa = draws[0].grid[[0, -1]] * [0.1, 10]
    ends = draws[0].signal_error[[0, -1]] * [1, 0.1]
    np.testing.assert_allclose(draws[0].matching_error(kappa), ends)
