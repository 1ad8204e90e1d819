r"""What counts as additive, and the product that is tested against it, as kernels.

The product v_i t_j of correlated modalities is for a good part a function of one of them: with
t_j = c v_j + rest it holds c v_i v_j. An additive kernel that gives such directions less weight
than the product kernel does leaves them in its residuals, where they pass for an interaction. So
the base has, beside the linear and quadratic terms of each modality, *shadows* of the product,

.. math::
    K_s = a \circ H_a b H_a + b \circ H_b a H_b,

with a = v v', b = t t', and H the hat matrix of ridge regression of one modality on the other: the
kernel of v_i times the j-th text that v predicts. Rows of heavy-tailed length are told apart by
their length in both modalities at once, which is no interaction anybody asks for: each term is in
the base a second time, of rows of unit length, and the product is of such rows alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.heads import Views
from fusiontheory.pilot.spectrum import PilotSpectrum
from fusiontheory.typing import Array

__all__ = ["additive_and_product", "left_over"]


# Weight of the shadows beside the terms of each modality.
_SHADOWS = 10.0
# Share of the largest that is rounding of none.
_NONE = 1e-10


def additive_and_product(image: ArrayLike, text: ArrayLike) -> tuple[Array, Array]:
    """Return the centred kernels (n0, n0) of the additive base and of the product.

    Raises:
        InputError: see `Views.from_features`.
    """
    v, t = Views.from_features(image, text).apply(image, text)
    additive = _additive(v @ v.T, t @ t.T)
    v, t = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (v, t))
    a, b = v @ v.T, t @ t.T
    return (additive + _additive(a, b)) / 2, centred(a * b)


def _additive(a: Array, b: Array) -> Array:
    """Return the kernel of linear and quadratic terms of each modality and of the shadows."""
    shadows = a * smoothed(a, b) + b * smoothed(b, a)
    return centred(a + a**2 / 2 + b + b**2 / 2 + _SHADOWS * shadows)


def smoothed(kernel: Array, products: Array) -> Array:
    """Return H products H, inner products of rows as ridge regression on a kernel predicts them."""
    spectrum = PilotSpectrum.from_kernel(kernel)
    turned, shrinkage = _regressed(spectrum, products)
    fitted = spectrum.vectors * (1 - shrinkage)
    result: Array = fitted @ turned @ fitted.T
    return result


def left_over(spectrum: PilotSpectrum, products: Array) -> Array:
    """Return (I - H) products (I - H), inner products of what ridge regression does not predict.

    Args:
        spectrum: of the kernel that predicts.
        products: (n0, n0) inner products of what is predicted.
    """
    turned, shrinkage = _regressed(spectrum, products)
    left = spectrum.vectors * shrinkage
    result: Array = left @ turned @ left.T
    # Little may be left, and rounding of much that was there is not symmetric.
    return (result + result.T) / 2


def _regressed(spectrum: PilotSpectrum, products: Array) -> tuple[Array, Array]:
    """Return the products in the kernel's eigenvectors, and 1 - H there at the best ridge.

    The ridge is that of least generalised cross-validation (Golub, Heath & Wahba 1979), which needs
    no columns of what is predicted.
    """
    turned = spectrum.vectors.T @ centred(products) @ spectrum.vectors
    power = np.diag(turned)
    shrinkage = spectrum.shrinkage(spectrum.ridges[spectrum.believable(spectrum.ridges)])
    # Copies of an item tell nothing of how others are predicted; both kernels lack such directions.
    there = (spectrum.values > _NONE * spectrum.values[0]) | (power > _NONE * power.max())
    risk = shrinkage[:, there] ** 2 @ power[there] / shrinkage[:, there].sum(1) ** 2
    return turned, shrinkage[int(risk.argmin())]


def centred(kernel: Array) -> Array:
    """Return the kernel of features less their mean over the items."""
    rows = kernel.mean(0)
    result: Array = kernel - rows - rows[:, None] + rows.mean()
    return result
