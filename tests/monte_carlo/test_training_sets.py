"""How many training sets a simulation takes, how large, and that each has its own numbers."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.moments import GaussianPairs
from fusiontheory.monte_carlo import (
    paired_scatter,
    simulate_coefficients,
    simulate_kernel_sum,
    simulate_low_rank,
    simulate_matching,
    simulate_ridge_risk,
    simulate_sign_accuracy,
    simulate_training_scatter,
)
from fusiontheory.monte_carlo.training_sets import random_numbers
from fusiontheory.risk import FusionSetting, KernelSum, LowRankTarget, SignLabels

ONE, TWO = np.ones(1), np.ones(2)
PAIRS = GaussianPairs(ONE, ONE, np.zeros((1, 1)), 0 * ONE, 0 * ONE)
SETTING = FusionSetting("additive", ONE, ONE, TWO, np.ones((1, 1)), ridge=1.0, noise=0.0)
KERNEL = KernelSum(ONE, ONE, TWO, np.ones((1, 1)), 1.0, 1.0, ridge=1.0, noise=0.0)
TWINS = [
    lambda n, draws: simulate_sign_accuracy(SignLabels(TWO, TWO, 1.0), n, draws, 0),
    lambda n, draws: simulate_coefficients(TWO, TWO, n, 1.0, 0.0, draws=draws, seed=0),
    lambda n, draws: simulate_ridge_risk(SETTING, n, draws, 0),
    lambda n, draws: simulate_kernel_sum(KERNEL, n, draws, 0),
    lambda n, draws: simulate_low_rank(LowRankTarget(1, 1, 1, [1.0], 0.0), n, draws, 0),
    lambda n, draws: simulate_matching(PAIRS, "bilinear", [n], 1.0, draws=draws, seed=0),
    lambda n, draws: simulate_training_scatter(PAIRS, "bilinear", [n], 1.0, draws=draws, seed=0),
]


@pytest.mark.parametrize("twin", TWINS)
def test_more_than_a_simulation_takes_is_refused_at_once(twin):
    with pytest.raises(InputError, match=r"^draws must be at most 100000, got 10000000"):
        twin(2, 10**7)
    with pytest.raises(InputError, match=r"^(n|sizes) must be at most 1000000, got 10000000"):
        twin(10**7, 8)
    with pytest.raises(InputError, match=r"^draws must be less: 100000 training sets of 1000000"):
        twin(10**6, 10**5)


def test_a_training_set_beyond_four_gibibytes_is_refused_at_once():
    wide = LowRankTarget(10**7, 12, 1, [1.0], 0.0)
    with pytest.raises(InputError, match=r"^n must be less: 60 samples of .* take 4.47 GiB, 4 are"):
        simulate_low_rank(wide, 60, 2, 0)


def test_each_training_set_has_the_numbers_of_one_child_of_the_seed():
    _, *found = random_numbers(1, 3, 7, 1, before=1)
    expected = np.random.default_rng(7).spawn(4)[1:]
    assert [one.random() for one in found] == [one.random() for one in expected]


def test_the_jackknife_is_that_of_draws_left_out():
    rng = np.random.default_rng(0)
    accuracies = rng.normal(0.8, 0.02, (9, 2, 1)) + rng.normal(0, 0.01, (9, 2, 2))
    deviation, error = paired_scatter(accuracies)
    for size in range(2):
        sets = [accuracies[:, size], *(np.delete(accuracies[:, size], k, axis=0) for k in range(9))]
        whole, *left = (np.sqrt(max(np.cov(*one.T)[0, 1], 0)) for one in sets)
        assert deviation[size] == pytest.approx(whole)
        assert error[size] == pytest.approx(np.std(left) * np.sqrt(8))
