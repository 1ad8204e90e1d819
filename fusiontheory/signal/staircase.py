"""Products with matrices of two modalities that matter only where lambda_i mu_j is not small.

Of all d_v d_t products v_i t_j few have a variance lambda_i mu_j that counts beside a ridge: those
under the steps of a staircase, for each block of rows as many leading columns. What is asked of a
matrix there takes as much time as it has entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fusiontheory.constraints import checked
from fusiontheory.typing import Array, Floats

__all__ = ["Staircase", "leading"]


# Rows of the first block; the next ones double, as a hyperbola halves where its rows double.
_FIRST = 8


@checked
@dataclass(frozen=True)
class Staircase:
    """Blocks of rows of a matrix, each with its leading columns; the entries there are a vector.

    Attributes:
        steps: first row, row after the last and number of columns of each block.

    Example:
        >>> values = 1 / np.arange(1.0, 33)
        >>> stairs = Staircase.above(values, values, 0.02)
        >>> stairs.steps, stairs.size
        (((0, 8, 32), (8, 16, 5), (16, 32, 2)), 328)
        >>> rows, columns = np.ones((5, 32)), np.ones((5, 32))
        >>> fives = stairs.gram(rows, columns)
        >>> stairs.forms(rows, fives[None], columns)[0, 0]
        array([1640., 1640., 1640., 1640., 1640.])
    """

    steps: tuple[tuple[int, int, int], ...]

    @classmethod
    def above(cls, rows: Array, columns: Array, least: float) -> Staircase:
        """Return the blocks that have all (i, j) with rows_i columns_j >= least > 0."""
        steps: list[tuple[int, int, int]] = []
        for start, stop in _blocks(rows.size):
            width = leading(float(rows[start:stop].max()) * columns, least)
            if steps and steps[-1][1:] == (start, width):
                steps[-1] = steps[-1][0], stop, width
            elif width:
                steps.append((start, stop, width))
        return cls(tuple(steps))

    @classmethod
    def symmetric(cls, values: Array, least: float) -> tuple[Staircase, Array]:
        """Return the blocks of a symmetric matrix up to the diagonal's, and the entries' weights.

        Entries left of the diagonal's block count twice, once for their mirror image.

        Example:
            >>> stairs, weights = Staircase.symmetric(np.ones(20), 0.5)
            >>> stairs.steps, int(weights.sum())
            (((0, 8, 8), (8, 16, 16), (16, 20, 20)), 400)
        """
        steps = []
        for start, stop in _blocks(values.size):
            width = leading(float(values[start:stop].max()) * values, least)
            if width:
                steps.append((start, stop, min(width, stop)))
        stairs = cls(tuple(steps))
        row_block = np.zeros(values.size)
        for start, stop, _ in steps:
            row_block[start:stop] = start
        left = np.arange(values.size) < row_block[:, None]
        return stairs, np.asarray(stairs.entries(1.0 + left), dtype=np.float64)

    @property
    def size(self) -> int:
        """The number of entries."""
        return sum((stop - start) * width for start, stop, width in self.steps)

    def entries(self, matrix: Floats) -> Floats:
        """Return the entries of a whole matrix, shape (size,)."""
        return _vector([matrix[start:stop, :width] for start, stop, width in self.steps])

    def outer(self, rows: Array, columns: Array) -> Array:
        """Return the entries of the matrix rows_i columns_j."""
        pieces = [np.outer(rows[a:b], columns[:width]) for a, b, width in self.steps]
        return np.asarray(_vector(pieces), dtype=np.float64)

    def gram(self, left: Floats, right: Floats) -> Floats:
        """Return the entries of left^T right, left of shape (n, rows), right (n, columns)."""
        return _vector([left[:, a:b].T @ right[:, :width] for a, b, width in self.steps])

    def forms(
        self, left: Floats, matrices: Floats, right: Floats, neighbours: bool = False
    ) -> Floats:
        """Return left_n^T W right_n for each n and matrix W, shape (1, matrices, n).

        Args:
            left: shape (n, rows).
            matrices: entries of each, shape (matrices, size).
            right: shape (n, columns).
            neighbours: whether to return left_n^T W right_{n-1} too, shape (2, matrices, n).
        """
        n, count = len(left), len(matrices)
        forms = np.zeros((1 + neighbours, count, n), dtype=left.dtype)
        end = 0
        for start, stop, width in self.steps:
            height = stop - start
            begin, end = end, end + height * width
            pieces = matrices[:, begin:end].reshape(count, height, width)
            other, columns = left[:, start:stop], right[:, :width]
            # Towards the shorter side, all matrices in one product: narrow ones are slow.
            if width < height:
                turned = other @ pieces.swapaxes(0, 1).reshape(height, -1)
                other = columns
            else:
                turned = columns @ pieces.reshape(-1, width).T
            turned = turned.reshape(n, count, -1)
            forms[0] += np.einsum("nmk,nk->mn", turned, other)
            if neighbours and width < height:
                forms[1] += np.einsum("nmk,nk->mn", turned, np.roll(other, 1, axis=0))
            elif neighbours:
                forms[1] += np.einsum("nmk,nk->mn", np.roll(turned, 1, axis=0), other)
        return forms


def _blocks(size: int) -> list[tuple[int, int]]:
    starts = [0]
    while (following := max(2 * starts[-1], _FIRST)) < size:
        starts.append(following)
    return list(zip(starts, [*starts[1:], size], strict=True))


def _vector(pieces: Sequence[Floats]) -> Floats:
    return np.concatenate([np.ravel(piece) for piece in pieces] or [np.empty(0)])


def leading(values: Array, threshold: float) -> int:
    """Return how many leading values hold all that reach the threshold.

    Example:
        >>> leading(np.array([3.0, 1.0, 2.0, 0.5]), 2.0)
        3
    """
    reached = np.flatnonzero(values >= threshold)
    return int(reached[-1]) + 1 if reached.size else 0
