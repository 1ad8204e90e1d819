r"""How image and text depend on each other, and what their cross-covariance does not show.

With K = v.v' and L = t.t' over pairs of centred rows, |Cov(v (x) v, t (x) t)|^2 is the covariance
of K^2 and L^2 over pairs, each doubly centred, as HSIC is for kernels. For Gaussian pairs it is

    2 (|C|^4 + tr (C C^T)^2),    with E over independent rows,

and Cov(v, t (x) t) = 0. What is above is dependence that second moments do not show.

Source: Gretton et al., Measuring statistical dependence with Hilbert-Schmidt norms (2005);
the unbiased estimate is that of Song et al., JMLR 13 (2012), eq. 5.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh

from fusiontheory.constraints import checked, numbers
from fusiontheory.typing import AnyArray, Array

__all__ = ["HalvesDependence", "halves_dependence", "kernel_dependence"]


_LEADING = 3


class HalvesDependence(NamedTuple):
    """What two halves of the rows say of each other's dependence.

    Attributes:
        agreement: cosine between their cross-covariances: 1 where both show the same signal,
            about 0 where they show noise alone.
        leading_correlation: the largest correlation in one half along the three leading singular
            pairs of the other half's cross-covariance.
        shared_lengths: covariance of |v|^2 and |t|^2 beyond that of Gaussian pairs of the same C,
            over the larger of their deviations and those of Gaussian rows.
    """

    agreement: float
    leading_correlation: float
    shared_lengths: float


@checked(image=numbers, text=numbers)
def halves_dependence(image: AnyArray, text: AnyArray) -> HalvesDependence:
    """Return dependence as the halves of rows in random order show it.

    Args:
        image: shape (n, d_v).
        text: shape (n, d_t).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> lengths = np.exp(0.5 * rng.standard_normal((2000, 1)))
        >>> v, t = lengths * rng.standard_normal((2, 2000, 16))
        >>> found = halves_dependence(v, t)
        >>> bool(found.shared_lengths > 0.5), bool(abs(found.agreement) < 0.2)
        (True, True)
    """
    half = len(image) // 2
    if half < 2:
        return HalvesDependence(0.0, 0.0, 0.0)
    v, t = (_in_own_unit(x - x.mean(axis=0)) for x in (image, text))
    parts = slice(half), slice(half, None)
    crosses = [_cross(v[part], t[part]) for part in parts]
    common = float((crosses[0] * crosses[1]).sum())
    scale = float(np.linalg.norm(crosses[0]) * np.linalg.norm(crosses[1]))
    dependence = np.zeros(_LEADING)
    for cross, other in zip(crosses, parts[::-1], strict=True):
        left, right = _leading_pairs(cross)
        first, second = v[other] @ left, t[other] @ right
        first, second = first - first.mean(axis=0), second - second.mean(axis=0)
        spread = np.sqrt((first**2).mean(axis=0) * (second**2).mean(axis=0))
        product = (first * second).mean(axis=0)
        rho = np.divide(product, spread, out=np.zeros_like(spread), where=spread > 0)
        dependence[: rho.size] += rho / 2
    return HalvesDependence(
        agreement=common / scale if scale > 0 else 0.0,
        leading_correlation=float(dependence.max()),
        shared_lengths=_shared_lengths(v, t, common),
    )


def _in_own_unit(x: Array) -> AnyArray:
    """Return features over a power of 2, so that their fourth powers stay in single precision."""
    _, exponent = np.frexp(np.abs(x).max(initial=0.0))
    return np.asarray(np.ldexp(x, -exponent), dtype=np.float32)


def _leading_pairs(cross: Array) -> tuple[AnyArray, AnyArray]:
    """Return the leading singular pairs, from the smaller of the two Gram matrices."""
    if cross.shape[0] > cross.shape[1]:
        right, left = _leading_pairs(cross.T)
        return left, right
    d = len(cross)
    vectors = eigh(cross @ cross.T, subset_by_index=(max(d - _LEADING, 0), d - 1))[1]
    return vectors.astype(np.float32), (cross.T @ vectors).astype(np.float32)


def _shared_lengths(v: AnyArray, t: AnyArray, power: float) -> float:
    squares = [np.einsum("nd,nd->n", x, x).astype(np.float64) for x in (v, t)]
    covariance = float(np.cov(*squares)[0, 1])
    spread = 1.0
    for x, square in zip((v, t), squares, strict=True):
        second = x.T @ x / np.float32(len(x))
        gaussian = np.sqrt(2 * float((second**2).sum()))
        spread *= max(float(square.std()), gaussian)
    return (covariance - 2 * power) / spread if spread > 0 else 0.0


@checked(image=numbers, text=numbers)
def kernel_dependence(image: AnyArray, text: AnyArray) -> tuple[float, float]:
    """Return dependence of squares beyond Gaussian pairs, and of features on products.

    Both are roots of shares between 0 and 1: the squared covariance of v (x) v and t (x) t, less
    that of Gaussian pairs of the same C, over what each has with itself; and the larger of those
    of v with t (x) t and of v (x) v with t. Negative values are cut at 0.

    Args:
        image: shape (n, d_v), n at least 4 for anything but 0.
        text: shape (n, d_t).

    Example:
        >>> x = np.random.default_rng(0).standard_normal((800, 6))
        >>> gaussian, signs = kernel_dependence(x, x)[0], kernel_dependence(x, np.abs(x))[1]
        >>> bool(gaussian < 0.2 < signs)
        True
    """
    if len(image) < 4:
        return 0.0, 0.0
    v, t = (np.asarray(x - x.mean(axis=0), dtype=np.float64) for x in (image, text))
    # Squares of squares are taken: in the unit of the lengths.
    v, t = (x / np.sqrt((x**2).sum(axis=1).mean()) for x in (v, t))
    first = [np.asarray(x @ x.T) for x in (v, t)]
    second = [gram**2 for gram in first]
    for gram in (*first, *second):
        _double_centre(gram)
    own = [_hsic(gram, gram) for gram in first]
    power = _hsic(*first)
    cross = _cross(v, t)
    gaussian = 2 * (max(power, 0.0) ** 2 + _fourth(cross, power))
    own_squares = [_hsic(gram, gram) for gram in second]
    squares = (_hsic(*second) - gaussian) / _root(own_squares[0] * own_squares[1])
    mixed = max(
        _hsic(first[0], second[1]) / _root(own[0] * own_squares[1]),
        _hsic(second[0], first[1]) / _root(own_squares[0] * own[1]),
    )
    return float(np.sqrt(max(squares, 0.0))), float(np.sqrt(max(mixed, 0.0)))


def _cross(image: AnyArray, text: AnyArray) -> Array:
    v, t = image - image.mean(axis=0), text - text.mean(axis=0)
    return np.asarray(v.T @ t / max(len(v) - 1, 1), dtype=np.float64)


def _fourth(cross: Array, power: float) -> float:
    """Return tr (C C^T)^2 with the sample's C brought to the unbiased |C|^2."""
    own = float((cross**2).sum())
    product = cross @ cross.T
    return float((product**2).sum()) * (max(power, 0.0) / own) ** 2 if own > 0 else 0.0


def _double_centre(gram: Array) -> None:
    """Centre by U-statistics over distinct rows, in place; the diagonal becomes 0."""
    n = len(gram)
    np.fill_diagonal(gram, 0.0)
    sums = gram.sum(axis=0)
    gram -= sums[:, None] / (n - 2)
    gram -= sums / (n - 2)
    gram += sums.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(gram, 0.0)


def _hsic(first: Array, second: Array) -> float:
    """Return the unbiased estimate from two matrices that are centred so."""
    n = len(first)
    return float(np.vdot(first, second)) / (n * (n - 3))


def _root(value: float) -> float:
    return float(np.sqrt(value)) if value > 0 else np.inf
