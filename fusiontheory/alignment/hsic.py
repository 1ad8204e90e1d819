"""The Hilbert-Schmidt independence criterion from sums over kernel matrices, without bias."""

from __future__ import annotations

from fusiontheory.typing import Array

__all__ = ["MINIMUM_IMAGES", "u_statistic"]


MINIMUM_IMAGES = 4


def u_statistic(two: float, image: Array, text: Array) -> float:
    """Return the criterion of two kernel matrices x and y whose diagonals are set to 0.

    It averages products over four distinct images; sums of x_ij y_ik and of x_ij y_kl over
    distinct indices follow from the arguments by inclusion and exclusion.

    Args:
        two: sum_ij x_ij y_ij.
        image: row sums of x, shape (n,), n at least 4.
        text: row sums of y, shape (n,).

    Source: Gretton et al. (2005); the unbiased estimate is that of Song et al. (2012).

    Example:
        >>> import numpy as np
        >>> rows = np.random.default_rng(0).standard_normal((2000, 2))
        >>> gram = rows @ rows.T
        >>> np.fill_diagonal(gram, 0.0)
        >>> sums = gram.sum(axis=1)
        >>> round(u_statistic(float(np.vdot(gram, gram)), sums, sums))  # C = I, |C|^2 = 2
        2
    """
    n = float(image.size)
    three = float(image @ text) - two
    four = float(image.sum() * text.sum()) - 4 * three - 2 * two
    pairs = n * (n - 1)
    return two / pairs - 2 * three / (pairs * (n - 2)) + four / (pairs * (n - 2) * (n - 3))
