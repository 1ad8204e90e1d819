"""Effective ridge of 262,144 eigenvalues at 100 sample sizes, against summing all of them.

Run with: pytest tests/benchmarks/bench_effective_ridge.py --benchmark-only
"""

from time import perf_counter

import numpy as np
import pytest
from scipy.optimize import brentq

from fusiontheory.risk import effective_ridge

D = 512
SIZES = np.geomspace(10, 2 * D**2, 100)


def plain_effective_ridge(eigenvalues, n, ridge):
    def missing_samples(log_kappa):
        kappa = np.exp(log_kappa)
        return np.sum(eigenvalues / (eigenvalues + kappa)) + ridge / kappa - n

    low, high = np.log(ridge / n / 2), np.log(2 * (eigenvalues.sum() + ridge) / n)
    return np.exp(brentq(missing_samples, low, high, xtol=1e-12, rtol=1e-12))


@pytest.mark.benchmark(min_rounds=20)
def test_effective_ridge(benchmark):
    index = np.arange(1.0, D + 1)
    eigenvalues = np.outer(index**-1.2, index**-0.8).ravel()
    ridge = 1e-6 * eigenvalues.sum()
    kappa = benchmark(effective_ridge, eigenvalues, SIZES, ridge)

    start = perf_counter()
    expected = np.array([plain_effective_ridge(eigenvalues, n, ridge) for n in SIZES])
    plain_seconds = perf_counter() - start

    error = float(np.max(np.abs(kappa / expected - 1)))
    assert error <= 1e-6
    benchmark.extra_info["max_relative_error"] = error
    # Statistics are absent when timing is switched off (--benchmark-disable).
    if benchmark.stats:
        median = benchmark.stats.stats.median
        benchmark.extra_info["plain_seconds"] = plain_seconds
        benchmark.extra_info["ratio"] = plain_seconds / median
        print(
            f"\nfast {median * 1e3:.1f} ms, plain {plain_seconds * 1e3:.0f} ms,"
            f" ratio {plain_seconds / median:.0f}, max relative error {error:.1e}"
        )
