"""Moments of features on the directions that the modalities share."""

from __future__ import annotations

import warnings
from functools import lru_cache

import numpy as np

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.heads import SharedDirections
from fusiontheory.moments.paired import Moments
from fusiontheory.typing import Array

__all__ = ["on_shared_directions"]


_FOLDS, _SEED = 10, 0
# Of the largest singular value, below which one of a distribution is rounding.
_ROUNDING = 1e-10


@lru_cache(maxsize=8)
def on_shared_directions(moments: Moments) -> Moments:
    """Return the moments of v U and t W, U and W the `SharedDirections`; kept for the next calls.

    Directions fitted to images make these look better aligned than others. So each tenth of the
    images is projected on directions of the other nine, turned to fit those of all, and the
    moments are of images none of which chose its own directions. Of a distribution the
    directions are all those with a singular value that is not 0.

    Raises:
        InputError: for fewer than 50 images.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> shared = rng.standard_normal((500, 3))
        >>> image = np.hstack([shared, rng.standard_normal((500, 9))])
        >>> on_shared_directions(Moments.from_features(image, shared)).dimensions
        (3, 3)
    """
    features = moments.pairs.features()
    if features is None:
        return _of_distribution(moments)
    image, text = features
    if len(image) < 5 * _FOLDS:
        raise InputError(
            f"moments must be of at least {5 * _FOLDS} images for directions that are found on"
            f" one part and tried on another, got {len(image)}"
        )
    with warnings.catch_warnings():
        # Few images were warned of when the moments were made.
        warnings.simplefilter("ignore", ValidityWarning)
        return Moments.from_features(*_held_out(image, text))


def _held_out(image: Array, text: Array) -> tuple[Array, Array]:
    """Return each image and its texts along directions that are fitted without it."""
    whole = SharedDirections.fit(image, text)
    kept = whole.image.shape[1]
    fold = np.random.default_rng(_SEED).permutation(len(image)) % _FOLDS
    first = np.empty((len(image), kept))
    second = np.empty((*text.shape[:2], kept))
    for k in range(_FOLDS):
        own, others = fold == k, fold != k
        directions = leading(image[others], text[others], kept)
        first[own] = image[own] @ turned_to(directions[0], whole.image)
        second[own] = text[own] @ turned_to(directions[1], whole.text)
    return first, second


def leading(image: Array, text: Array, count: int) -> tuple[Array, Array]:
    """Return the first singular directions of the cross-covariance, (d_v, k) and (d_t, k)."""
    v, t = image - image.mean(axis=0), text.mean(axis=1)
    left, _, right = np.linalg.svd(v.T @ (t - t.mean(axis=0)), full_matrices=False)
    return left[:, :count], right[:count].T


def turned_to(directions: Array, target: Array) -> Array:
    """Return the basis of the span of ``directions`` (d, k) that is nearest to ``target``.

    >>> turned_to(-np.eye(3)[:, :2], np.eye(3)[:, :2]).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    """
    left, _, right = np.linalg.svd(directions.T @ target)
    return np.asarray(directions @ (left @ right) + 0.0)


def _of_distribution(moments: Moments) -> Moments:
    (values_v, values_t), (mean_v, mean_t) = moments.pairs.eigenvalues, moments.pairs.means
    left, values, right = np.linalg.svd(moments.cross, full_matrices=False)
    kept = max(int((values > _ROUNDING * values[0]).sum()), 1)
    u, w = left[:, :kept], right[:kept].T
    return Moments.from_second_moments(
        (u.T * values_v) @ u,
        (w.T * values_t) @ w,
        u.T @ moments.cross @ w,
        image_mean=mean_v @ u,
        text_mean=mean_t @ w,
    )
