"""The distance between the centres of image and caption vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.alignment.measurement import Measurement
from fusiontheory.alignment.vectors import unit_vectors
from fusiontheory.constraints import checked
from fusiontheory.typing import Array

__all__ = ["measure_gap", "modality_gap"]


@checked
def modality_gap(image: ArrayLike, text: ArrayLike) -> float:
    """Return |E v - E t|, v and t at unit norm: from 0 to 2.

    Its square is estimated over distinct images, (1/(n (n - 1))) sum_{i != j} delta_i . delta_j
    with delta_i = v_i less the mean of its captions. The square of the distance of the sample
    means is larger by tr Cov(delta)/n, which is noise. A negative estimate counts as 0.

    Args:
        image: (n, d) with n >= 2.
        text: (n, captions, d) or (n, d), row by row the captions of the images.

    Raises:
        InputError: if the arrays do not fit each other, or hold a zero vector.

    Source: Liang et al., arXiv:2203.02053.

    Example:
        >>> modality_gap([[1, 0], [1, 0]], [[0, 1], [0, 1]]) ** 2
        2.0000000000000004
    """
    images, captions = unit_vectors(image, text)
    return float(_root(np.array(_square(images - captions.mean(axis=1)))))


def measure_gap(image: ArrayLike, text: ArrayLike) -> Measurement:
    """Return the gap, on the scale of its square; arguments are those of `modality_gap`.

    Matching does not change the gap, so its null is another one: within each image its vector
    and those of its captions change places at random.

    Example:
        >>> float(measure_gap([[1, 0], [1, 0]], [[0, 1], [0, 1]]).value[0])
        2.0
    """
    images, captions = unit_vectors(image, text)
    n, count, _ = captions.shape
    delta = images - captions.mean(axis=1)
    square = _square(delta)
    together = np.concatenate([images[:, None], captions], axis=1)
    others = together.sum(axis=1) / count

    def null(rng: np.random.Generator) -> Array:
        # The chosen vector less the mean of the rest, which is (sum - chosen)/captions.
        chosen = together[np.arange(n), rng.integers(count + 1, size=n)]
        return np.array([_square((1 + 1 / count) * chosen - others)])

    total = delta.sum(axis=0)
    influence = 2 * ((delta @ total) - (delta**2).sum(axis=1)) / (n - 1)
    centred = delta - total / n
    covariance = centred.T @ centred / (n - 1)
    return Measurement(
        metrics=("modality_gap",),
        value=np.array([square]),
        influence=influence[:, None],
        null=null,
        pair_noise=2 * float((covariance**2).sum()) / n**2,
        scale=_root,
    )


def _square(delta: Array) -> float:
    n = len(delta)
    total = delta.sum(axis=0)
    return float((total @ total - (delta**2).sum()) / (n * (n - 1)))


def _root(square: Array) -> Array:
    result: Array = np.sqrt(np.maximum(square, 0.0))
    return result
