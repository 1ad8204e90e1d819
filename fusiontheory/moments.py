"""Moments of paired features: all that the predicted curves know of the data."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from fusiontheory.checks import InputError, finite_array
from fusiontheory.deterministic_equivalent import ValidityWarning
from fusiontheory.hsic import MINIMUM_IMAGES, MIXED_ORDERS, hsic
from fusiontheory.matching_signal import FOLDS, lanczos_signal, operator_rotations
from fusiontheory.witness import witness_covariance

__all__ = ["DotProductMoments", "Moments"]

_Array = NDArray[np.float64]

# Effective ridges, over tr M_v tr M_t, at which the matching signal is estimated; between them
# it is smooth in log kappa. The smallest is reached near n = 10^5 samples.
_GRID = np.geomspace(1e-6, 1.0, 16)
# Below this many images a fold says nothing about a covariance.
_IMAGES_FOR_FOLDS = 10 * FOLDS
_FOLD_SEED = 0
_LARGEST = 1e15
# The third and fourth degree need all pairs of images; more than these would take minutes.
_MOST_FOR_GRAM = 8192


@dataclass(frozen=True)
class DotProductMoments:
    """Moments of v.t: how far the matched mean lies above the mismatched, and the variances."""

    difference: float
    matched_variance: float
    mismatched_variance: float


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of matched image and text features, in the eigenbases of their second moments.

    Attributes:
        image_eigenvalues: of M_v = E[v v^T], at least 0, shape (d_v,).
        text_eigenvalues: of M_t = E[t t^T], shape (d_t,).
        cross: cross-covariance C = Cov(v, t) over matched pairs, in the eigenbases (d_v, d_t).
        cross_power: unbiased estimate of the squares of ``cross``; can be negative.
        dot_product: moments of v.t; None if d_v and d_t differ.
        mixed: Hilbert-Schmidt independence criterion of v and t under (v.v')^a (t.t')^b, by
            (a, b), for the orders `fusiontheory.hsic.MIXED_ORDERS`.
        mixed_covariance: of their witness functions within a class, in that order, (5, 5).
        images: number of images.
        captions: texts per image.
        grid: effective ridges at which ``operator`` is known, increasing, shape (g,).
        operator: d_0 .. d_3 of `fusiontheory.matching_signal` at each of them, (g, 4).
        signal_error: standard error of the matching signal at each, (g,).

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> shared = rng.standard_normal((500, 8))
        >>> image = shared + rng.standard_normal((500, 8))
        >>> moments = Moments.from_features(image, shared)
        >>> moments.cross.shape, moments.images
        ((8, 8), 500)
    """

    image_eigenvalues: _Array
    text_eigenvalues: _Array
    cross: _Array
    cross_power: _Array
    dot_product: DotProductMoments | None
    mixed: dict[tuple[int, int], float]
    mixed_covariance: _Array
    images: int
    captions: int
    grid: _Array = field(repr=False)
    operator: _Array = field(repr=False)
    signal_error: _Array = field(repr=False)

    @classmethod
    def from_features(cls, image: ArrayLike, text: ArrayLike) -> Moments:
        """Estimate the moments from matched features, one row per image.

        The features are taken as they are; centre and normalise them first, the way they will
        be measured. Time grows as n d_v d_t + min(n, 8192)^2 (d_v + d_t), memory as the features.

        Args:
            image: image features, shape (n, d_v), n at least 2.
            text: text features, shape (n, captions, d_t), or (n, d_t) for one text per image.

        Raises:
            InputError: for other shapes, lengths that differ, NaN or infinity, fewer than 2
                images, a modality that is zero everywhere, or values that are all below 1e-15
                or somewhere above 1e15.

        Warns:
            ValidityWarning: with fewer than 50 images, where the covariance of matched pairs
                cannot be estimated and is taken to be that of mismatched pairs. With fewer than
                4 the signal cannot be either; it is taken to be 0.
        """
        v, t = _checked(image, text)
        n, captions, _ = t.shape
        values_v, basis_v = _eigenbasis("image", v)
        values_t, basis_t = _eigenbasis("text", t.reshape(n * captions, -1))
        dot_product = _dot_product(v, t)
        v, t = v @ basis_v, t @ basis_t
        mean_t = t.mean(axis=1)
        centred_v, centred_t = v - v.mean(axis=0), mean_t - mean_t.mean(axis=0)
        cross = centred_v.T @ centred_t / (n - 1)
        cross_power = _cross_power(centred_v, centred_t)
        product = np.outer(values_v, values_t)
        # In units in which both second moments have trace 1: single precision has a short range.
        # d_k has no units.
        unit_v, unit_t = v / np.sqrt(values_v.sum()), t / np.sqrt(values_t.sum())
        trace = values_v.sum() * values_t.sum()
        rotations = _operator(unit_v, unit_t, product / trace, cross_power / trace)
        mixed, covariance = _mixed(unit_v, unit_t)
        scale = np.array([values_v.sum() ** a * values_t.sum() ** b for a, b in MIXED_ORDERS])
        grid = _GRID * trace
        return cls(
            image_eigenvalues=values_v,
            text_eigenvalues=values_t,
            cross=cross,
            cross_power=cross_power,
            dot_product=dot_product,
            mixed=dict(zip(MIXED_ORDERS, (mixed * scale).tolist(), strict=True)),
            mixed_covariance=covariance * np.outer(scale, scale),
            images=n,
            captions=captions,
            grid=grid,
            operator=rotations.mean(axis=1),
            signal_error=_signal_error(rotations, cross_power, product, grid, n),
        )

    @property
    def dimensions(self) -> tuple[int, int]:
        """The dimensions d_v and d_t."""
        return self.image_eigenvalues.size, self.text_eigenvalues.size

    @cached_property
    def concat_eigenvalues(self) -> _Array:
        """Eigenvalues of the second moment of [v; t] over balanced pairs, (d_v + d_t,).

        Half the pairs are matched, so that the blocks M_v and M_t are coupled by C / 2.
        """
        d_v, _ = self.dimensions
        joint = np.diag(np.concatenate([self.image_eigenvalues, self.text_eigenvalues]))
        joint[:d_v, d_v:] = self.cross / 2
        joint[d_v:, :d_v] = self.cross.T / 2
        # Sampling noise and rounding can push the smallest ones below 0.
        return np.clip(np.linalg.eigvalsh(joint), 0.0, None)

    def matching_signal(self, kappa: _Array, steps: int = 2) -> tuple[_Array, _Array]:
        """Return q(kappa) of the bilinear features and its derivative in log kappa.

        Between the grid's points by a cubic spline in log q over log kappa; above them as
        A / (kappa + B), the form it takes for large kappa; below them it is linear in kappa.

        Args:
            kappa: effective ridges above 0, in the units of lambda_v lambda_t.
            steps: Lanczos steps; 0 is the plain closed form, which needs second moments of v
                and of t and their cross-covariance alone.

        Source: `fusiontheory.matching_signal`.
        """
        log_grid, log_kappa = np.log(self.grid), np.log(kappa)
        signal = _falling(log_grid, lanczos_signal(self.operator, steps))
        last, top = self.grid[-2:], np.exp(signal[-2:])
        # B is a mean of eigenvalues of S, which are below its trace; the grid ends at the trace.
        pole = min(
            float(np.diff(last * top)[0]) / max(float(top[0] - top[1]), np.finfo(np.float64).tiny),
            float(last[1]),
        )
        end = -last[1] / (last[1] + pole)
        curve = CubicSpline(log_grid, signal, bc_type=("not-a-knot", (1, end)))
        inside = np.clip(log_kappa, log_grid[0], log_grid[-1])
        above = np.maximum(kappa, last[1])
        q = np.exp(curve(inside)) * (last[1] + pole) / (above + pole)
        slope = np.where(kappa > last[1], -above / (above + pole), curve(inside, 1))
        slope = q * np.clip(slope, -1.0, 0.0)
        below = np.minimum(kappa / self.grid[0], 1.0)
        return q - slope * (1 - below), slope * below

    def matching_error(self, kappa: _Array) -> _Array:
        """Return the standard error of ``matching_signal`` from the number of images."""
        # Above the grid it falls as the signal does, as 1 / kappa.
        falling = np.minimum(self.grid[-1] / kappa, 1.0)
        error = np.interp(np.log(kappa), np.log(self.grid), self.signal_error)
        return np.asarray(error * falling)


