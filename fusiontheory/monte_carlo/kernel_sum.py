"""Simulated kernel ridge on sums of blocks, the measured twin of `fusiontheory.kernel_sum_risk`."""

from __future__ import annotations

import numpy as np

from fusiontheory.constraints import checked
from fusiontheory.monte_carlo.ridge import SimulatedRisk
from fusiontheory.monte_carlo.training_sets import random_numbers
from fusiontheory.risk import KernelSum
from fusiontheory.solvers import fit_linear_ridge

__all__ = [
    "simulate_kernel_sum",
]


@checked
def simulate_kernel_sum(kernel: KernelSum, n: int, draws: int, seed: int) -> SimulatedRisk:
    """Fit ridge regression on [sqrt(a_1) (v; t), sqrt(a_2) v (x) t] and return its exact errors.

    The features z_v, z_t and z_v (x) z_t are orthonormal, so the test error follows from the
    coefficients. Signs of the target's coefficients are drawn anew for each training set.

    Args:
        kernel: weights, features, target, ridge and noise.
        n: training samples, 1 to 1,000,000.
        draws: training sets, 2 to 100,000.
        seed: of the random numbers.

    Returns:
        ``SimulatedRisk``, in squared label units. With p = d_v + d_t + d_v d_t a draw costs
        O(n p min(n, p)).

    Raises:
        InputError: for n or draws out of range, a negative seed, or non-integers.

    Source: the measured twin of ``kernel_sum_risk`` and ``kernel_sum_training_risk``.

    Example:
        >>> import numpy as np
        >>> kernel = KernelSum(np.ones(2), np.ones(2), np.ones(4), np.ones((2, 2)),
        ...     1.0, 1.0, ridge=0.0, noise=0.0)
        >>> bool(simulate_kernel_sum(kernel, n=9, draws=2, seed=0).mean < 1e-9)
        True
    """
    scale, root = np.sqrt(kernel.eigenvalues), np.sqrt(kernel.target_power)
    d_v, d_t = kernel.eigenvalues_v.size, kernel.eigenvalues_t.size
    generators = random_numbers(n, draws, seed, d_v + d_t)
    errors = np.empty((draws, 2))
    for row, generator in zip(errors, generators, strict=True):
        b = root * generator.choice([-1.0, 1.0], size=root.size)
        z_v, z_t = generator.standard_normal((n, d_v)), generator.standard_normal((n, d_t))
        products = (z_v[:, :, None] * z_t[:, None, :]).reshape(n, d_v * d_t)
        z = np.hstack([z_v, z_t, products])
        y = z @ b + np.sqrt(kernel.noise) * generator.standard_normal(n)
        fitted = scale * fit_linear_ridge(z * scale, y, kernel.ridge)
        row[:] = np.sum((fitted - b) ** 2) + kernel.noise, np.mean((y - z @ fitted) ** 2)
    return SimulatedRisk(test=errors[:, 0], training=errors[:, 1])
