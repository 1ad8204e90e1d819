"""Intervals cover, tests keep their size, and each agrees with a reference on simple cases."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import optimize, stats
from statsmodels.stats.power import TTestPower

from fusiontheory.checks import InputError
from fusiontheory.stats import (
    crossed_gap,
    gap_trend,
    holm,
    paired_gap,
    paired_power,
    scaling_exponent,
    seeds_needed,
    sign_flip_test,
)

N = np.array([2048.0, 4096.0, 8192.0, 16384.0])
SIGMA = [0.0, 0.01, 0.02, 0.05, 0.1]


def crossed(
    rng: np.random.Generator,
    sd: tuple[float, float, float],
    shape: tuple[int, int] = (5, 40),
    gap: float = 0.1,
) -> np.ndarray:
    """Return a + seed + image + cell, each effect normal with its sd, (seeds, images)."""
    seeds, images = shape
    return (
        gap
        + sd[0] * rng.standard_normal((seeds, 1))
        + sd[1] * rng.standard_normal(images)
        + sd[2] * rng.standard_normal(shape)
    )


def as_heads(gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two heads' probabilities of being right whose difference is the gap."""
    first = 0.5 + gaps / 2
    return first, 1 - first


# Crossed bootstrap


@pytest.mark.parametrize(
    "sd",
    [(0.05, 0.0, 0.0), (0.0, 0.1, 0.0), (0.0, 0.0, 0.1), (0.03, 0.08, 0.08)],
    ids=["seeds", "images", "cells", "all"],
)
def test_crossed_interval_covers(sd: tuple[float, float, float]) -> None:
    rng, covered = np.random.default_rng(1), []
    for draw in range(400):
        first, second = as_heads(crossed(rng, sd))
        result = crossed_gap(first, second, np.arange(40), resamples=200, seed=draw)
        covered.append(result.low <= 0.1 <= result.high)
    # Three standard errors of a share of 0.95; where V is cut from below it may cover more.
    assert np.mean(covered) >= 0.917
    assert np.mean(covered) <= (0.995 if sd[2] else 0.983)


def test_crossed_standard_error_is_that_of_the_analysis_of_variance() -> None:
    seeds, images = 6, 30
    gaps = crossed(np.random.default_rng(2), (0.05, 0.15, 0.05), (seeds, images))
    result = crossed_gap(*as_heads(gaps), np.arange(images), resamples=40_000)
    by_seed, by_image, mean = gaps.mean(axis=1), gaps.mean(axis=0), gaps.mean()
    rest = gaps - by_seed[:, None] - by_image + mean
    v_seed, v_image = by_seed.var(ddof=1) / seeds, by_image.var(ddof=1) / images
    v_cell = (rest**2).sum() / ((seeds - 1) * (images - 1) * seeds * images)
    assert result.seed_se == pytest.approx(np.sqrt(v_seed), rel=0.02)
    assert result.image_se == pytest.approx(np.sqrt(v_image), rel=0.02)
    assert result.se == pytest.approx(np.sqrt(v_seed + v_image - v_cell), rel=0.02)


def test_crossed_gap_counts_pairs_and_keeps_images_together() -> None:
    rng = np.random.default_rng(3)
    images = rng.permutation(np.repeat(np.arange(50), rng.integers(1, 8, size=50)))
    easy = (rng.random(50) < 0.5)[images]
    first, second = np.tile(easy, (5, 1)), rng.random((5, images.size)) < 0.3
    together = crossed_gap(first, second, images)
    apart = crossed_gap(first, second, np.arange(images.size))
    assert together.gap == pytest.approx(first.mean() - second.mean())
    assert together.gap == apart.gap
    assert (together.pairs, together.images, together.seeds) == (images.size, 50, 5)
    assert together.image_se > 1.5 * apart.image_se
    names = np.array([f"image {i}" for i in images])
    order = rng.permutation(images.size)
    moved = crossed_gap(first[:, order], second[:, order], images[order])
    assert moved.se == pytest.approx(together.se)
    assert crossed_gap(first, second, names).se == pytest.approx(together.se, rel=0.05)


