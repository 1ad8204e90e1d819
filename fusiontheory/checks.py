"""Checks of arguments, done before any work starts.

Every message names the argument, what it was and what it should be.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "InputError",
    "ValidityWarning",
    "equal_dimensions",
    "finite_array",
    "non_negative",
    "non_negative_array",
    "positive_integer",
    "rank_of",
    "sample_sizes",
    "set_checked",
]


class InputError(ValueError):
    """An argument that cannot be used; command lines print it in one line and exit with 2."""


def finite_array(name: str, value: ArrayLike, ndim: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Return ``value`` as a float64 array of ``ndim`` dimensions (or one of several) without NaN.

    Raises:
        InputError: if it is not numeric, empty, of another dimension, or holds NaN or infinity.
    """
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    if np.iscomplexobj(value):
        raise InputError(f"{name} must be an array of real numbers, got complex ones")
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        got = type(value).__name__
        raise InputError(f"{name} must be an array of numbers, got {got}") from error
    if array.ndim not in allowed:
        wanted = " or ".join(str(k) for k in allowed)
        raise InputError(f"{name} must have {wanted} dimensions, got shape {array.shape}")
    if array.size == 0:
        raise InputError(f"{name} must not be empty, got shape {array.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        bad = array.size - np.count_nonzero(finite)
        raise InputError(
            f"{name} must be finite, got {bad} NaN or infinite of {array.size} values"
            f"{_rows_named(finite)}"
        )
    return array


def _rows_named(right: NDArray[np.bool_]) -> str:
    """Return how many rows of an array are not right, and the first; nothing of a vector."""
    if right.ndim < 2:
        return ""
    wrong = np.flatnonzero(~right.reshape(len(right), -1).all(axis=1))
    return f" in {wrong.size} of {len(right)} rows, such as index {wrong[0]}"


def non_negative(name: str, value: Any) -> float:
    """Return ``value`` as a finite float of at least 0.

    Raises:
        InputError: if it is not a number, not finite, or negative.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} must be a number of at least 0, got {value!r}") from error
    if not np.isfinite(number) or number < 0:
        raise InputError(f"{name} must be a finite number of at least 0, got {value!r}")
    return number


def non_negative_array(
    name: str, value: ArrayLike, ndim: int | tuple[int, ...]
) -> NDArray[np.float64]:
    """Return ``value`` as a finite float64 array without negative values.

    Raises:
        InputError: if it is not such an array.
    """
    array = finite_array(name, value, ndim)
    if array.min() < 0:
        raise InputError(
            f"{name} must be at least 0 everywhere, got {array.min():g}"
            f" ({np.count_nonzero(array < 0)} of {array.size} negative);"
            " set round-off below zero to 0 first"
        )
    return array


def positive_integer(name: str, value: Any, minimum: int = 1) -> int:
    """Return ``value`` as an int of at least ``minimum``.

    Raises:
        InputError: if it is not an integer or too small.
    """
    try:
        if isinstance(value, bool):  # true and false of a configuration are no numbers
            raise TypeError
        number = operator.index(value)
    except TypeError as error:
        raise InputError(f"{name} must be an integer, got {value!r}") from error
    if number < minimum:
        raise InputError(f"{name} must be at least {minimum}, got {number}")
    return number


def sample_sizes(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return one or many sample sizes as a one-dimensional float64 array, each at least 1.

    Raises:
        InputError: if any of them is not finite or below 1.
    """
    sizes = np.atleast_1d(finite_array(name, value, (0, 1)))
    if sizes.min() < 1:
        raise InputError(f"{name} must be at least 1 everywhere, got {sizes.min():g}")
    return sizes


def set_checked(instance: object, name: str, value: Any) -> None:
    """Set an attribute of a frozen dataclass to what its check made of it, in ``__post_init__``.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Sizes:
        ...     count: int
        ...     def __post_init__(self):
        ...         set_checked(self, "count", positive_integer("count", self.count))
        >>> Sizes(np.int64(3))
        Sizes(count=3)
    """
    object.__setattr__(instance, name, value)


class ValidityWarning(UserWarning):
    """A formula was evaluated where it has no finite value or does not hold."""


def equal_dimensions(name: str, d_v: int, d_t: int) -> None:
    """Refuse image and text features of two dimensions for what multiplies them one by one.

    Args:
        name: of the head or metric.
        d_v: dimension of the image features.
        d_t: of the text features.

    Raises:
        InputError: unless they are equal.

    Example:
        >>> equal_dimensions("dot-product", 8, 8)
    """
    if d_v != d_t:
        raise InputError(
            f"{name} needs image and text features of one dimension, got {d_v} and {d_t}"
        )


def rank_of(rank: Any, d_v: int, d_t: int) -> int:
    """Return ``rank`` if a d_v x d_t matrix can have it.

    Raises:
        InputError: for a rank outside 1 .. min(d_v, d_t).

    Example:
        >>> rank_of(2, 4, 3)
        2
    """
    r = positive_integer("rank", rank)
    if r > min(d_v, d_t):
        raise InputError(f"rank must be at most min(d_v, d_t) = {min(d_v, d_t)}, got {r}")
    return r
