"""By how much the difference between matched and mismatched pairs varies from pair to pair."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusiontheory.hsic import MIXED_ORDERS, gram_powers

__all__ = ["witness_covariance"]

_Array = NDArray[np.float64]
_Rows = NDArray[np.floating[Any]]

# Rows of a Gram matrix held at a time.
_BLOCK = 256


def witness_covariance(
    image: _Rows, text: _Rows, orders: tuple[tuple[int, int], ...] = MIXED_ORDERS
) -> _Array:
    """Return the covariance within a class of the witness functions of ``hsic``.

    The witness of order (a, b) is f(v, t) = E+[k] - E-[k], k the kernel (v.v')^a (t.t')^b against
    a matched (+) or a mismatched (-) pair (v', t'): the score along the difference of the class
    means, whose mean difference between the classes is the criterion itself. Its covariance is
    averaged over the two classes.

    Args:
        image: image features, shape (n, d_v), n at least 4.
        text: one text feature per image, shape (n, d_t); neighbouring rows are taken as
            mismatched pairs.
        orders: exponents (a, b), each at least 1.

    Returns:
        Shape (orders, orders). It has the noise of the estimated means, of order 1/n.

    Source: Gretton et al., A kernel two-sample test (2012), for the witness function.

    Example:
        >>> import numpy as np
        >>> x = np.sign(np.random.default_rng(0).standard_normal((2000, 1)))
        >>> witness_covariance(x, x, orders=((1, 1),)).round(1)  # f = v t: 0 and 1 in variance
        array([[0.5]])
    """
    matched = _witnesses(image, text, 0, orders)
    mismatched = _witnesses(image, text, 1, orders)
    covariance: _Array = (np.cov(matched) + np.cov(mismatched)) / 2
    return covariance.reshape(len(orders), len(orders))


def _witnesses(
    image: _Rows, text: _Rows, shift: int, orders: tuple[tuple[int, int], ...]
) -> _Array:
    """Return f of the pairs (image i, text i + shift) from means over all other images."""
    n = len(image)
    partner = (np.arange(n) + shift) % n
    degrees_image = [a for a, _ in orders]
    degrees_text = [b for _, b in orders]
    result = np.empty((len(orders), n))
    for start in range(0, n, _BLOCK):
        own = np.arange(start, min(start + _BLOCK, n))
        row, other = own - start, partner[own]
        gram_image, gram_text = image[own] @ image.T, text[other] @ text.T
        # A pair's own images are in no mean.
        for gram in (gram_image, gram_text):
            gram[row, own] = 0.0
            gram[row, other] = 0.0
        powers_image = gram_powers(gram_image, degrees_image)
        powers_text = gram_powers(gram_text, degrees_text)
        count = n - 1 - (shift > 0)
        for index, (a, b) in enumerate(orders):
            joint = np.einsum("ij,ij->i", powers_image[a], powers_text[b]) / count
            apart = powers_image[a].sum(axis=1) * powers_text[b].sum(axis=1) / count**2
            result[index, own] = joint - apart
    return result
