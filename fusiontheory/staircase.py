"""Products with matrices of two modalities that matter only where lambda_i mu_j is not small.

Of all d_v d_t products v_i t_j few have a variance lambda_i mu_j that counts beside a ridge: those
under the steps of a staircase, for each block of rows as many leading columns. What is asked of a
matrix there takes as much time as it has entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Staircase", "leading"]

_Array: TypeAlias = NDArray[np.float64]
_Rows: TypeAlias = NDArray[np.floating[Any]]
_Pieces: TypeAlias = Sequence[_Rows]

# Rows of the first block; the next ones double, as a hyperbola halves where its rows double.
_FIRST = 8


@dataclass(frozen=True)
class Staircase:
    """Blocks of rows of a matrix, each with its leading columns; a matrix is a piece for each.

    Attributes:
        steps: first row, row after the last and number of columns of each block.

    Example:
        >>> stairs = Staircase.above(1 / np.arange(1.0, 33), 1 / np.arange(1.0, 33), 0.02)
        >>> stairs.steps
        ((0, 8, 32), (8, 16, 5), (16, 32, 2))
        >>> rows, columns = np.ones((5, 32)), np.ones((5, 32))
        >>> square = stairs.gram(rows, columns)
        >>> int(stairs.forms(rows, [square], columns)[0, 0, 0])  # all 328 entries are 5
        1640
    """

    steps: tuple[tuple[int, int, int], ...]

    @classmethod
    def above(cls, rows: _Array, columns: _Array, least: float) -> Staircase:
        """Return the blocks that have all (i, j) with rows_i columns_j >= least > 0."""
        steps: list[tuple[int, int, int]] = []
        start, stop = 0, min(_FIRST, rows.size)
        while start < rows.size:
            width = leading(float(rows[start:stop].max()) * columns, least)
            if steps and steps[-1][1:] == (start, width):
                steps[-1] = steps[-1][0], stop, width
            elif width:
                steps.append((start, stop, width))
            start, stop = stop, min(2 * stop, rows.size)
        return cls(tuple(steps))

    def pieces(self, matrix: _Rows) -> list[_Rows]:
        """Return the pieces of a whole matrix."""
        return [matrix[start:stop, :width] for start, stop, width in self.steps]

    def gram(self, left: _Rows, right: _Rows) -> list[_Rows]:
        """Return the pieces of left^T right, left of shape (n, rows), right (n, columns)."""
        return [left[:, start:stop].T @ right[:, :width] for start, stop, width in self.steps]

    def forms(
        self, left: _Rows, matrices: Sequence[_Pieces], right: _Rows, neighbours: bool = False
    ) -> _Rows:
        """Return left_n^T W right_n for each n and matrix W, shape (1, matrices, n).

        Args:
            left: shape (n, rows).
            matrices: pieces of each.
            right: shape (n, columns).
            neighbours: whether to return left_n^T W right_{n-1} too, shape (2, matrices, n).
        """
        found = np.zeros((1 + neighbours, len(matrices), len(left)), dtype=left.dtype)
        for (start, stop, width), pieces in zip(self.steps, zip(*matrices, strict=True), strict=True):
            rows, columns = left[:, start:stop], right[:, :width]
            # Towards the shorter side, all matrices in one product: narrow ones are slow.
            if width < stop - start:
                turned, other = rows @ np.concatenate(pieces, axis=1), columns
            else:
                turned, other = columns @ np.concatenate(pieces).T, rows
            turned = turned.reshape(len(left), len(pieces), -1)
            found[0] += np.einsum("nmk,nk->mn", turned, other)
            if neighbours and width < stop - start:
                found[1] += np.einsum("nmk,nk->mn", turned, np.roll(other, 1, axis=0))
            elif neighbours:
                found[1] += np.einsum("nmk,nk->mn", np.roll(turned, 1, axis=0), other)
        return found


def leading(values: _Array, threshold: float) -> int:
    """Return how many leading values hold all that reach the threshold.

    Example:
        >>> leading(np.array([3.0, 1.0, 2.0, 0.5]), 2.0)
        3
    """
    reached = np.flatnonzero(values >= threshold)
    return int(reached[-1]) + 1 if reached.size else 0
