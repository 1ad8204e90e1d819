"""Shapes of the features of one modality: means, lengths, directions, copies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fusiontheory.constraints import checked
from fusiontheory.typing import AnyArray, Array, Single

__all__ = ["FeatureShape", "distinct_values", "repeated_rows"]


# Leading directions of which the shape is looked at.
_LEADING = 4
# Rows whose values are counted.
_ROWS_FOR_VALUES = 2000
_FIRST_VALUES = 4


@checked
@dataclass(frozen=True, eq=False)
class FeatureShape:
    """Shape of the rows x of one modality, with covariance S.

    Attributes:
        rows: shape (n, d), not constant, n at least 2.

    Example:
        >>> shape = FeatureShape(np.random.default_rng(0).standard_normal((4000, 8)))
        >>> round(shape.length_kurtosis, 1), round(shape.effective_dimensions)
        (1.0, 8)
    """

    rows: AnyArray

    @cached_property
    def _mean(self) -> Array:
        return np.asarray(self.rows.mean(axis=0, dtype=np.float64))

    @cached_property
    def _centred(self) -> Single:
        return np.asarray(self.rows - self._mean, dtype=np.float32)

    @cached_property
    def _squares(self) -> Array:
        return np.asarray(np.einsum("nd,nd->n", self._centred, self._centred), dtype=np.float64)

    @cached_property
    def _covariance(self) -> Array:
        # In the unit of the trace: powers of it are safe in single precision.
        unit = np.float32(1 / np.sqrt(len(self.rows) * self._squares.mean()))
        scaled = self._centred * unit
        return np.asarray(scaled.T @ scaled, dtype=np.float64)

    @cached_property
    def _eigen(self) -> tuple[Array, Array]:
        values, vectors = np.linalg.eigh(self._covariance)
        return values, vectors

    @cached_property
    def _square_trace(self) -> float:
        """tr S^2 / (tr S)^2, of which a sample's own has about 1 / n too much."""
        square_trace = float((self._covariance**2).sum())
        n = len(self.rows)
        return max(square_trace - 1 / n, 1e-3 * square_trace) if n > 2 else square_trace

    @property
    def mean_share(self) -> float:
        """|E x|^2 / E|x|^2, free of what the mean of few rows has by chance.

        Example:
            >>> round(FeatureShape(np.array([[1.0, 0.0], [3.0, 0.0]])).mean_share, 2)  # (4 - 1) / 5
            0.6
        """
        square, varying = float(self._mean @ self._mean), float(self._squares.mean())
        chance = varying / max(len(self.rows) - 1, 1)
        return max(square - chance, 0.0) / (square + varying)

    @property
    def length_kurtosis(self) -> float:
        """E|x|^4 / ((tr S)^2 + 2 tr S^2) of centred rows: 1 for Gaussian ones."""
        relative = self._squares / self._squares.mean()
        return float((relative**2).mean() / (1 + 2 * self._square_trace))

    @property
    def effective_dimensions(self) -> float:
        """(tr S)^2 / tr S^2."""
        return 1 / self._square_trace

    @property
    def first_share(self) -> float:
        """Largest eigenvalue of S over its trace.

        Example:
            >>> round(FeatureShape(np.array([[1.0, 0], [-1, 0], [0, 2], [0, -2]])).first_share, 2)
            0.8
        """
        return float(self._eigen[0][-1])

    @cached_property
    def _scores(self) -> Single:
        values, vectors = self._eigen
        kept = values[-_LEADING:] > 1e-9
        scores = self._centred @ vectors[:, -_LEADING:][:, kept].astype(np.float32)
        return np.asarray(scores / scores.std(axis=0))

    @property
    def leading_skewness(self) -> Array:
        """E z^3 along each of the four directions of most variance, fewer in fewer dimensions."""
        return np.asarray((self._scores**3).mean(axis=0, dtype=np.float64))

    @property
    def leading_kurtosis(self) -> Array:
        """E z^4 - 3 along the same directions.

        Example:
            >>> rows = np.sign(np.random.default_rng(0).standard_normal((400, 1)))
            >>> FeatureShape(rows).leading_kurtosis.round(1).tolist()
            [-2.0]
        """
        return np.asarray((self._scores**4).mean(axis=0, dtype=np.float64)) - 3


def repeated_rows(rows: AnyArray) -> float:
    """Return the share of rows that are exact copies of an earlier one.

    Example:
        >>> repeated_rows(np.array([[1.0], [2.0], [1.0], [1.0]]))
        0.5
    """
    # Rows that differ in their first values need no look at the rest.
    for width in (_FIRST_VALUES, rows.shape[1]):
        # Adding 0 makes -0 and 0 one.
        distinct = len({row.tobytes() for row in rows[:, :width] + 0.0})
        if distinct == len(rows):
            return 0.0
    return 1 - distinct / len(rows)


def distinct_values(rows: AnyArray) -> float:
    """Return the share of distinct values in a coordinate, the median over coordinates.

    Example:
        >>> distinct_values(np.array([[1.0], [2.0], [3.0], [3.0]]))
        0.75
    """
    few = rows[:_ROWS_FOR_VALUES]
    ordered = np.sort(few, axis=0)
    return float(np.median(1 + (np.diff(ordered, axis=0) > 0).sum(axis=0)) / len(few))
