"""Measured twin of the predicted matching curves: heads trained on drawn pairs of known law."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fusiontheory.checks import positive_integer
from fusiontheory.constraints import checked
from fusiontheory.heads import find_head
from fusiontheory.moments import GaussianPairs
from fusiontheory.monte_carlo.training_sets import limited, random_numbers
from fusiontheory.solvers import PairFeatures, measure_curve

__all__ = ["draw_matching", "simulate_matching"]


@checked
def draw_matching(
    pairs: GaussianPairs, n: int, rng: np.random.Generator, unit_norm: bool = False
) -> PairFeatures:
    """Draw n labelled pairs, alternately matched and mismatched, no image or text twice.

    Args:
        pairs: the distribution of matched pairs.
        n: number of pairs, at least 2; one more matched than mismatched if odd.
        rng: where from.
        unit_norm: bring every feature to unit norm after drawing, as real ones are.

    Example:
        >>> import numpy as np
        >>> pairs = GaussianPairs(np.ones(2), np.ones(2), np.eye(2), np.zeros(2), np.zeros(2))
        >>> drawn = draw_matching(pairs, 4, np.random.default_rng(0))
        >>> np.isclose(drawn.image, drawn.text).all(axis=1)
        array([ True, False,  True, False])
    """
    positive_integer("n", n, minimum=2)
    image, text = pairs.draw(n, rng)
    _, other = pairs.draw(n // 2, rng)
    text[1::2] = other
    if unit_norm:
        image, text = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (image, text))
    return PairFeatures(image, text, np.where(np.arange(n) % 2 == 0, 1.0, -1.0))


@checked
def simulate_matching(
    pairs: GaussianPairs,
    head: str,
    sizes: Sequence[int],
    ridge: float,
    *,
    draws: int,
    seed: int,
    test_pairs: int = 4000,
    unit_norm: bool = False,
) -> pd.DataFrame:
    """Train a head on independent draws of pairs, and test each on pairs of its own.

    Args:
        pairs: the distribution of matched pairs.
        head: name of one of `fusiontheory.HEADS`.
        sizes: numbers of training pairs, 2 to 1,000,000.
        ridge: delta of K + delta I, above 0.
        draws: training sets, 2 to 100,000.
        seed: of the random numbers.
        test_pairs: test pairs of each draw, 2 to 1,000,000.
        unit_norm: see `draw_matching`.

    Returns:
        Columns ``n``, ``risk``, ``risk_se``, ``accuracy``, ``accuracy_se``: means over the draws
        and their standard errors.

    Raises:
        InputError: for an unknown head, a ridge of 0, sizes, draws or test pairs out of range.

    Source: the measured twin of `gaussian_matching_curve` and `predict_curve`.

    Example:
        >>> import numpy as np
        >>> pairs = GaussianPairs(np.ones(3), np.ones(3), np.eye(3) / 2, np.zeros(3), np.zeros(3))
        >>> curve = simulate_matching(pairs, "concat-linear", [50], 1.0, draws=20, seed=0)
        >>> bool(abs(curve["accuracy"][0] - 0.5) < 4 * curve["accuracy_se"][0])
        True
    """
    chosen = find_head(head)
    features, most = pairs.image.size + pairs.text.size, max(sizes)
    test_pairs = limited("test_pairs", test_pairs, least=2)
    generators = random_numbers(most, draws, seed, features, name="sizes")
    drawn = np.empty((draws, len(sizes), 2))
    for index, rng in enumerate(generators):
        train = draw_matching(pairs, most, rng, unit_norm)
        test = draw_matching(pairs, test_pairs, rng, unit_norm)
        measured = measure_curve(chosen, train, test, sizes, ridge)
        drawn[index] = [(point.risk, point.accuracy) for point in measured]
    mean, error = drawn.mean(axis=0), drawn.std(axis=0, ddof=1) / np.sqrt(draws)
    return pd.DataFrame(
        {
            "n": list(sizes),
            "risk": mean[:, 0],
            "risk_se": error[:, 0],
            "accuracy": mean[:, 1],
            "accuracy_se": error[:, 1],
        }
    )