def _checked(image: ArrayLike, text: ArrayLike) -> tuple[_Array, _Array]:
    v = finite_array("image", image, 2)
    t = finite_array("text", text, (2, 3))
    if t.ndim == 2:
        t = t[:, None, :]
    if len(v) != len(t):
        raise InputError(
            f"image and text must have one row per image each, got {len(v)} and {len(t)} rows"
        )
    if len(v) < 2:
        raise InputError(f"image must have at least 2 rows (images), got {len(v)}")
    for name, rows in (("image", v), ("text", t)):
        largest = float(np.abs(rows).max())
        # The 16th power of the features has to fit a double.
        if largest and not 1 / _LARGEST <= largest <= _LARGEST:
            raise InputError(
                f"{name} must have its largest value between {1 / _LARGEST:g} and {_LARGEST:g},"
                f" got {largest:g}; rescale the features"
            )
    return v, t


def _eigenbasis(name: str, rows: _Array) -> tuple[_Array, _Array]:
    """Return eigenvalues, decreasing, and eigenvectors of the second moment of ``rows``."""
    values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
    if values[-1] <= 0:
        raise InputError(f"{name} must have a feature that is not zero, got all zeros")
    values, vectors = values[::-1], vectors[:, ::-1]
    # Rounding leaves tiny values of either sign where the rank is not full; they are zeros.
    return np.where(values > values[0] * len(values) * 1e-15, values, 0.0), vectors


