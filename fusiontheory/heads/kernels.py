"""Kernels of the fusion heads, as functions of the modalities' inner products.

Each kernel of two pairs (v, t) and (v', t') depends on them only through a = v.v' and b = t.t'
(and, for the tangent kernel, the norms), so that no feature map is ever formed.
"""

from __future__ import annotations

from functools import cache

import mpmath
import numpy as np

from fusiontheory.checks import positive_integer
from fusiontheory.constraints import between, checked
from fusiontheory.typing import Array

__all__ = [
    "linear_kernel",
    "product_kernel",
    "relu_tangent_coefficients",
    "relu_tangent_kernel",
]


# Hidden layers of the concatenation MLP of arXiv:2606.01207 (1024-256-128-2: three weight layers).
HIDDEN_LAYERS = 2


@checked
def linear_kernel(a: Array, b: Array) -> Array:
    """Return (a + b) / 2, the kernel of a linear head on [v; t].

    Args:
        a: inner products v.v', any shape.
        b: inner products t.t', of the same shape.

    Example:
        >>> import numpy as np
        >>> linear_kernel(np.array([1.0]), np.array([0.5]))
        array([0.75])
    """
    result: Array = (a + b) / 2
    return result


@checked
def product_kernel(a: Array, b: Array) -> Array:
    """Return a b, the kernel of a linear head on v (x) t: full bilinear fusion.

    It does not change under separate rotations of v and of t.

    Args:
        a: inner products v.v', any shape.
        b: inner products t.t', of the same shape.

    Example:
        >>> import numpy as np
        >>> product_kernel(np.array([1.0]), np.array([0.5]))
        array([0.5])
    """
    result: Array = a * b
    return result


@checked(hidden_layers=between(1, 64))
def relu_tangent_kernel(u: Array, hidden_layers: int = HIDDEN_LAYERS) -> Array:
    r"""Return the tangent kernel of an infinitely wide ReLU network on the unit sphere.

    With the arc-cosine kernels k0(u) = (pi - arccos u) / pi and
    k1(u) = (u (pi - arccos u) + sqrt(1 - u^2)) / pi: S_0 = T_0 = u, S_{l+1} = k1(S_l),
    T_{l+1} = S_{l+1} + T_l k0(S_l). Divided by the number of weight layers, so that T(1) = 1.

    Args:
        u: cosine of the two inputs, any shape; rounding outside [-1, 1] is clipped.
        hidden_layers: number of ReLU layers, at least 1.

    Raises:
        InputError: if ``hidden_layers`` is not a positive integer.

    Source: Jacot, Gabriel & Hongler, arXiv:1806.07572; Cho & Saul (2009) for k0 and k1.

    Example:
        >>> import numpy as np
        >>> relu_tangent_kernel(np.array([0.0, 1.0]), hidden_layers=1)
        array([0.15915494, 1.        ])
    """
    layers = positive_integer("hidden_layers", hidden_layers)
    covariance = np.clip(u, -1.0, 1.0)
    tangent = covariance
    for _ in range(layers):
        # In place where it can be: these arrays are as large as the Gram matrix.
        angle = np.pi - np.arccos(covariance)
        slope = angle / np.pi
        angle *= covariance
        angle += np.sqrt(1.0 - covariance * covariance)
        angle /= np.pi
        covariance = np.clip(angle, -1.0, 1.0)
        tangent = tangent * slope + covariance
    return tangent / (layers + 1)


@checked(degree=between(1, 64), hidden_layers=between(1, 64), at=between(0, 1, below=True))
@cache
def relu_tangent_coefficients(
    degree: int, hidden_layers: int = HIDDEN_LAYERS, at: float = 0.0
) -> tuple[float, ...]:
    """Return the Taylor coefficients a_0 .. a_degree of ``relu_tangent_kernel`` at u = ``at``.

    All are positive or zero, and at 0 they sum to at most T(1) = 1; what is left acts as ridge.

    Args:
        degree: of the last one.
        hidden_layers: number of ReLU layers.
        at: from 0 to below 1; above 0 for features with means (`fusiontheory.moments.means`).

    Raises:
        InputError: if ``degree`` or ``hidden_layers`` is not an integer from 1 to 64 (more takes
            minutes), or ``at`` is not in [0, 1).

    Example:
        >>> [round(a, 4) for a in relu_tangent_coefficients(2)]
        [0.2286, 0.3194, 0.2052]
    """
    order = positive_integer("degree", degree)
    layers = positive_integer("hidden_layers", hidden_layers)

    def kernel(u: mpmath.mpf) -> mpmath.mpf:
        covariance = tangent = u
        for _ in range(layers):
            slope = (mpmath.pi - mpmath.acos(covariance)) / mpmath.pi
            covariance = covariance * slope + mpmath.sqrt(1 - covariance**2) / mpmath.pi
            tangent = covariance + tangent * slope
        return tangent / (layers + 1)

    with mpmath.workdps(30):
        # Rounding leaves tiny values of either sign of those that are zero.
        return tuple(max(float(a), 0.0) for a in mpmath.taylor(kernel, at, order))
