"""Where one curve passes below another for good, with the uncertainty from independent seeds."""

from __future__ import annotations

import numpy as np

from fusiontheory.typing import Array

__all__ = ["last_crossing", "log_standard_error"]


def last_crossing(n: Array, gap: Array) -> float:
    """Return n* beyond which ``gap`` is above 0 at every n, linear in log n between points.

    Args:
        n: ascending sample sizes, shape (k,).
        gap: logarithm of the ratio of the first risk to the second, shape (k,).

    Returns:
        n* in samples; 0 if the gap is above 0 at every n, infinity if not at the largest.

    >>> last_crossing(np.array([1.0, 4.0, 16.0]), np.array([1.0, -1.0, 1.0]))
    8.0
    """
    if gap[-1] <= 0:
        return float("inf")
    below = np.flatnonzero(gap <= 0)
    if below.size == 0:
        return 0.0
    k = below[-1]
    share = -gap[k] / (gap[k + 1] - gap[k])
    return float(n[k] * (n[k + 1] / n[k]) ** share)


def log_standard_error(n: Array, first: Array, second: Array) -> float:
    """Return the jackknife standard error of log n* over seeds; infinity if one has no crossing.

    Args:
        n: ascending sample sizes, shape (k,).
        first, second: risks of the two heads on the same draws, shape (seeds, k).
    """
    seeds = len(first)
    left_out = np.array(
        [
            last_crossing(n, np.log(_mean_without(first, k) / _mean_without(second, k)))
            for k in range(seeds)
        ]
    )
    if not np.all(np.isfinite(left_out) & (left_out > 0)):
        return float("inf")
    return float(np.sqrt(seeds - 1) * np.log(left_out).std())


def _mean_without(risk: Array, k: int) -> Array:
    return np.asarray(np.delete(risk, k, axis=0).mean(axis=0))
