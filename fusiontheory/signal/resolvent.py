r"""What the resolvent of a sample's second moment says about the population's.

A sum such as c^T (M_v (x) M_t + kappa)^{-1} c is over the population's eigenvalues lambda, mu; a
sample of N images has its own, l and m, further apart. For one modality Level 2 says how the two
go together. With x off the spectrum,

    (z - M_sample)^{-1} -> (1/rho) (x - M)^{-1},
    z = x rho,   rho = 1 - (1/N) sum_i lambda_i/(lambda_i - x) = 1 - (1/N) sum_i l_i/(l_i - z),

so that rho and x = z/rho follow from the sample. Between two images of the sample itself each end
costs a further rho (Sherman & Morrison):

    x_a^T (z - M_sample)^{-1} x_b -> rho x_a^T (x - M)^{-1} x_b.

Any function of both moments is a sum of resolvents, by Cauchy's formula in each,

    f(M_v, M_t) = (1/2 pi i)^2 oint oint f(x, y) (x - M_v)^{-1} (x) (y - M_t)^{-1} dx dy,

and with x = x(z), y = y(w) the resolvents are the sample's. f must be regular inside the contours,
which must enclose what N images make of the spectrum. For f = 1/(x y + kappa) that is so at every
kappa if images are more than dimensions, else above a smallest kappa, `least_ridge`: sharper
functions N images do not show.

Images also lend M_v and M_t what they have in common. With G = c^T (x - M_v)^{-1} (x) (y -
M_t)^{-1} c the sample's is G + G^2/N to first order in q/N (`fused_signal`).

Source: Mestre, IEEE Trans. Inf. Theory 54 (2008), for one matrix; derivation in ``docs/theory.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, nnls

from fusiontheory.constraints import checked
from fusiontheory.typing import Array

__all__ = [
    "SampleResolvent",
    "fused_resolvent",
    "fused_signal",
    "least_ridge",
    "population_eigenvalues",
]

_Complex = NDArray[np.complex128]

_POINTS = 128
# Half the contour's height in the argument of z. A wide contour is smooth, a narrow one keeps clear
# of the poles of f; the angle of x is larger than that of z by what few images cost.
_ANGLE = 0.9
# Below this share of the largest eigenvalue a direction is taken not to be there.
_NOTHING = 1e-8
# Angles of x and y, at kappa = |x y|, whose sum leaves the pole of 1 / (x y + kappa) outside.
_CLEAR = 0.95 * np.pi
_PENALTY = 1e-5
# Of rho; nearer to 0 the level z / rho is noise.
_LEAST_SHARE = 0.01


@checked
@dataclass(frozen=True, eq=False)
class SampleResolvent:
    """One modality's resolvents on a contour around the spectrum.

    Attributes:
        level: x at each point, in the units of the eigenvalues, shape (p,).
        between: dx / (2 pi i rho (z - l)), what a resolvent between two images of the sample is in
            each direction of its eigenbasis, shape (d, p).
        step: dx / (2 pi i), shape (p,).
        trace: dx / (2 pi i) times tr (x - M)^{-1}, shape (p,).

    Example:
        >>> many = SampleResolvent.of(np.array([2.0, 1.0]), images=1e9)
        >>> fused_resolvent(many, many, 1.0).round(3)  # 1 / (l m + kappa)
        array([[0.2  , 0.333],
               [0.333, 0.5  ]])
    """

    level: _Complex
    between: _Complex
    step: _Complex
    trace: _Complex

    @classmethod
    def of(cls, eigenvalues: Array, images: float) -> SampleResolvent:
        """Return them from a sample's eigenvalues, at least 0, and how many images it has."""
        present = eigenvalues[eigenvalues > _NOTHING * eigenvalues.max()]
        start = np.log(_left_end(present, images))
        end = np.log(6 * present.max())
        angle = 2 * np.pi * (np.arange(_POINTS) + 0.5) / _POINTS
        middle, half = (end + start) / 2, (end - start) / 2
        z = np.exp(middle + half * np.cos(angle) + 1j * _ANGLE * np.sin(angle))
        dz = z * (-half * np.sin(angle) + 1j * _ANGLE * np.cos(angle)) / (1j * _POINTS)
        poles = present / (present - z[:, None])
        rho = 1 - poles.sum(axis=1) / images
        slope = -(poles / (present - z[:, None])).sum(axis=1) / images
        step = (1 - z * slope / rho) / rho * dz
        resolvent = 1 / (z - eigenvalues[:, None])
        # Where there is no direction there is no eigenvalue either.
        resolvent[eigenvalues <= _NOTHING * eigenvalues.max()] = 0
        return cls(
            level=z / rho,
            between=resolvent * (step / rho),
            step=step,
            trace=resolvent.sum(axis=0) * rho * step,
        )

    def shifted(self, power: float) -> SampleResolvent:
        """Return them for M + power I, as noise added to the features makes of it."""
        return replace(self, level=self.level + power)


