"""What a trial makes of its runs: folds that share nothing, and a choice that flatters nothing."""

import numpy as np

from fusiontheory.heads import find_head
from fusiontheory.trial.runs import TrialRuns


def runs(seed=0):
    x = np.random.default_rng(seed).standard_normal((60, 2))
    return TrialRuns(find_head("bilinear"), x, x[:, None], seed, 2048)


def test_choosing_a_ridge_does_not_flatter():
    # Thirteen ridges that differ by noise alone: the best of all is 1.7 deviations above the mean.
    ridges = np.geomspace(0.01, 1, 13)
    rng = np.random.default_rng(0)
    chosen, best = [], []
    for _ in range(300):
        table = 0.5 + 0.02 * rng.standard_normal((13, 5))
        own = runs()
        own._known.update({(8, ridge): row for ridge, row in zip(ridges, table, strict=True)})
        chosen.append(own.at(8, ridges).accuracy)
        best.append(table.mean(axis=1).max())
    error = np.std(chosen) / np.sqrt(300)
    assert np.mean(best) - 0.5 > 10 * error
    assert abs(np.mean(chosen) - 0.5) < 3 * error


def test_the_largest_trial_fits_into_every_fold():
    own = runs()
    assert own.largest == 48
    assert 0 <= own.at(own.largest, np.array([0.1])).accuracy <= 1


def test_the_error_is_at_least_that_of_the_images():
    own = runs()
    own._known[8, 0.1] = np.full(5, 0.8)
    assert np.isclose(own.at(8, np.array([0.1])).error, np.sqrt(0.8 * 0.2 / 120))
