"""Simulated fits of low rank, the measured twin of `fusiontheory.low_rank_risk`."""

from __future__ import annotations

import numpy as np

from fusiontheory.constraints import checked
from fusiontheory.monte_carlo.ridge import SimulatedRisk
from fusiontheory.monte_carlo.training_sets import random_numbers
from fusiontheory.risk import LowRankTarget
from fusiontheory.solvers import fit_low_rank

__all__ = [
    "simulate_low_rank",
]


@checked
def simulate_low_rank(
    target: LowRankTarget, n: int, draws: int, seed: int, restarts: int = 2
) -> SimulatedRisk:
    """Fit rank r on ``draws`` training sets by alternating least squares; exact test errors.

    The test error of W is |W - W*|^2 + s^2 on isotropic features.

    Args:
        target: dimensions, rank, singular values and noise.
        n: training samples, 1 to 1,000,000.
        draws: training sets, 2 to 100,000.
        seed: of the random numbers.
        restarts: starts of each fit, at least 1.

    Returns:
        ``SimulatedRisk``, in squared label units. A step costs O(n (r max(d_v, d_t))^2), a fit
        some tens of steps, more if singular values lie close.

    Raises:
        InputError: for n, draws or restarts out of range, a negative seed, or non-integers.

    Source: the measured twin of ``low_rank_risk``.

    Example:
        >>> target = LowRankTarget(3, 3, rank=1, singular_values=[2.0], noise=0.0)
        >>> bool(simulate_low_rank(target, n=40, draws=2, seed=0).mean < 1e-9)
        True
    """
    generators = random_numbers(n, draws, seed, target.d_v + target.d_t)
    truth = np.zeros((target.d_v, target.d_t))
    np.fill_diagonal(truth, target.singular_values)
    errors = np.empty((draws, 2))
    for row, generator in zip(errors, generators, strict=True):
        v = generator.standard_normal((n, target.d_v))
        t = generator.standard_normal((n, target.d_t))
        y = ((v @ truth) * t).sum(axis=1)
        y += np.sqrt(target.noise) * generator.standard_normal(n)
        w = fit_low_rank(v, t, y, target.rank, generator, restarts)
        residual = y - ((v @ w) * t).sum(axis=1)
        row[:] = np.sum((w - truth) ** 2) + target.noise, np.mean(residual**2)
    return SimulatedRisk(test=errors[:, 0], training=errors[:, 1])
