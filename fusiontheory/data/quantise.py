"""Eight bits for each value: q = round(x / s) with one scale s for each column."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError, finite_array
from fusiontheory.constraints import checked
from fusiontheory.typing import Single

__all__ = ["dequantise", "quantise"]

_LARGEST = 127  # -128 is left out, so that x and -x have opposite codes


@checked
def quantise(x: ArrayLike) -> tuple[NDArray[np.int8], Single]:
    """Return the codes q = round(x / s) and the scales s = max|x| / 127 of the columns.

    Columns are the entries of the last axis, over all others. The error of `dequantise` is at
    most s / 2 (and float32 rounding); a column of zeros has scale 0.

    Args:
        x: (..., d).

    Returns:
        Codes (..., d) in int8 and scales (d,) in float32.

    Raises:
        InputError: if ``x`` is not an array of finite numbers of 1 to 3 dimensions.

    >>> codes, scales = quantise([[1.0, 0.0], [-0.5, 0.0]])
    >>> codes.tolist(), scales.round(4).tolist()
    ([[127, 0], [-64, 0]], [0.007899999618530273, 0.0])
    """
    values = finite_array("x", x, (1, 2, 3))
    largest = np.abs(values).max(axis=tuple(range(values.ndim - 1)))
    scales = (largest / _LARGEST).astype(np.float32)
    codes = np.rint(values / np.where(scales > 0, scales, 1))
    # The scale is rounded to float32: below the smallest of these, codes could leave the range.
    return np.clip(codes, -_LARGEST, _LARGEST).astype(np.int8), scales


@checked
def dequantise(codes: ArrayLike, scales: ArrayLike) -> Single:
    """Return x = q s, the inverse of `quantise` up to s / 2.

    Args:
        codes: (..., d) in int8.
        scales: (d,), each at least 0.

    Raises:
        InputError: if ``codes`` are not int8, or ``scales`` do not fit them.

    >>> dequantise(np.array([[127, 0], [-64, 0]], dtype=np.int8), [0.5, 1.0]).tolist()
    [[63.5, 0.0], [-32.0, 0.0]]
    """
    integers = np.asarray(codes)
    if integers.dtype != np.int8 or integers.ndim == 0:
        raise InputError(
            f"codes must be an array of int8, got {integers.dtype} of shape {integers.shape}"
        )
    factors = finite_array("scales", scales, 1).astype(np.float32)
    if factors.shape != integers.shape[-1:] or factors.min() < 0:
        raise InputError(
            f"scales must be {integers.shape[-1]} numbers of at least 0, one for each column,"
            f" got shape {factors.shape} and minimum {factors.min():g}"
        )
    decoded: Single = integers.astype(np.float32) * factors
    return decoded
