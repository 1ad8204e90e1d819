r"""Canonical correlations of random pairings, at ridges that are chosen once.

Nothing but the cross-covariances depends on the pairing, so that both whitenings of every fold,
with their ridges, are multiplied out once, and a pairing costs one eigenproblem a fold. Ridges are
those of the pairing as it is. To choose them anew for each pairing costs eleven times as many
eigenproblems, and moves the level of the test by less than its simulation shows
(`tests/alignment/test_canonical_null.py`): whichever ridge a fold has, its held-out correlations
are 0 on average over pairings.

Fits are in single precision. What that may lose is added to each value, so that a tie with the
value in double precision counts as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from fusiontheory.typing import AnyArray, Integers

__all__ = ["FixedRidges", "singular"]


_LOST = 1e-6  # a correlation, in single precision


@dataclass(frozen=True, eq=False)
class FixedRidges:
    """What the held-out correlations of any pairing are computed from.

    Attributes:
        images: (n, d_v) around one centre, single precision.
        captions: (n, d_t) the mean caption of each image, likewise.
        rows: of each fold.
        image_whitening: (folds, d_v, d_v) whitens what the fold is scored with.
        text_whitening: (folds, d_t, d_t).
        image_spread: (folds, d_v, d_v) covariance within each fold.
        text_spread: (folds, d_t, d_t), over all captions.
        components: how many correlations.
    """

    images: AnyArray
    captions: AnyArray
    rows: Sequence[Integers]
    image_whitening: AnyArray
    text_whitening: AnyArray
    image_spread: AnyArray
    text_spread: AnyArray
    components: int

    def correlations(self, order: Integers) -> AnyArray:
        """Return them for each fold, (folds, k), where image i has the captions of ``order[i]``.

        ``order`` keeps every image within its fold.
        """
        sizes = np.array([len(rows) for rows in self.rows], dtype=np.float32)
        left = np.stack([self.images[rows].mean(axis=0) for rows in self.rows])
        right = np.stack([self.captions[rows].mean(axis=0) for rows in self.rows])
        cross = np.stack([self.images[rows].T @ self.captions[order[rows]] for rows in self.rows])
        total, correlations = cross.sum(axis=0), []
        for fold, size in enumerate(sizes):
            kept = np.arange(len(sizes)) != fold
            share = sizes[kept] / sizes[kept].sum()
            outer = np.outer(share @ left[kept], share @ right[kept])
            covariance = (total - cross[fold]) / sizes[kept].sum() - outer
            v, t = self.image_whitening[fold], self.text_whitening[fold]
            a, b = singular(v.T @ covariance @ t, self.components)
            own = cross[fold] / size - np.outer(left[fold], right[fold])
            correlations.append(self._scored(fold, v @ a, t @ b, own))
        return np.stack(correlations) + _LOST

    def _scored(self, fold: int, a: AnyArray, b: AnyArray, cross: AnyArray) -> AnyArray:
        joint = np.einsum("dk,dk->k", a, cross @ b)
        squares = np.einsum("dk,dk->k", a, self.image_spread[fold] @ a)
        squares = squares * np.einsum("dk,dk->k", b, self.text_spread[fold] @ b)
        unit = np.sqrt(np.maximum(squares, 0.0)).astype(np.float64)
        result = np.zeros(self.components)
        np.divide(joint, unit, out=result, where=unit > 0)
        return result


def singular(matrix: AnyArray, count: int) -> tuple[AnyArray, AnyArray]:
    """Return the first singular vectors, columns; right ones of singular value 0 are 0.

    >>> left, right = singular(np.diag([3.0, 1.0, 2.0]), 2)
    >>> np.abs(left).round(6).tolist()
    [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]
    """
    if matrix.shape[0] > matrix.shape[1]:
        right, left = singular(matrix.T, count)
        return left, right
    d = len(matrix)
    # Squaring loses singular values below 1e-8 of the first, correlations that no one needs.
    _, vectors = scipy.linalg.eigh(matrix @ matrix.T, subset_by_index=[d - count, d - 1])
    left = vectors[:, ::-1]
    right = matrix.T @ left
    lengths = np.linalg.norm(right, axis=0)
    return left, right / np.where(lengths > 0, lengths, 1.0)
