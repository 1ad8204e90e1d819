"""Images that are copies of each other, or frames of one video, count once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError

__all__ = ["independent_images"]


def independent_images(groups: ArrayLike, images: int) -> NDArray[np.intp]:
    """Return the row of the first image of each group, in order.

    A closed form of moments divides by numbers of independent images, cuts them into folds that
    must not share any, and pairs an image with the texts of others. Copies break all three: a
    copy's text is a match, and the product of two folds is a square. One image of each group is a
    sample of independent images from the population of groups, so that everything holds with their
    number.

    Args:
        groups: one label for each image, equal for images that are not independent; numbers or
            strings, shape (images,).
        images: number of images.

    Raises:
        InputError: if there is not one label for each image, a label is NaN, or there are fewer
            than 2 groups.

    Example:
        >>> independent_images(["a", "b", "a", "c"], 4)
        array([0, 1, 3])
    """
    labels = np.asarray(groups)
    if labels.shape != (images,):
        raise InputError(
            f"groups must have one label for each of {images} images, got shape {labels.shape}"
        )
    if labels.dtype.kind not in "biufUS":
        raise InputError(f"groups must be numbers or strings, got {labels.dtype}")
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        row = int(np.flatnonzero(np.isnan(labels))[0])
        raise InputError(f"groups must not be NaN, got NaN for image {row}")
    rows = np.sort(np.unique(labels, return_index=True)[1])
    if rows.size < 2:
        raise InputError(f"groups must name at least 2 groups, got {rows.size} for all images")
    return np.asarray(rows, dtype=np.intp)
