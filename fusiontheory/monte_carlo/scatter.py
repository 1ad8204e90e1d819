"""Measured twin of the scatter of accuracy over training sets: heads trained on drawn pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fusiontheory.checks import positive_integer
from fusiontheory.constraints import checked
from fusiontheory.heads import find_head
from fusiontheory.moments import GaussianPairs
from fusiontheory.monte_carlo.matching import draw_matching
from fusiontheory.solvers import measure_curve
from fusiontheory.typing import Array

__all__ = ["paired_scatter", "simulate_training_scatter"]


@checked
def simulate_training_scatter(
    pairs: GaussianPairs,
    head: str,
    sizes: Sequence[int],
    ridge: float,
    *,
    draws: int,
    seed: int,
    test_pairs: int = 10_000,
    unit_norm: bool = False,
) -> pd.DataFrame:
    """Measure by how much the exact accuracy of a head varies from training set to training set.

    All training sets are tested on the same two sets of test pairs. The covariance over training
    sets of the two accuracies is the variance of the exact accuracy without bias: the noise of
    test pairs is another in each set. How accuracy depends on the head is seen through those test
    pairs too: where only the threshold varies, as for the dot product, take 100,000 or more.

    Args:
        pairs: the distribution of matched pairs.
        head: name of one of `fusiontheory.HEADS`.
        sizes: numbers of training pairs, at least 2.
        ridge: delta of K + delta I, above 0.
        draws: training sets, at least 8.
        seed: of the random numbers.
        test_pairs: of each of the two test sets.
        unit_norm: see `draw_matching`.

    Returns:
        Columns ``n``, ``accuracy``, ``accuracy_sd`` (over training sets; 0 where the test noise
        hides it) and ``accuracy_sd_se``, its standard error, by the jackknife over training sets.

    Raises:
        InputError: for an unknown head, sizes below 2, a ridge of 0, fewer than 8 draws.

    Source: the measured twin of ``training_sets`` of `fusiontheory.predict_curve`.

    Example:
        >>> pairs = GaussianPairs(np.ones(3), np.ones(3), np.eye(3) / 2, np.zeros(3), np.zeros(3))
        >>> found = simulate_training_scatter(pairs, "bilinear", [50], 1.0, draws=20, seed=0)
        >>> bool(0.01 < found["accuracy_sd"][0] < 0.1)
        True
    """
    chosen = find_head(head)
    draws = positive_integer("draws", draws, minimum=8)
    source, *streams = np.random.default_rng(seed).spawn(draws + 1)
    tests = [draw_matching(pairs, test_pairs, source, unit_norm) for _ in range(2)]
    accuracies = np.empty((draws, len(sizes), 2))
    for index, rng in enumerate(streams):
        train = draw_matching(pairs, max(sizes), rng, unit_norm)
        for half, test in enumerate(tests):
            measured = measure_curve(chosen, train, test, sizes, ridge)
            accuracies[index, :, half] = [point.accuracy for point in measured]
    deviation, error = paired_scatter(accuracies)
    return pd.DataFrame(
        {
            "n": list(sizes),
            "accuracy": accuracies.mean(axis=(0, 2)),
            "accuracy_sd": deviation,
            "accuracy_sd_se": error,
        }
    )


@checked
def paired_scatter(accuracies: Array) -> tuple[Array, Array]:
    """Return the standard deviation over draws of what two halves of a test set both show.

    Args:
        accuracies: shape (draws, sizes, 2 halves): noise of one half is not in the other.

    Returns:
        The deviation and its standard error, a jackknife over draws, shape (sizes,) each.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> own = rng.normal(0.8, 0.02, (400, 1, 1)) + rng.normal(0, 0.01, (400, 1, 2))
        >>> deviation, error = paired_scatter(own)
        >>> bool(abs(deviation[0] - 0.02) < 3 * error[0])
        True
    """
    without = np.array(
        [_deviation(np.delete(accuracies, row, axis=0)) for row in range(len(accuracies))]
    )
    return _deviation(accuracies), without.std(axis=0) * np.sqrt(len(accuracies) - 1)


def _deviation(accuracies: Array) -> Array:
    away = accuracies - accuracies.mean(axis=0)
    variance = (away[..., 0] * away[..., 1]).sum(axis=0) / (len(accuracies) - 1)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))