def _cross_power(v: _Array, t: _Array) -> _Array:
    """Return the unbiased estimate of Cov(v_i, t_j)^2 from centred rows.

    It averages products over four distinct images. Its sum over i and j is the
    Hilbert-Schmidt criterion of degree (1, 1).
    """
    n = len(v)
    if n < MINIMUM_IMAGES:
        return np.zeros((v.shape[1], t.shape[1]))
    square, own = (v.T @ t) ** 2, (v**2).T @ t**2
    # Sums over distinct images follow from those over all; sums of a centred feature are 0.
    two, three = square - own, 2 * own - square
    four = np.outer((v**2).sum(axis=0), (t**2).sum(axis=0)) + 2 * square - 6 * own
    pairs = n * (n - 1)
    power: _Array = (two - 2 * three / (n - 2) + four / ((n - 2) * (n - 3))) / pairs
    return power


def _falling(log_kappa: _Array, signal: _Array) -> _Array:
    """Return log q, cut where noise takes it out of the shape of a resolvent.

    q of a positive matrix falls with kappa, but not faster than 1 / kappa. The largest kappa,
    where noise is least, decides.
    """
    log_q = np.log(np.maximum(signal, np.finfo(np.float64).tiny))
    for point in range(log_q.size - 2, -1, -1):
        step = log_kappa[point + 1] - log_kappa[point]
        log_q[point] = np.clip(log_q[point], log_q[point + 1], log_q[point + 1] + step)
    return log_q


def _operator(v: _Array, t: _Array, product: _Array, cross_power: _Array) -> _Array:
    """Return d_0 .. d_3 on the grid by rotation; d_0 alone, the others 0, for too few images."""
    if len(v) >= _IMAGES_FOR_FOLDS:
        order = np.random.default_rng(_FOLD_SEED).permutation(len(v))
        # Single precision halves the time; the estimates' own noise is far larger.
        single = v.astype(np.float32), t.astype(np.float32)
        return operator_rotations(*single, product, order % FOLDS, list(_GRID))
    warnings.warn(
        f"image has {len(v)} rows; below {_IMAGES_FOR_FOLDS} the covariance of matched pairs is"
        " taken to be that of mismatched pairs",
        ValidityWarning,
        stacklevel=3,
    )
    operator = np.zeros((_GRID.size, 1, 4))
    operator[:, 0, 0] = [(cross_power / (product + level)).sum() for level in _GRID]
    return operator


def _signal_error(
    rotations: _Array, cross_power: _Array, product: _Array, grid: _Array, images: int
) -> _Array:
    """Return the standard error of q, from what it owes to c and from the folds' noise.

    One image moves c^T R c by 2 (f - q) / n, f = v^T R c t its matched score (the infinitesimal
    jackknife over images); the noise of c itself adds 2 tr((Lambda R)^2) / n^2, all that is left
    where there is no signal. What the other d_k add is the jackknife over rotations of the folds.
    """
    operator = rotations.mean(axis=1)
    direct = np.empty(grid.size)
    for point, level in enumerate(grid):
        resolvent = 1 / (product + level)
        within = max(float((cross_power * product * resolvent**2).sum()), 0.0)
        # d_1 is what matched scores vary by beyond mismatched ones; it is noisy too.
        scores = within + max(float(operator[point, 1]), 0.0)
        noise = float(((product * resolvent) ** 2).sum())
        direct[point] = 4 * scores / images + 2 * noise / images**2
    turns = rotations.shape[1]
    if turns == 1:
        return np.sqrt(direct)
    left_out = lanczos_signal((operator[:, None] * turns - rotations) / (turns - 1))
    return np.asarray(np.sqrt(direct + (turns - 1) * left_out.var(axis=1)))


def _dot_product(v: _Array, t: _Array) -> DotProductMoments | None:
    if v.shape[1] != t.shape[2]:
        return None
    scores = np.einsum("nd,nkd->nk", v, t)
    mean_v, mean_t = v.mean(axis=0), t.mean(axis=(0, 1))
    texts = t.reshape(-1, t.shape[2])
    # E[(v.t)^2] for independent v and t is tr(M_v M_t).
    square = float(np.vdot(v.T @ v / len(v), texts.T @ texts / len(texts)))
    mismatched = float(mean_v @ mean_t)
    difference = float(scores.mean()) - mismatched
    # Where all scores are equal, what rounding leaves of a difference is none.
    lost = abs(difference) <= 1e-12 * np.sqrt(square)
    return DotProductMoments(
        difference=0.0 if lost else difference,
        matched_variance=float(scores.var()),
        mismatched_variance=max(square - mismatched**2, 0.0),
    )


def _mixed(v: _Array, t: _Array) -> tuple[_Array, _Array]:
    """Return the criteria of the third and fourth degree and the covariance of their witnesses."""
    orders = len(MIXED_ORDERS)
    if len(v) < MINIMUM_IMAGES:
        return np.zeros(orders), np.zeros((orders, orders))
    chosen = np.arange(len(v))
    if len(v) > _MOST_FOR_GRAM:
        chosen = np.random.default_rng(_FOLD_SEED).permutation(len(v))[:_MOST_FOR_GRAM]
    # One caption per image, a different one for neighbouring images.
    image = v[chosen].astype(np.float32)
    text = t[chosen, np.arange(len(chosen)) % t.shape[1]].astype(np.float32)
    criteria = hsic(image, text)
    return np.array([criteria[order] for order in MIXED_ORDERS]), witness_covariance(image, text)
