"""Arguments that have to be arrays: what can be one is, numbers of other types are converted."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from fusiontheory.checks import InputError
from fusiontheory.constraints.words import refuse

__all__ = ["array_like", "array_of", "numbers"]


def _array(name: str, value: Any) -> Any:
    """Return an array of whatever can be one, an array as it is."""
    if hasattr(value, "toarray"):
        raise InputError(f"{name} must be a dense array, got sparse {type(value).__name__}")
    if isinstance(value, np.ma.MaskedArray):
        if np.ma.is_masked(value):
            raise InputError(f"{name} must be an array without masked values; fill or drop them")
        return np.asarray(value)
    if isinstance(value, np.ndarray):
        return value
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise refuse(name, "an array, its rows of one length", value) from error
    if array.ndim == 0 and array.dtype.kind in "OSU":
        raise InputError(f"{name} must be an array of numbers, got {type(value).__name__}")
    return array


def array_like(name: str, value: Any) -> Any:
    """Return the value, refused if no array, or an array of anything but numbers or words."""
    array = _array(name, value)
    if array.dtype.kind == "c":
        raise InputError(f"{name} must be an array of real numbers, got complex ones")
    if array.dtype.kind in "mMV":
        raise InputError(f"{name} must be an array of numbers, got {array.dtype}")
    return array if isinstance(value, np.ma.MaskedArray) else value


_INTEGERS = "biu"


def array_of(scalar: Any) -> Callable[[str, Any], Any]:
    """Return the kind of arrays of a scalar type; other numbers are converted without loss."""
    scalar = typing.get_origin(scalar) or scalar  # np.floating[Any] is no class
    if not (inspect.isclass(scalar) and issubclass(scalar, np.generic)):
        return _array
    if issubclass(scalar, np.floating):
        return numbers
    if issubclass(scalar, np.complexfloating):
        return lambda name, value: _numbers(name, value, np.complex128, "numbers", "fc")
    if issubclass(scalar, np.integer | np.bool_):
        return lambda name, value: _numbers(name, value, None, "integers", _INTEGERS)
    return _array


def _numbers(name: str, value: Any, dtype: Any, words: str, kinds: str) -> Any:
    if isinstance(value, NDArrayOperatorsMixin):
        return value  # stays where it is, such as on a device, and says itself what it cannot do
    array = _array(name, value)
    if array.dtype.kind in kinds and array.dtype != np.longdouble:
        return array
    if array.dtype.kind == "c":
        raise InputError(f"{name} must be an array of real numbers, got complex ones")
    if dtype is None and not array.size:
        return array.astype(np.int64)
    if dtype is None and array.dtype.kind == "f":
        return array  # the function says what is wrong with it
    if dtype is None or array.dtype.kind in "SUmMV":
        got = array.dtype if isinstance(value, np.ndarray) else type(value).__name__
        raise InputError(f"{name} must be an array of {words}, got {got}")
    try:
        numbers = array.astype(dtype)
        if array.dtype == object and any(one is None for one in array.flat):
            raise TypeError
        return numbers
    except (TypeError, ValueError, OverflowError) as error:
        got = type(value).__name__
        raise InputError(f"{name} must be an array of {words}, got {got}") from error


def numbers(name: str, value: Any) -> Any:
    """Return an array of floating-point numbers, or refuse what cannot be one.

    >>> numbers("x", [1, 2])
    array([1., 2.])
    """
    return _numbers(name, value, np.float64, "numbers", "f")
