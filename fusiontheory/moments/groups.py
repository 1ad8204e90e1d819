"""Images that are copies of each other, or frames of one video, count once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.typing import AnyArray, Integers

__all__ = ["check_groups", "independent_images", "largest_group", "numbered", "representatives"]


@checked
def independent_images(groups: ArrayLike, images: int) -> Integers:
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
        InputError: as `check_groups` does.

    Example:
        >>> independent_images(["a", "b", "a", "c"], 4)
        array([0, 1, 3])
    """
    return representatives(check_groups(groups, images))


@checked
def check_groups(groups: ArrayLike, rows: int) -> Integers:
    """Return group ids as numbers from 0, one a row.

    Args:
        groups: numbers or texts, shape (rows,).
        rows: number of images.

    Raises:
        InputError: for another number of ids, ids that are NaN, or ids of one
            group alone: such rows are one independent image, from which nothing can be estimated.

    Example:
        >>> check_groups(["b", "a", "b"], 3).tolist()
        [0, 1, 0]
    """
    given = np.asarray(groups)
    if given.shape != (rows,):
        raise InputError(f"groups must have one id per image, {rows}, got shape {given.shape}")
    if given.dtype.kind not in "biufUS":
        raise InputError(f"groups must be numbers or texts, got {given.dtype}")
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        row = int(np.flatnonzero(~np.isfinite(given))[0])
        raise InputError(f"groups must be finite, got {given[row]} for image {row}")
    numbers = numbered(np.unique(given, return_inverse=True)[1])
    if rows > 1 and numbers.max() == 0:
        raise InputError(
            f"groups must have at least 2 groups, got 1 for all {rows} images: they are copies"
            " of one, from which nothing can be estimated"
        )
    return numbers


@checked
def representatives(groups: Integers) -> Integers:
    """Return the first row of each group, in order.

    Example:
        >>> representatives(np.array([0, 1, 0, 2])).tolist()
        [0, 1, 3]
    """
    return np.asarray(np.sort(np.unique(groups, return_index=True)[1]))


def largest_group(groups: Integers) -> float:
    """Return the share of rows in the largest group; 0 if no group has two.

    Example:
        >>> largest_group(np.array([0, 1, 0, 2])), largest_group(np.array([0, 1]))
        (0.5, 0.0)
    """
    most = int(np.bincount(groups).max())
    return most / len(groups) if most > 1 else 0.0


def numbered(labels: AnyArray) -> Integers:
    """Return labels as numbers in the order of their first rows."""
    first, inverse = np.unique(labels, return_index=True, return_inverse=True)[1:]
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return np.asarray(order[inverse])
