r"""The signal of image-text matching in the fused features v (x) t.

A matched pair has fused features of mean c = vec(C) above a mismatched pair, C the
cross-covariance of v and t over matched pairs. What a ridge classifier can use of it is

    q(kappa) = c^T (S + kappa I)^{-1} c,

S the covariance of v (x) t within a class, averaged over the two classes. In the mismatched class
it is Lambda = M_v (x) M_t. In the matched class it is not, and has d_v d_t rows: too many to
estimate. But q is a resolvent, and two steps of the Lanczos recursion give it from four numbers,

    d_k = c^T R (D R)^k c,   R = (Lambda + kappa I)^{-1},   D = S_matched - Lambda,  k = 0 .. 3,

as the best approximation within the span of R c and R D R c: the [1/2] Pade approximant of
q = sum_k (-1/2)^k d_k. It bounds q from below and tightens what fewer terms give (one term: the
mismatched covariance alone). Each d_k is a product of sample means over different images, hence
estimated without bias when no two factors share images.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicHermiteSpline, CubicSpline
from scipy.optimize import brentq
from scipy.special import expit, logit

from fusiontheory.constraints import checked
from fusiontheory.typing import Array

__all__ = ["MatchingSignal", "lanczos_signal", "signal_curve"]


# Effective ridges of the fine grid, on which only C^2 is needed.
_FINE = 29
# Of B in kappa + B, from where q follows from it.
_SMALL_SHARE = 0.25
# Largest factor between B as it is known and as differences of q say.
_NEAR = 1.5
# B is a mean of eigenvalues of S, which are below its trace; the grid ends at the trace.
_LARGEST_SHARE = 0.5
# Shares nearer to 0 or 1 have no odds.
_EDGE = 1e-9


@checked
@dataclass(frozen=True, eq=False)
class MatchingSignal:
    """q of the bilinear features v (x) t at every effective ridge, finished when it is measured.

    Between the grid's points log q less the logarithm of sum C^2 R, which has nearly the same shape
    and is known everywhere, is a cubic spline in log kappa; above them q is A / (kappa + B), the
    form it takes for large kappa; below them it is linear in kappa.

    Attributes:
        grid: effective ridges at which ``operator`` is known, increasing, up to tr M_v tr M_t,
            in the units of lambda_v lambda_t, shape (g,).
        operator: d_0 .. d_3 at each of them, (g, 4).
        known_error: standard error of q at each from the number of images, (g,).
        reach: effective ridge below which so few images do not show the signal, which is linear
            there, with a wider error; 0 if there is none.
        levels: a finer grid, every so many points of which are those of ``grid``.
        shape: log sum C^2 R on it.
        mismatched: c^T R Lambda R c at each ridge of the grid, of the population's Lambda as few
            images tell it, whose large eigenvalues are smaller than those of the sample, (g,).

    Example:
        >>> grid = np.geomspace(0.01, 1.0, 8)
        >>> d = np.outer(1 / (1 + grid), [1.0, 0, 0, 0])  # R of one direction
        >>> signal = MatchingSignal.of(grid, d, 0 * grid, 0.0, *4 * [np.eye(1)])
        >>> q, slope = signal(np.array([0.5]))
        >>> q.round(4), slope.round(4)
        (array([0.6667]), array([-0.2222]))
    """

    grid: Array
    operator: Array
    known_error: Array
    reach: float
    levels: Array
    shape: Array
    mismatched: Array

    @classmethod
    def of(
        cls,
        grid: Array,
        operator: Array,
        known_error: Array,
        reach: float,
        cross: Array,
        product: Array,
        power: Array,
        population: Array,
    ) -> MatchingSignal:
        """Return the signal with the shape that C and Lambda give it.

        Args:
            grid: effective ridges, (g,).
            operator: d_0 .. d_3 at each, (g, 4).
            known_error: standard error of q at each, (g,).
            reach: effective ridge below which the images do not show the signal.
            cross: C, (d_v, d_t).
            product: Lambda of the pairs themselves.
            power: unbiased C^2.
            population: Lambda of the population.
        """
        levels = np.geomspace(grid[0], grid[-1], _FINE)
        # The points of the coarse grid to the last digit.
        levels[:: (levels.size - 1) // (grid.size - 1)] = grid
        square = cross**2
        sums = np.array([(square / (product + level)).sum() for level in levels])
        within = np.array([(power * population / (population + x) ** 2).sum() for x in grid])
        return cls(
            grid=grid,
            operator=operator,
            known_error=known_error,
            reach=reach,
            levels=levels,
            shape=np.log(np.maximum(sums, np.finfo(np.float64).tiny)),
            mismatched=np.maximum(within, 0.0),
        )

    def __call__(self, kappa: Array, steps: int = 2) -> tuple[Array, Array]:
        """Return q and its derivative in log kappa.

        Args:
            kappa: effective ridges above 0, in the units of ``grid``.
            steps: Lanczos steps; 0 is the plain closed form, which needs second moments of v and
                of t and their cross-covariance alone.
        """
        known = lanczos_signal(self.operator, steps)
        share = self._shares(steps)
        error = np.divide(self.known_error, known, out=np.ones_like(known), where=known > 0)
        return signal_curve(kappa, self.grid, known, self.levels, self.shape, share, error)

    def _shares(self, steps: int) -> Array:
        """Return c^T A^{-1} S A^{-1} c / q at the grid's points, A = S + kappa.

        With A^{-1} c in the direction of R c it is (c^T R S R c / d_0) (q_1 / d_0), q_1 = d_0^2 /
        (d_0 + d_1 / 2) that of one step: exact to first order in S / kappa, and where c is an
        eigenvector of Lambda and of S. S is at least Lambda / 2, half of it being the
        mismatched class's.
        """
        excess = self.operator[:, 1] if steps else np.zeros_like(self.grid)
        matched = np.maximum(self.mismatched + excess, 0.0)
        plain = np.maximum(self.operator[:, 0], np.finfo(np.float64).tiny)
        one = 1 / np.maximum(1 + excess / plain / 2, 0.5)
        return np.asarray((self.mismatched + matched) / 2 / plain * one)

    def error(self, kappa: Array) -> Array:
        """Return the standard error of q from the number of images."""
        if not self.known_error.any():
            return np.zeros_like(kappa)
        # Above the grid it falls as the signal does, as 1 / kappa.
        falling = np.minimum(self.grid[-1], kappa) / kappa
        error = np.log(np.maximum(self.known_error, np.finfo(np.float64).tiny))
        off = np.exp(np.interp(np.log(kappa), np.log(self.grid), error)) * falling
        if self.reach:
            # Below, the signal may go on as it grows there, by the power of kappa, or hardly.
            q, slope = self(self.grid[:1])
            power = float(-slope[0] / q[0]) if q[0] > 0 else 0.0
            grown = np.maximum(self.grid[0] / kappa, 1.0) ** power - 1
            off = np.hypot(off, q[0] * grown)
        return np.asarray(off)

    def rescaled(self, factor: float) -> MatchingSignal:
        """Return the signal of features of which v (x) t is longer by sqrt(factor)."""
        return replace(
            self,
            grid=factor * self.grid,
            reach=factor * self.reach,
            levels=factor * self.levels,
        )


@checked
def lanczos_signal(moments: Array, steps: int = 2) -> Array:
    """Return q from d_0 .. d_3 by ``steps`` steps of the Lanczos recursion.

    No step is the plain closed form q = sum c^2 / (Lambda + kappa), which takes the matched
    class to vary like the mismatched one. Where noise makes the Gram matrix of a step
    indefinite, the result has one step fewer. As no variance is below 0, D >= -Lambda, so that
    q is at most 2 d_0; noise is cut there, too.

    Args:
        moments: d_0 .. d_3 in the last axis, shape (..., 4).
        steps: 0, 1 or 2.

    Returns:
        q, at least 0, of shape (...).

    Example:
        >>> import numpy as np
        >>> d = 4.0 * 0.5 ** np.arange(4)  # one direction: c^2 R = 4, R D = 1/2
        >>> float(lanczos_signal(d, steps=0)), float(lanczos_signal(d, steps=1))
        (4.0, 3.2)
    """
    d0, d1, d2, d3 = np.moveaxis(np.asarray(moments, dtype=np.float64), -1, 0)
    d0 = np.maximum(d0, 0.0)
    if steps == 0:
        return np.asarray(d0)
    # Gram matrix of S + kappa on the basis (R c, R D R c), and c on that basis, (d0, d1).
    g11, g12, g22 = d0 + d1 / 2, d1 + d2 / 2, d2 + d3 / 2
    usable = (g11 > 0) & (d0 > 0)
    one = np.where(usable, d0**2 / np.where(usable, g11, 1.0), d0)
    if steps == 1:
        return np.asarray(np.minimum(one, 2 * d0))
    determinant = g11 * g22 - g12**2
    residual = d1 * g11 - d0 * g12
    definite = usable & (determinant > 1e-9 * np.abs(g11 * g22))
    gain = residual**2 / np.where(definite, determinant * g11, 1.0)
    return np.asarray(np.minimum(np.where(definite, one + gain, one), 2 * d0))


@checked
def signal_curve(
    kappa: Array,
    grid: Array,
    known: Array,
    levels: Array,
    shape: Array,
    share: Array,
    error: Array,
) -> tuple[Array, Array]:
    """Return q and its derivative in log kappa from q at the points of a grid.

    The derivative is that of the curve as far as noise of q leaves it, and what ``share`` says
    else: both are weighted by the inverse of their variances (`_weighted`).

    Args:
        kappa: effective ridges above 0.
        grid: where q is known, increasing, up to tr M_v tr M_t, shape (g,).
        known: q there, noise included.
        levels: a finer grid, every so many points of which are those of ``grid``.
        shape: there, the logarithm of what q looks like; the ratio to it is interpolated.
        share: (q + dq / d log kappa) / q at the grid's points, B / (kappa + B) where q is
            A / (kappa + B). Where kappa is large differences of q do not tell it, as it is smaller
            than their noise: there q follows from it.
        error: standard error of q at the grid's points over q.
    """
    signal = _falling(np.log(grid), known)
    step = (levels.size - 1) // (grid.size - 1)
    ratio = CubicSpline(np.log(grid), signal - shape[::step])
    log_levels, log_kappa = np.log(levels), np.log(kappa)
    # The spline must not swing out where noise leaves points that are far apart.
    left = np.arange(levels.size) // step
    fine = np.clip(
        ratio(log_levels) + shape, signal[-(-np.arange(levels.size) // step)], signal[left]
    )
    signal = _falling(log_levels, np.exp(fine))
    held = np.clip(share, 0.0, _LARGEST_SHARE)
    poles = grid * held / (1 - held)
    # From where on all shares are small.
    first = min(int(np.flatnonzero(np.append(True, share > _SMALL_SHARE))[-1]), grid.size - 1)
    between = np.interp(log_levels, np.log(grid), poles)
    for start in range(first * step, levels.size - 1, step):
        part = slice(start, start + step + 1)
        middle = (between[part][1:] + between[part][:-1]) / 2
        wanted = float(signal[start]) - float(signal[start + step])
        signal[part] = signal[start] - _fallen(levels[part], middle, wanted)
    last, pole = float(levels[-1]), float(poles[-1])
    curve = _monotone(log_levels, signal, -last / (last + pole))
    inside = np.clip(log_kappa, log_levels[0], log_levels[-1])
    above = np.maximum(kappa, last)
    q = np.exp(curve(inside)) * (last + pole) / (above + pole)
    steepness = np.clip(curve(inside, 1), -1.0, 0.0)
    at = np.log(grid)
    told = expit(np.interp(inside, at, logit(np.clip(share, _EDGE, 1 - _EDGE))))
    noise = np.sqrt(2) / (at[1] - at[0]) * np.interp(inside, at, error)
    steepness = _weighted(steepness + 1, told, noise) - 1
    slope = q * np.where(kappa > last, -above / (above + pole), steepness)
    below = np.minimum(kappa / levels[0], 1.0)
    return q - slope * (1 - below), slope * below


def _weighted(differences: Array, share: Array, noise: Array) -> Array:
    """Return the share as differences of q and the closed form tell it together.

    Differences have the noise of q at two points of the grid, as far as q falls between them: where
    it is flat both are off together. The closed form has none to speak of, but it is off by its
    approximation: taken as a standard error, by the factor of B by which it may be put right
    elsewhere.
    """
    fall = 1 - share
    off, noise = np.log(_NEAR) * share * fall, noise * fall
    weight = np.divide(off**2, off**2 + noise**2, out=np.ones_like(off), where=noise > 0)
    return np.asarray(weight * differences + (1 - weight) * share)


def _fallen(kappa: Array, poles: Array, wanted: float) -> Array:
    """Return by how much log q has fallen since the first kappa, as B is between them.

    All of B is larger or smaller by one factor near 1, so that the last value is ``wanted`` if it
    can be.
    """

    def each(factor: float) -> Array:
        own = factor * poles
        return np.asarray(np.log((kappa[1:] + own) / (kappa[:-1] + own)))

    low, high = (float(each(factor).sum()) for factor in (_NEAR, 1 / _NEAR))
    factor = _NEAR if wanted <= low else 1 / _NEAR
    if low < wanted < high:
        factor = float(brentq(lambda x: each(x).sum() - wanted, 1 / _NEAR, _NEAR))
    return np.append(0.0, np.cumsum(each(factor)))


def _monotone(x: Array, y: Array, end: float) -> CubicHermiteSpline:
    """Return a cubic spline through falling values, of slope ``end`` at the end, that only falls.

    Slopes are limited as by Fritsch & Carlson (1980), which changes smooth values nowhere.
    """
    slopes = CubicSpline(x, y, bc_type=("not-a-knot", (1, np.asarray(end))))(x, 1)
    steps = np.diff(y) / np.diff(x)
    flattest = np.maximum(np.append(steps, steps[-1]), np.append(steps[0], steps))
    return CubicHermiteSpline(x, y, np.clip(slopes, 3 * flattest, 0.0))


def _falling(log_kappa: Array, signal: Array) -> Array:
    """Return log q, cut where noise takes it out of the shape of a resolvent.

    q of a positive matrix falls with kappa, but not faster than 1 / kappa. The largest kappa,
    where noise is least, decides.
    """
    log_q = np.log(np.maximum(signal, np.finfo(np.float64).tiny))
    for point in range(log_q.size - 2, -1, -1):
        step = log_kappa[point + 1] - log_kappa[point]
        log_q[point] = np.clip(log_q[point], log_q[point + 1], log_q[point + 1] + step)
    return log_q