def test_heads_that_never_differ_have_a_gap_of_zero() -> None:
    same = np.random.default_rng(4).random((3, 20)) < 0.7
    result = crossed_gap(same, same, np.arange(20))
    assert (result.gap, result.low, result.high, result.p_value) == (0, 0, 0, 1)


# Paired by seed


def test_paired_gap_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.random(7), rng.random(7)
    result, reference = paired_gap(first, second, 0.9), stats.ttest_rel(first, second)
    interval = reference.confidence_interval(0.9)
    assert (result.t, result.p_value) == pytest.approx((reference.statistic, reference.pvalue))
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high))


def test_paired_gap_without_spread_takes_the_limits() -> None:
    level, lead = paired_gap([0.5] * 3, [0.5] * 3), paired_gap([0.7, 0.8, 0.9], [0.6, 0.7, 0.8])
    assert (level.gap, level.p_value, level.low, level.high) == (0, 1, 0, 0)
    assert (lead.p_value, lead.sd, lead.t) == (0, 0, np.inf)


def test_sign_flips_agree_with_scipy() -> None:
    rng = np.random.default_rng(6)
    for seeds in (5, 10):
        first, second = rng.random(seeds) + 0.3, rng.random(seeds)
        reference = stats.permutation_test(
            (first, second),
            lambda x, y: np.mean(x - y),
            permutation_type="samples",
            n_resamples=np.inf,
        )
        assert sign_flip_test(first, second).p_value == pytest.approx(reference.pvalue)


def test_random_sign_flips_agree_with_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    first, second = rng.random(12) + 0.2, rng.random(12)
    exact = sign_flip_test(first, second)
    monkeypatch.setattr("fusiontheory.stats.sign_flip._MOST_EXACT_SEEDS", 4)
    drawn = sign_flip_test(first, second)
    assert exact.exact
    assert not drawn.exact
    assert drawn.p_value == pytest.approx(exact.p_value, rel=0.1)


def test_sign_flips_keep_their_size_and_name_the_smallest_p() -> None:
    rng = np.random.default_rng(8)
    p = np.array([sign_flip_test(rng.standard_normal(8), np.zeros(8)).p_value for _ in range(800)])
    assert 0.025 <= np.mean(p <= 0.05) <= 0.07
    assert sign_flip_test(np.arange(1.0, 6.0), np.zeros(5)).p_value == 2 / 32
    assert sign_flip_test(np.arange(1.0, 6.0), np.zeros(5)).smallest_p == 2 / 32


# Many tests


def test_holm_on_a_worked_example() -> None:
    table = holm(pd.DataFrame({"cell": list("abcd"), "p": [0.01, 0.04, 0.03, 0.005]}), p="p")
    assert table["p_holm"].tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert table["rejected"].tolist() == [True, False, False, True]
    assert table["cell"].tolist() == list("abcd")


def test_holm_follows_its_definition() -> None:
    rng = np.random.default_rng(9)
    for values in (rng.random(7) / 5, np.array([0.01, 0.01, 0.9, 0.0]), np.array([0.04])):
        ordered = np.sort(values)
        steps = [min(1, (len(values) - j) * p) for j, p in enumerate(ordered)]
        corrected = dict(zip(ordered, np.maximum.accumulate(steps), strict=True))
        table = holm(pd.DataFrame({"p_value": values}), level=0.1)
        # Equal values share one correction, that of the last among them.
        assert table["p_holm"].tolist() == pytest.approx([corrected[value] for value in values])
        assert table["rejected"].tolist() == [corrected[value] <= 0.1 for value in values]


# Trend


def test_trend_is_one_line_per_seed() -> None:
    rng = np.random.default_rng(10)
    gaps = 0.3 * np.array(SIGMA) + 0.01 * rng.standard_normal((6, 5))
    slopes = [stats.linregress(SIGMA, row).slope for row in gaps]
    reference = stats.ttest_1samp(slopes, 0)
    trend = gap_trend(gaps, SIGMA)
    assert trend.slope == pytest.approx(np.mean(slopes))
    assert (trend.t, trend.p_value) == pytest.approx((reference.statistic, reference.pvalue))
    assert (trend.sign, gap_trend(-gaps, SIGMA).sign) == (1, -1)


