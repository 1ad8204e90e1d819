"""Arrays as people save them, brought to image (n, d) and text (n, captions, d)."""

from __future__ import annotations

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.typing import AnyArray

__all__ = [
    "check_numbers",
    "check_orientation",
    "counting_column",
    "image_rows",
    "text_rows",
    "token_ids",
]

_CHUNK = 4096  # rows at a time
_FEWEST_COUNTED = 8
_VOCABULARY = 1000
_SMALL = 1e-15
"""Of the largest value; the squares of it and of 1 over it are normal numbers in float32."""


def check_numbers(name: str, array: AnyArray, where: str) -> AnyArray:
    """Return an array of real numbers, not yet checked for NaN.

    float16 and whole numbers become float32 or float64, in which differences do not overflow.

    Raises:
        InputError: if it holds anything else, or nothing, or numbers too large or small to square.
    """
    if np.iscomplexobj(array):
        raise InputError(f"{name} must be an array of real numbers, got complex ones in {where}")
    if array.dtype.kind not in "iuf":
        kind = {"U": "text", "S": "text", "b": "truth values", "M": "dates"}
        if array.dtype.kind == "U" and str(array.flat[0] if array.size else "")[:2] in ("b'", 'b"'):
            kind["U"] = "bytes, which say neither type nor shape (save lists of numbers)"
        raise InputError(
            f"{name} must be an array of numbers, got {kind.get(array.dtype.kind, array.dtype)} in"
            f" {where}; give the vectors of an encoder"
        )
    if array.size == 0:
        raise InputError(f"{name} must not be empty, got shape {array.shape} in {where}")
    largest = _largest(array)
    if largest and not _SMALL <= largest <= 1 / _SMALL:
        raise InputError(
            f"{name} must hold numbers whose squares can be computed, got {largest:.1e} as the"
            f" largest in {where}; divide the array by it, which leaves directions as they are"
        )
    if array.dtype.kind in "iu":
        return array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    return array.astype(np.float32) if array.dtype == np.float16 else array


def image_rows(array: AnyArray, where: str) -> AnyArray:
    """Return (n, d) of an image array that may have axes of length 1 beside: (n, 1, d), (1, n, d).

    Raises:
        InputError: if it has another number of axes.

    >>> image_rows(np.ones((4, 1, 3)), "a.npy").shape, image_rows(np.ones((4, 3, 1, 1)), "").shape
    ((4, 3), (4, 3))
    """
    squeezed = _squeezed(array, 2)
    if squeezed.ndim != 2:
        what = "save array.reshape(-1, 1) if it is one number an image"
        if squeezed.ndim > 2:
            what = (
                "pool tokens or patches to one vector an image, or save array.reshape(-1,"
                f" {array.shape[-1]}) if the first axis counts batches"
            )
        raise InputError(
            f"image must have 2 dimensions, (images, dimension), got shape {array.shape} in"
            f" {where}; {what}"
        )
    return squeezed


def text_rows(array: AnyArray, where: str) -> AnyArray:
    """Return (n, captions, d) of a text array, of (n, d) with one caption each.

    Raises:
        InputError: if it has another number of axes.

    >>> text_rows(np.ones((4, 3)), "a.npy").shape, text_rows(np.ones((4, 5, 1, 3)), "").shape
    ((4, 1, 3), (4, 5, 3))
    """
    squeezed = _squeezed(array, 3)
    if squeezed.ndim not in (2, 3):
        raise InputError(
            "text must have 2 or 3 dimensions, (images, captions, dimension), got shape"
            f" {array.shape} in {where}"
        )
    return squeezed[:, None] if squeezed.ndim == 2 else squeezed


def check_orientation(image: AnyArray, text: AnyArray) -> str | None:
    """Return a sentence if the arrays look as if rows and columns were exchanged.

    Raises:
        InputError: if their lengths differ, and would fit if one or both were turned.
    """
    (n, d_v), m, d_t = image.shape, len(text), text.shape[-1]
    shapes = f"image {image.shape} and text {(m, d_t) if text.shape[1] == 1 else text.shape}"
    if text.shape[1] == n != m:
        raise InputError(
            f"rows must be images, got {shapes}, which fit if the first two axes of text are"
            " exchanged: save text.transpose(1, 0, 2)"
        )
    turned = {
        "one of the two": d_v == m and d_t == n and n != m and text.shape[1] == 1,
        "image": d_v == m and n != m,
        "text": d_t == n and n != m and text.shape[1] == 1,
        "image and text": d_v == d_t and m % n != 0 and text.shape[1] == 1 and d_v > max(n, m),
    }
    for which, is_so in turned.items():
        if is_so:
            verb = "are" if "and" in which else "is"
            raise InputError(
                f"rows must be images, got {shapes}, which fit if {which} {verb} turned: save the"
                " transposed array, array.T"
            )
    if n == m and d_v == d_t and d_v > n and text.shape[1] == 1:
        return (
            f"{shapes} have more columns than rows: if these are {d_v} images of {n} dimensions,"
            " the arrays are transposed; save array.T"
        )
    return None


def token_ids(name: str, array: AnyArray, where: str) -> str | None:
    """Return a sentence if an array looks like numbers of words, which are no vectors.

    Args:
        name: what the sentence calls the array.
        array: (n, d) as it is stored.
        where: it comes from.

    >>> token_ids("text", np.array([[49406, 320, 0]]), "t.npy")[:45]
    'text holds whole numbers from 0 to 49406 in t'
    """
    if array.dtype.kind not in "iu" or array.size == 0:
        return None
    least, largest = int(array.min()), int(array.max())
    if least < 0 or largest < _VOCABULARY:
        return None
    return (
        f"{name} holds whole numbers from {least} to {largest} in {where}: if they are the numbers"
        " of words (input_ids), encode them first"
    )


def counting_column(name: str, array: AnyArray, where: str) -> str | None:
    """Return a sentence if the first or the last column counts the rows, as an index does.

    Args:
        name: what the sentence calls the array.
        array: (n, d), of 8 rows or more; fewer may count by chance.
        where: it comes from.

    >>> counting_column("image", np.c_[np.arange(9), np.ones((9, 2))], "a.npy")[:47]
    'column 0 of image counts the rows in a.npy: if '
    """
    n, d = array.shape
    if n < _FEWEST_COUNTED or d < 2:
        return None
    for column in (0, d - 1):
        if np.array_equal(array[:, column] - array[0, column], np.arange(n)):
            return (
                f"column {column} of {name} counts the rows in {where}: if it is an index that was"
                " saved with the vectors, leave it out"
            )
    return None


def _largest(array: AnyArray) -> float:
    """Return the largest absolute value that is finite, by parts, as the array may be mapped."""
    rows, largest = array.reshape(len(array), -1), 0.0
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK].astype(np.float64)
        largest = max(largest, float(np.abs(part[np.isfinite(part)]).max(initial=0.0)))
    return largest


def _squeezed(array: AnyArray, most: int) -> AnyArray:
    """Return the array without axes of length 1, as few of them as leave ``most`` axes."""
    shape = list(array.shape)
    if len(shape) > most and shape[0] == 1:
        shape = shape[1:]
    for axis in (*range(len(shape) - 1, 1, -1), 1):
        # From the end: of (n, d, 1, 1) and of (n, 1, d) alike, d is what is left.
        if len(shape) > most and axis < len(shape) and shape[axis] == 1:
            del shape[axis]
    return array.reshape(shape)
