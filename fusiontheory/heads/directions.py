"""The directions in which two modalities vary together, beyond what chance shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked, numbers
from fusiontheory.typing import AnyArray, Array

__all__ = ["SharedDirections"]


# Pairings at random whose largest singular value is chance, and their seed.
_PAIRINGS, _SEED = 5, 0


@checked
@dataclass(frozen=True, eq=False)
class SharedDirections:
    """Singular directions of the cross-covariance C whose singular values stand out from chance.

    C = U diag(s) W^T over matched pairs; kept are the columns with s_k above the largest singular
    value of C where images and texts are paired at random (the largest of 5 pairings). The rule
    has no free number, and sees neither labels nor test pairs.

    Attributes:
        image: U, (d_v, k).
        text: W, (d_t, k).
        values: s_k, decreasing, (k,); at least one direction is kept.
        edge: the largest singular value by chance.
    """

    image: Array
    text: Array
    values: Array
    edge: float

    @classmethod
    def fit(cls, image: AnyArray, text: AnyArray) -> SharedDirections:
        """Return the directions of matched features, one row for each image.

        Args:
            image: (n, d_v), n at least 4.
            text: (n, captions, d_t), or (n, d_t) for one text an image.

        Raises:
            InputError: for other shapes, or fewer than 4 images.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> shared = rng.standard_normal((500, 2))
            >>> v = np.hstack([shared, rng.standard_normal((500, 6))])
            >>> SharedDirections.fit(v, shared).image.shape
            (8, 2)
        """
        v, t = np.asarray(image, dtype=np.float64), np.asarray(text, dtype=np.float64)
        if v.ndim != 2 or t.ndim not in (2, 3) or len(v) != len(t) or len(v) < 4:
            raise InputError(
                "image and text must be (n, d_v) and (n, d_t) or (n, captions, d_t) of at least 4"
                f" images, got {v.shape} and {t.shape}"
            )
        t = t.mean(axis=1) if t.ndim == 3 else t
        v, t = v - v.mean(axis=0), t - t.mean(axis=0)
        left, values, right = np.linalg.svd(v.T @ t / (len(v) - 1), full_matrices=False)
        edge = chance_edge(v, t)
        kept = max(int((values > edge).sum()), 1)
        return cls(left[:, :kept], right[:kept].T, values[:kept], edge)

    @checked(image=numbers, text=numbers)
    def project(self, image: AnyArray, text: AnyArray) -> tuple[Any, Any]:
        """Return the coordinates v U and t W along the directions, in the precision given.

        Args:
            image: (..., d_v).
            text: (..., d_t).
        """
        return (
            image @ self.image.astype(image.dtype, copy=False),
            text @ self.text.astype(text.dtype, copy=False),
        )


def chance_edge(v: Array, t: Array) -> float:
    """Return the largest singular value of v^T t / (n - 1) over random pairings of centred rows."""
    rng = np.random.default_rng(_SEED)
    largest = [
        np.linalg.norm(v[rng.permutation(len(v))].T @ t, ord=2) / (len(v) - 1)
        for _ in range(_PAIRINGS)
    ]
    return float(max(largest))