def test_trend_is_that_of_a_mixed_model() -> None:
    rng = np.random.default_rng(11)
    axis = np.array([-1.0, 0.0, 1.0])
    gaps = rng.standard_normal((8, 1)) + (2 + 2 * rng.standard_normal((8, 1))) * axis
    gaps += 0.5 * rng.standard_normal(gaps.shape)
    rows = pd.DataFrame({"gap": gaps.ravel(), "x": np.tile(axis, 8), "s": np.repeat(range(8), 3)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = smf.mixedlm("gap ~ x", rows, groups="s", re_formula="~x").fit()
    trend = gap_trend(gaps, axis)
    assert trend.slope == pytest.approx(fit.params["x"], rel=1e-3)
    assert trend.se == pytest.approx(fit.bse["x"], rel=0.02)


def test_trend_tests_keep_their_size() -> None:
    rng = np.random.default_rng(12)
    p = []
    for draw in range(500):
        gaps = 0.03 + 0.01 * rng.standard_normal((5, 1)) + 0.005 * rng.standard_normal((5, 5))
        trend = gap_trend(gaps, SIGMA, permutations=199, seed=draw)
        p.append((trend.p_value, trend.permutation_p))
    assert np.all(np.abs(np.mean(np.array(p) <= 0.05, axis=0) - 0.05) <= 0.03)


def test_trend_of_a_constant_gap() -> None:
    trend = gap_trend(np.full((3, 4), 0.02), [1.0, 2.0, 3.0, 4.0])
    assert (trend.sign, trend.permutation_p) == (0, 1)


# Scaling


@pytest.mark.parametrize("exponent", [-1.0, -0.5, 0.0])
def test_a_pure_power_is_found_and_the_others_excluded(exponent: float) -> None:
    result = scaling_exponent([a * (N / 4096) ** exponent for a in (0.03, 0.04, 0.05)], N)
    assert result.exponent == pytest.approx(exponent, abs=0.005)
    assert {*result.excluded} == {-1.0, -0.5, 0.0} - {exponent}
    assert result.residual == pytest.approx(0, abs=1e-4)


def test_the_fit_is_that_of_nonlinear_least_squares() -> None:
    rng = np.random.default_rng(13)
    gaps = 0.04 * (N / 4096) ** -0.7 + 0.003 * rng.standard_normal((5, 4))
    result = scaling_exponent(gaps, N)
    (amplitude, exponent), _ = optimize.curve_fit(
        lambda n, a, e: a * (n / result.middle) ** e, N, gaps.mean(axis=0), p0=(0.04, -0.5)
    )
    assert result.exponent == pytest.approx(exponent, abs=0.004)
    assert result.amplitude == pytest.approx(amplitude, rel=0.01)


def test_the_test_of_a_flat_gap_is_the_t_test_of_its_trend_in_log_n() -> None:
    gaps = 0.04 + 0.003 * np.random.default_rng(16).standard_normal((5, 4))
    p_values = scaling_exponent(gaps, N).p_values
    assert p_values[0.0] == pytest.approx(gap_trend(gaps, np.log(N)).p_value)


def test_scaling_interval_covers_with_five_seeds_where_the_bootstrap_does_not() -> None:
    rng, exact, bootstrap, rejected = np.random.default_rng(14), [], [], []
    for draw in range(400):
        gaps = 0.04 * (N / 4096) ** -0.5 * (1 + 0.1 * rng.standard_normal((5, 1)))
        gaps = gaps + 0.003 * rng.standard_normal((5, 4))
        result = scaling_exponent(gaps, N, resamples=200, seed=draw)
        exact.append(result.low <= -0.5 <= result.high)
        bootstrap.append(result.bootstrap_low <= -0.5 <= result.bootstrap_high)
        rejected.append(-0.5 in result.excluded)
    assert 0.917 <= np.mean(exact) <= 0.983
    assert np.mean(rejected) <= 0.083
    assert np.mean(bootstrap) < 0.9


def test_without_a_gap_no_exponent_can_be_told() -> None:
    noise = np.array([[1, -1, 2, 0], [-1, 2, -1, 1], [0, -2, 1, -1], [1, 1, -2, 1]]) / 1000
    result = scaling_exponent(noise, N)
    assert (result.low, result.high) == (-np.inf, np.inf)
    assert result.excluded == ()
    assert not result.one_sign
    assert np.isnan(scaling_exponent(np.zeros((3, 4)), N).exponent)


# Power


def test_power_is_that_of_statsmodels_and_of_simulation() -> None:
    pilot = [0.0, 0.02, 0.01, 0.03]
    needed = seeds_needed(pilot, gap=0.01, power=0.8)
    effect = 0.01 / np.std(pilot, ddof=1)
    exact = TTestPower().solve_power(effect, alpha=0.05, power=0.8)
    assert needed.seeds == int(np.ceil(exact))
    assert needed.power >= 0.8 > paired_power(needed.sd, needed.seeds - 1)
    assert needed.low < needed.seeds < needed.high

    rng = np.random.default_rng(15)
    gaps = 0.01 + needed.sd * rng.standard_normal((4000, needed.seeds))
    seen = stats.ttest_1samp(gaps, 0, axis=1).pvalue <= 0.05
    assert seen.mean() == pytest.approx(needed.power, abs=0.02)


def test_power_where_the_series_fails() -> None:
    assert paired_power(0.0, 2) == 1
    assert paired_power(1e-12, 1000) == 1
    # P(chi^2_1 < r^2) at r = noncentrality / critical t: 1e2 sqrt(2) against tan(pi/2 (1 - 1e-8)).
    critical = 1 / np.tan(np.pi / 2 * 1e-8)
    ratio = 100 * np.sqrt(2) / critical
    expected = np.sqrt(2 / np.pi) * ratio
    assert paired_power(0.01, 2, gap=1.0, significance=1e-8) == pytest.approx(expected, rel=1e-6)
    assert seeds_needed([0.01, 0.01]).seeds == 2


# Input


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        (lambda: paired_gap([0.5, 0.6], [0.5]), "first and second must hold the same seeds"),
        (lambda: paired_gap([0.5], [0.5]), "at least 2 seeds"),
        (lambda: paired_gap([0.5, np.nan], [0.5, 0.5]), "first must be finite"),
        (lambda: paired_gap([0.5, 0.6], [0.5, 0.5], level=95), "level must be between 0 and 1"),
        (lambda: sign_flip_test([0.5, 0.6], [0.5, 0.5], flips=0), "flips must be at least 1"),
        (lambda: holm(pd.DataFrame({"p_value": [0.1, 1.2]})), "from 0 to 1, got 1.2"),
        (lambda: holm(pd.DataFrame({"p": [0.1]})), "must have the column 'p_value'"),
        (lambda: holm(pd.DataFrame({"p_value": [0.1, np.nan]})), "1 NaN or infinite"),
        (lambda: gap_trend([[1, 2], [1, 2]], [1, 1]), "positions must be at least 2 distinct"),
        (lambda: gap_trend([[1, 2, 3], [1, 2, 3]], [1, 2]), "one column for each of positions"),
        (lambda: gap_trend([[1, 2]], [1, 2]), "gaps must hold at least 2 seeds, got 1"),
        (lambda: scaling_exponent([[1, 2], [1, 2]], [0, 1]), "n must be above 0"),
        (lambda: seeds_needed([0.1]), "gaps must hold at least 2 seeds"),
        (lambda: seeds_needed([0.1, 0.2], gap=0), "gap must be above 0"),
        (lambda: seeds_needed([0, 1], gap=1e-8), "within reach of 1000000000 seeds"),
        (lambda: paired_power(0.1, 1), "seeds must be at least 2"),
        (lambda: crossed_gap([[1, 0]], [[1, 1]], [0, 1]), "at least 2 seeds, got 1"),
        (lambda: crossed_gap([[1], [0]], [[1], [1]], [3]), "at least 2 images, got 1"),
        (lambda: crossed_gap(np.eye(2), np.eye(3), [0, 1]), "must have the same shape"),
        (lambda: crossed_gap(2 * np.eye(2), np.eye(2), [0, 1]), "first must hold correctness"),
        (lambda: crossed_gap(np.eye(2), np.eye(2), [0.5, 1]), "one integer or string"),
        (lambda: crossed_gap(np.eye(2), np.eye(2), [0, 1, 2]), "each of the 2 test pairs"),
    ],
)
def test_input_that_cannot_be_used_is_named(call, rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        call()
