"""Measured twin of the scatter of accuracy over training sets: heads trained on drawn pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fusiontheory.constraints import checked, shaped
from fusiontheory.heads import find_head
from fusiontheory.moments import GaussianPairs
from fusiontheory.monte_carlo.matching import draw_matching
from fusiontheory.monte_carlo.training_sets import limited, random_numbers
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
        sizes: numbers of training pairs, 2 to 1,000,000.
        ridge: delta of K + delta I, above 0.
        draws: training sets, 8 to 100,000.
        seed: of the random numbers.
        test_pairs: of each of the two test sets, 2 to 1,000,000.
        unit_norm: see `draw_matching`.

    Returns:
        Columns ``n``, ``accuracy``, ``accuracy_sd`` (over training sets; 0 where the test noise
        hides it) and ``accuracy_sd_se``, its standard error, by the jackknife over training sets.

    Raises:
        InputError: for an unknown head, a ridge of 0, sizes, draws or test pairs out of range.

    Source: the measured twin of ``training_sets`` of `fusiontheory.predict_curve`.

    Example:
        >>> pairs = GaussianPairs(np.ones(3), np.ones(3), np.eye(3) / 2, np.zeros(3), np.zeros(3))
        >>> found = simulate_training_scatter(pairs, "bilinear", [50], 1.0, draws=20, seed=0)
        >>> bool(0.01 < found["accuracy_sd"][0] < 0.1)
        True
    """
    chosen = find_head(head)
    features, most = pairs.image.size + pairs.text.size, max(sizes)
    test_pairs = limited("test_pairs", test_pairs, least=2)
    streams = random_numbers(most, draws, seed, features, least=8, name="sizes", before=1)
    source = next(streams)
    tests = [draw_matching(pairs, test_pairs, source, unit_norm) for _ in range(2)]
    accuracies = np.empty((draws, len(sizes), 2))
    for index, rng in enumerate(streams):
        train = draw_matching(pairs, most, rng, unit_norm)
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


@checked(accuracies=shaped(3, 1, 2))
def paired_scatter(accuracies: Array) -> tuple[Array, Array]:
    """Return the standard deviation over draws of what two halves of a test set both show.

    Args:
        accuracies: shape (3 draws or more, sizes, 2 halves): noise of one half is not in the other.

    Returns:
        The deviation and its standard error, a jackknife over draws, shape (sizes,) each.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> own = rng.normal(0.8, 0.02, (400, 1, 1)) + rng.normal(0, 0.01, (400, 1, 2))
        >>> deviation, error = paired_scatter(own)
        >>> bool(abs(deviation[0] - 0.02) < 3 * error[0])
        True
    """
    draws = len(accuracies)
    away = accuracies - accuracies.mean(axis=0)
    products = away[..., 0] * away[..., 1]
    total = products.sum(axis=0)
    # Without one draw the means move, so that it takes draws / (draws - 1) of its product with it.
    left = (total - products * draws / (draws - 1)) / (draws - 2)
    without = np.sqrt(np.maximum(left, 0.0))
    deviation = np.sqrt(np.maximum(total / (draws - 1), 0.0))
    return deviation, without.std(axis=0) * np.sqrt(draws - 1)
