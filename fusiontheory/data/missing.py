"""Rows that are not there: zero vectors, NaN and fillers, in the place of a missing modality."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.typing import AnyArray

__all__ = ["check_varies", "check_vectors", "missing_rows"]

_ROUNDING = 1e-6  # of float32, relative to the largest value
_FILLED = 8  # dimensions from which a vector with one value throughout is a filler, such as -1


@checked
def missing_rows(x: AnyArray) -> NDArray[np.bool_]:
    """Return which vectors along the last axis are zero, a filler, or have NaN or infinity.

    A filler is one value throughout, in 8 dimensions or more.

    >>> missing_rows(np.array([[0.0, 0.0], [1.0, 0.0], [np.nan, 1.0]])).tolist()
    [True, False, True]
    >>> missing_rows(np.full((1, 8), -1.0)).tolist()
    [True]
    """
    nothing = ~np.isfinite(x).all(axis=-1) | ~np.any(x, axis=-1)
    missing: NDArray[np.bool_] = nothing | filler_rows(x)
    return missing


def filler_rows(x: AnyArray) -> NDArray[np.bool_]:
    """Return which vectors along the last axis have one value throughout, as -1 for "none"."""
    if x.shape[-1] < _FILLED:
        return np.zeros(x.shape[:-1], dtype=bool)
    filled: NDArray[np.bool_] = (x == x[..., :1]).all(axis=-1)
    return filled


@checked
def check_vectors(name: str, x: AnyArray) -> None:
    """Refuse zero vectors along the last axis, which have no direction, and fillers.

    Raises:
        InputError: naming the first, and how many of how many there are.

    >>> check_vectors("text", np.array([[1.0], [0.0], [0.0]]))
    Traceback (most recent call last):
    fusiontheory.checks.InputError: text must have no zero vector, got one at index [1] (2 of 3 \
rows are zero, as where a modality is missing); leave such rows out
    """
    zero = ~np.any(x, axis=-1)
    filler = filler_rows(x) & ~zero
    if filler.any():
        place = tuple(int(i) for i in np.argwhere(filler)[0])
        raise InputError(
            f"{name} must have no vector with one value throughout, got {x[place][0]:g} at index"
            f" {list(place)} ({np.count_nonzero(filler)} of {filler.size} rows), as where a"
            " modality is missing; leave such rows out"
        )
    if not zero.any():
        return
    index = [int(i) for i in np.argwhere(zero)[0]]
    number = int(np.count_nonzero(zero))
    raise InputError(
        f"{name} must have no zero vector, got one at index {index} ({number} of {zero.size} rows"
        f" {'is' if number == 1 else 'are'} zero, as where a modality is missing); leave such rows"
        " out"
    )


@checked
def check_varies(name: str, x: AnyArray, where: str = "") -> None:
    """Refuse rows that are all equal but for rounding: there is nothing to learn from them.

    Raises:
        InputError: if the rows along all but the last axis are equal.

    >>> check_varies("text", np.ones((300, 1, 2)))
    Traceback (most recent call last):
    fusiontheory.checks.InputError: text must vary, got 300 rows that are all equal; encode the \
texts again, each for itself
    """
    rows = x.reshape(-1, x.shape[-1])
    if np.ptp(rows, axis=0).max() <= _ROUNDING * np.abs(rows).max():
        raise InputError(
            f"{name} must vary, got {len(rows)} rows that are all equal{where}; encode the"
            f" {name}s again, each for itself"
        )
