"""The two alignments of a sample, with standard errors, to hold against those asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, finite_array, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.synthetic.population import inverse_root
from fusiontheory.typing import Array

__all__ = ["MeasuredAlignment", "measured_alignment"]


@checked
@dataclass(frozen=True)
class MeasuredAlignment:
    """Estimates and standard errors.

    Attributes:
        coordinate: of tr C / |C|_*, `FeatureLaw.coordinate_alignment`.
        coordinate_error: its standard error.
        information: of the root mean square of canonical correlations.
        information_error: its standard error.
    """

    coordinate: float
    coordinate_error: float
    information: float
    information_error: float


@checked
def measured_alignment(
    v: ArrayLike, t: ArrayLike, latent_rank: int | None = None, blocks: int = 50
) -> MeasuredAlignment:
    """Return both alignments of a sample, by a jackknife over blocks of rows.

    The jackknife takes the bias of order 1/n out of the plug-in estimates and gives the standard
    errors. The nuclear norm takes the ``latent_rank`` largest singular values, as the others are
    noise; with an unknown rank and C of low rank it is too large, and the alignment too small.

    Args:
        v: image features, shape (n, d_v), n at least 2 blocks.
        t: text features of the same rows, shape (n, d_t).
        latent_rank: rank of C; None for min(d_v, d_t).
        blocks: of the jackknife, at least 2.

    Raises:
        InputError: for arrays that do not fit each other, or a rank or number of blocks out of
            range.

    Source: Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 11.

    Example:
        >>> import numpy as np
        >>> v = np.random.default_rng(0).standard_normal((1000, 3))
        >>> found = measured_alignment(v, v[:, [1, 2, 0]])
        >>> round(found.information, 6), abs(found.coordinate) < 4 * found.coordinate_error
        (1.0, True)
    """
    x, y = finite_array("v", v, 2), finite_array("t", t, 2)
    blocks = positive_integer("blocks", blocks, minimum=2)
    if len(x) != len(y) or len(x) < 2 * blocks:
        raise InputError(
            f"v and t must have equally many rows, at least {2 * blocks}, got {len(x)} and {len(y)}"
        )
    most = min(x.shape[1], y.shape[1])
    rank = most if latent_rank is None else positive_integer("latent_rank", latent_rank)
    if rank > most:
        raise InputError(f"latent_rank must be at most min(d_v, d_t) = {most}, got {rank}")
    joint = np.hstack([x, y])
    parts = np.array_split(joint, blocks)
    sums = np.array([np.vstack([part.sum(axis=0), part.T @ part]) for part in parts])
    sizes = np.array([len(part) for part in parts])
    whole = _alignments(sums.sum(axis=0), len(x), x.shape[1], rank)
    left_out = np.array(
        [
            _alignments(sums.sum(axis=0) - one, len(x) - size, x.shape[1], rank)
            for one, size in zip(sums, sizes, strict=True)
        ]
    )
    pseudo = blocks * whole - (blocks - 1) * left_out
    value, error = pseudo.mean(axis=0), pseudo.std(axis=0, ddof=1) / np.sqrt(blocks)
    # Squares of correlations are smooth at 0, their root is not.
    information = float(np.sqrt(max(value[1], 0.0)))
    slope = 2 * max(information, float(np.sqrt(error[1])))
    error_of_root = float(error[1] / slope) if slope > 0 else 0.0
    return MeasuredAlignment(float(value[0]), float(error[0]), information, error_of_root)


def _alignments(sums: Array, n: int, d_v: int, rank: int) -> Array:
    """Return tr C / |C|_* and the mean squared canonical correlation."""
    mean = sums[0] / n
    moment = sums[1:] / n - np.outer(mean, mean)
    cross = moment[:d_v, d_v:]
    most = np.linalg.svd(cross, compute_uv=False)[:rank].sum()
    white = inverse_root(moment[:d_v, :d_v]) @ cross @ inverse_root(moment[d_v:, d_v:])
    coordinate = np.trace(cross) / most if most > 0 else np.nan
    return np.array([coordinate, np.sum(white**2) / min(white.shape)])
