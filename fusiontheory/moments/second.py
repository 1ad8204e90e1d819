"""Second moments of paired features: their eigenbases, checks, and moments of the dot product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, finite_array
from fusiontheory.constraints import checked
from fusiontheory.typing import Array, Floats

__all__ = [
    "DotProductMoments",
    "checked_features",
    "checked_second_moment",
    "cross_power",
    "dot_product_moments",
    "eigenbasis",
    "joint_eigenvalue",
]


# Of the largest eigenvalue: what single-precision second moments have from rounding alone.
ROUNDING = 1e-7
_LARGEST = 1e15
# An unbiased product of two covariances is over four distinct images.
_MINIMUM_IMAGES = 4


@dataclass(frozen=True)
class DotProductMoments:
    """Moments of v.t: how far the matched mean lies above the mismatched, and the variances."""

    difference: float
    matched_variance: float
    mismatched_variance: float

    def spread(self, variance: float) -> DotProductMoments:
        """Return the moments with the variance of independent noise added to both classes."""
        return DotProductMoments(
            difference=self.difference,
            matched_variance=self.matched_variance + variance,
            mismatched_variance=self.mismatched_variance + variance,
        )

    def rescaled(self, factor: float) -> DotProductMoments:
        """Return the moments of factor * v.t."""
        return DotProductMoments(
            difference=factor * self.difference,
            matched_variance=factor**2 * self.matched_variance,
            mismatched_variance=factor**2 * self.mismatched_variance,
        )


@checked
def checked_features(image: ArrayLike, text: ArrayLike) -> tuple[Array, Array]:
    """Return matched features as float64, shapes (n, d_v) and (n, captions, d_t).

    Raises:
        InputError: for other shapes, lengths that differ, NaN or infinity, fewer than 2 images,
            values that are all below 1e-15 or somewhere above 1e15.
    """
    v = finite_array("image", image, 2)
    t = finite_array("text", text, (2, 3))
    if t.ndim == 2:
        t = t[:, None, :]
    if len(v) != len(t):
        raise InputError(
            f"image and text must have one row per image each, got {len(v)} and {len(t)} rows"
        )
    if len(v) < 2:
        raise InputError(f"image must have at least 2 rows (images), got {len(v)}")
    for name, rows in (("image", v), ("text", t)):
        # The 16th power of the features has to fit a double.
        _check_range(name, max(float(rows.max()), -float(rows.min())), _LARGEST)
    return v, t


def _check_range(name: str, largest: float, limit: float) -> None:
    if largest and not 1 / limit <= largest <= limit:
        raise InputError(
            f"{name} must have its largest value between {1 / limit:g} and {limit:g},"
            f" got {largest:g}; rescale the features"
        )


def checked_second_moment(name: str, value: ArrayLike) -> Array:
    """Return a matrix that can be E[x x^T]: square, symmetric, no eigenvalue below 0, not zero.

    What rounding leaves (1e-7 of the largest value) is no fault; the result is symmetric.

    Raises:
        InputError: if it cannot be.

    Example:
        >>> import numpy as np
        >>> checked_second_moment("image", np.diag([1.0, -0.5]))
        Traceback (most recent call last):
        ...
        fusiontheory.checks.InputError: image must have no eigenvalue below 0, got -0.5 (largest 1)
    """
    matrix = finite_array(name, value, 2)
    if matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"{name} must be a square matrix, got shape {matrix.shape}")
    largest = float(np.abs(matrix).max())
    if largest == 0:
        raise InputError(f"{name} must have a feature that is not zero, got all zeros")
    _check_range(name, largest, _LARGEST**2)
    apart = float(np.abs(matrix - matrix.T).max())
    if apart > ROUNDING * largest:
        raise InputError(
            f"{name} must be symmetric, got entries that differ from their mirror image by up to"
            f" {apart:g}"
        )
    matrix = (matrix + matrix.T) / 2
    values = np.linalg.eigvalsh(matrix)
    if values[0] < -ROUNDING * values[-1]:
        raise InputError(
            f"{name} must have no eigenvalue below 0, got {values[0]:.3g}"
            f" (largest {values[-1]:.3g})"
        )
    return matrix


def joint_eigenvalue(image: Array, text: Array, cross: Array) -> float:
    """Return the smallest eigenvalue of [[image, cross], [cross^T, text]] at unit traces.

    Below 0 no data can have these moments. The traces are brought to 1 first, so that the units
    of the features do not matter.

    Example:
        >>> import numpy as np
        >>> joint_eigenvalue(np.eye(1), np.eye(1), np.array([[0.5]]))
        0.5
    """
    scale_v, scale_t = (np.trace(x) or 1.0 for x in (image, text))
    coupled = cross / np.sqrt(scale_v * scale_t)
    joint = np.block([[image / scale_v, coupled], [coupled.T, text / scale_t]])
    return float(np.linalg.eigvalsh(joint)[0])


@checked
def eigenbasis(name: str, second_moment: Array, count: int) -> tuple[Array, Array]:
    """Return the eigenvalues, decreasing, and eigenvectors of a second moment of ``count`` rows.

    Raises:
        InputError: if it is zero.
    """
    values, vectors = np.linalg.eigh(second_moment)
    if values[-1] <= 0:
        raise InputError(f"{name} must have a feature that is not zero, got all zeros")
    # A reversed view would keep products with the basis from the fast matrix multiplication.
    values, vectors = values[::-1], np.ascontiguousarray(vectors[:, ::-1])
    # Rounding leaves tiny values of either sign where the rank is not full; they are zeros.
    return np.where(values > values[0] * count * 1e-15, values, 0.0), vectors


@checked
def cross_power(v: Floats, t: Floats, cross: Array | None = None) -> Array:
    """Return the unbiased estimate of Cov(v_i, t_j)^2 from centred rows, shape (d_v, d_t).

    It averages products over four distinct images. Its sum over i and j is the
    Hilbert-Schmidt criterion of degree (1, 1). Zero for fewer than 4 images.

    Args:
        v: image features less their mean, shape (n, d_v).
        t: text features less their mean, shape (n, d_t).
        cross: v^T t / (n - 1) where it is known, more precisely perhaps than v and t are.

    Example:
        >>> import numpy as np
        >>> x = np.sign(np.random.default_rng(0).standard_normal((4000, 1)))
        >>> cross_power(x - x.mean(), x - x.mean()).round(1)
        array([[1.]])
    """
    n = len(v)
    if n < _MINIMUM_IMAGES:
        return np.zeros((v.shape[1], t.shape[1]))
    square = (v.T @ t if cross is None else (n - 1) * cross) ** 2
    squares_v, squares_t = v**2, t**2
    own = (squares_v.T @ squares_t).astype(np.float64)
    total = (x.sum(axis=0, dtype=np.float64) for x in (squares_v, squares_t))
    # Sums over distinct images follow from those over all; sums of a centred feature are 0.
    two, three = square - own, 2 * own - square
    four = np.outer(*total) + 2 * square - 6 * own
    pairs = n * (n - 1)
    power: Array = (two - 2 * three / (n - 2) + four / ((n - 2) * (n - 3))) / pairs
    return power


@checked
def dot_product_moments(v: Array, t: Array, image: Array, text: Array) -> DotProductMoments | None:
    """Return the moments of v.t from matched features; None if d_v and d_t differ.

    Args:
        v: image features, shape (n, d_v).
        t: text features, shape (n, captions, d_t).
        image: their second moment M_v, (d_v, d_v).
        text: their second moment M_t, (d_t, d_t).
    """
    if v.shape[1] != t.shape[2]:
        return None
    scores = np.matmul(t, v[:, :, None])
    mean_v, mean_t = v.mean(axis=0), t.mean(axis=(0, 1))
    # E[(v.t)^2] for independent v and t is tr(M_v M_t).
    square = float(np.vdot(image, text))
    mismatched = float(mean_v @ mean_t)
    difference = float(scores.mean()) - mismatched
    # Where all scores are equal, what rounding leaves of a difference is none.
    lost = abs(difference) <= 1e-12 * np.sqrt(square)
    return DotProductMoments(
        difference=0.0 if lost else difference,
        matched_variance=float(scores.var()),
        mismatched_variance=max(square - mismatched**2, 0.0),
    )
