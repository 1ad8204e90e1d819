"""The one preparation of features: the mean vector taken away, every vector at unit norm."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, finite_array
from fusiontheory.constraints import checked
from fusiontheory.data.features import normalise
from fusiontheory.data.missing import check_varies, check_vectors
from fusiontheory.typing import AnyArray, Array, Integers

__all__ = ["PREPARATION", "Prepared", "prepare"]


PREPARATION = "each side less its mean vector, at unit norm (fusiontheory.prepare)"
"""How outputs name it."""


class Prepared(NamedTuple):
    """Prepared features, as `fusiontheory.Moments.from_features` takes them.

    Attributes:
        image: (n, d_v), rows of unit norm.
        text: (n, captions, d_t) or (n, d_t), as given, vectors of unit norm.

    >>> image, text = prepare(np.eye(3), np.eye(3))
    >>> prepare(np.eye(3), np.eye(3)).image.shape
    (3, 3)
    """

    image: Array
    text: Array


@checked
def prepare(image: ArrayLike, text: ArrayLike, *, rows: ArrayLike | None = None) -> Prepared:
    """Return (x - mean) / ||x - mean|| of each side: how features are prepared everywhere here.

    The command line prepares features so before it predicts, and the studies of features as given
    do too. The mean of texts is over all captions of the images. Prepare the features that a head
    is trained on in the same way, or leave both as they are: the mean alone can change the
    accuracy of a product by points.

    Args:
        image: (n, d_v).
        text: (n, captions, d_t), or (n, d_t) for one text an image.
        rows: images that the means are over, such as the training images; None: all.

    Raises:
        InputError: if an array is not finite, the numbers of images differ, a vector is zero or
            the mean itself, all vectors of a side are equal, or ``rows`` are none of the images.

    >>> image, text = prepare([[3.0, 0.0], [1.0, 0.0], [2.0, 3.0]], np.eye(3))
    >>> np.linalg.norm(image, axis=1).round(6).tolist(), text.shape
    ([1.0, 1.0, 1.0], (3, 3))
    """
    sides = {"image": _floats("image", image, (2,)), "text": _floats("text", text, (2, 3))}
    n = len(sides["image"])
    if len(sides["text"]) != n:
        raise InputError(
            f"text must have one row for each of the {n} images, got {len(sides['text'])} rows"
        )
    kept = slice(None) if rows is None else _rows(rows, n)
    return Prepared(*(_prepared(name, x, kept) for name, x in sides.items()))


def _floats(name: str, x: ArrayLike, ndim: tuple[int, ...]) -> AnyArray:
    # Single precision is kept until the mean is taken, in double precision: features of a file
    # and of an array in memory then give the same digits.
    if isinstance(x, np.ndarray) and x.dtype == np.float32 and x.ndim in ndim:
        finite_array(name, x, ndim)
        return x
    return finite_array(name, x, ndim)


def _rows(rows: ArrayLike, n: int) -> Integers:
    chosen = np.asarray(rows)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or not chosen.size:
        raise InputError(
            f"rows must be a list of whole numbers, at least one, got {chosen.dtype} of shape"
            f" {chosen.shape}"
        )
    if chosen.min() < 0 or chosen.max() >= n:
        raise InputError(f"rows must be from 0 to {n - 1}, got {chosen.min()} to {chosen.max()}")
    return chosen.astype(np.int64)


def _prepared(name: str, x: AnyArray, rows: Any) -> Array:
    check_vectors(name, x)
    check_varies(name, x)
    mean = x[rows].reshape(-1, x.shape[-1]).mean(axis=0, dtype=np.float64)
    return normalise(np.asarray(x, dtype=np.float64) - mean, f"{name} less its mean")