def _left_end(present: Array, images: float) -> float:
    """Return where the contour crosses the axis, left of the smallest eigenvalue.

    Where images are more than directions rho falls from above 0 to below it before that, and the
    population's spectrum lies beyond where it is 0.
    """
    least = float(present.min())
    edge = least
    if present.size < images:

        def rho(share: float) -> float:
            return float(1 - (present / (present - share * least)).sum() / images)

        edge = least * float(brentq(rho, 0.0, 1 - 1e-12)) if rho(1 - 1e-12) < 0 else least
    return max(edge / 4, 1e-3 * least)


@checked
def fused_resolvent(image: SampleResolvent, text: SampleResolvent, kappa: float) -> Array:
    """Return K(l, m) that stands for 1 / (lambda mu + kappa) between images of the sample.

    Returns:
        Shape (d_v, d_t), in the sample's eigenbases.
    """
    function = 1 / (np.multiply.outer(image.level, text.level) + kappa)
    # The lower half of the contour is the conjugate of the upper one.
    upper = image.level.size // 2
    fused = image.between[:, :upper] @ (function[:upper] @ text.between.T)
    return np.asarray(2 * fused.real)


@checked
def fused_signal(
    image: SampleResolvent, text: SampleResolvent, power: Array, images: float, kappa: Array
) -> Array:
    """Return c^T (M_v (x) M_t + kappa)^{-1} c of the population at each kappa.

    Args:
        image: of M_v.
        text: of M_t.
        power: unbiased c^2 in the sample's eigenbases, shape (d_v, d_t).
        images: N.
        kappa: effective ridges, at least `least_ridge`.
    """
    upper = image.level.size // 2
    density = (image.between[:, :upper] / image.step[:upper]).T @ power
    sampled = density @ (text.between / text.step)
    # G of sampled = G + G^2 / N.
    own = 2 * sampled / (1 + np.sqrt(1 + 4 * sampled / images))
    weight = np.multiply.outer(image.step[:upper], text.step) * own
    product = np.multiply.outer(image.level[:upper], text.level)
    return np.array([2 * float((weight / (product + level)).sum().real) for level in kappa])


@checked
def least_ridge(image: SampleResolvent, text: SampleResolvent) -> float:
    """Return the smallest kappa at which no pole of 1 / (x y + kappa) lies inside the contours."""
    angle = np.abs(np.angle(image.level))[:, None] + np.abs(np.angle(text.level))
    size = np.abs(np.multiply.outer(image.level, text.level))
    return float(np.max(size, where=angle > _CLEAR, initial=0.0))


@checked
def population_eigenvalues(sample: Array, images: float) -> Array:
    """Return eigenvalues whose degrees of freedom are the population's, as the sample tells them.

    df(u) = sum lambda/(lambda + u) at u = z/rho is the sample's own sum l/(l + z). Counts of atoms
    on a grid are fitted to it by non-negative least squares; the k-th eigenvalue is their geometric
    mean between the (k - 1)-th and the k-th. The sample's are moved by the ratio of this to the
    same fit with infinitely many images, so that what the grid blurs is not.

    Args:
        sample: eigenvalues of the sample, decreasing, shape (d,).
        images: N.

    Returns:
        Decreasing, shape (d,), of the sample's trace; the sample's for infinitely many images.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((100, 50))
        >>> sample = np.linalg.eigvalsh(x.T @ x / 100)[::-1]
        >>> found = population_eigenvalues(sample, 100)
        >>> print(f"{sample.std() / sample.mean():.1f}, {found.std() / found.mean():.1f}")
        0.7, 0.1
    """
    moved, kept = _fitted(sample, images), _fitted(sample, np.inf)
    present = (sample > _NOTHING * sample[0]) & (kept > 0)
    values = np.where(present, sample * moved / np.where(present, kept, 1.0), moved)
    values = np.sort(values)[::-1]
    return np.asarray(values * (sample.sum() / values.sum()))


def _fitted(sample: Array, images: float) -> Array:
    top = float(sample[0])
    ridge = top * np.geomspace(1e-7, 1e3, 100)
    freedom = (sample / (sample + ridge[:, None])).sum(axis=1)
    share = 1 - freedom / images
    known = share > _LEAST_SHARE
    level, freedom = ridge[known] / share[known], freedom[known]
    atoms = top * np.geomspace(1.0, 1e-7, 140)
    curves = atoms / (atoms + level[:, None]) / freedom[:, None]
    # Neighbouring atoms look alike; without a trace of a penalty the search may go in circles.
    fitted = np.vstack([curves, _PENALTY * np.eye(atoms.size)])
    wanted = np.concatenate([np.ones(level.size), np.zeros(atoms.size)])
    count, _ = nnls(fitted, wanted, maxiter=100 * atoms.size)
    above = np.concatenate([[0.0], np.cumsum(count)])
    logarithm = np.concatenate([[0.0], np.cumsum(count * np.log(atoms))])
    # Where counts do not add up to all dimensions the rest are zeros.
    ends = np.minimum(np.arange(sample.size + 1.0), above[-1])
    counted = np.diff(ends)
    gained = np.diff(np.interp(ends, above, logarithm))
    return np.where(counted > 0.5, np.exp(gained / np.maximum(counted, 0.5)), 0.0)
