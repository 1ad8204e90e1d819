r"""Moments of few images: what their resolvents say about the population's.

The signal sum_ij c_ij^2/(lambda_i mu_j + kappa) and the spectrum lambda_i mu_j are of a population;
a sample has its own eigenvalues l_i, m_j. With N images and one modality, Level 2 says how the two
go together: at the ridge z the sample's resolvent stands for the population's at u, where

    z = u rho(u),   rho(u) = 1 - df(u)/N,   df(u) = sum_i lambda_i/(lambda_i + u)
                                                  = sum_i l_i/(l_i + z).

Between two images of the sample itself, as in the estimate of c^2, each end costs a factor
1/(1 + leverage) = rho (Sherman & Morrison), and the mean resolvent of the others is
(M + u)^{-1}/rho. Together

    x_a^T (M_sample + z)^{-1} x_b  ->  rho x_a^T (M + u)^{-1} x_b.

So 1/(lambda + u) is estimated by (1/rho)/(l + u rho). With two modalities 1/(lambda mu + kappa) is
a resolvent in lambda at u = kappa/mu, and what that leaves is nearly one in mu at w = kappa/l:

    1/(lambda mu + kappa)  <-  (1/rho)/(l m + kappa rho),   rho = rho_v(kappa/m) rho_t(kappa/l).

"Nearly", because rho is held fixed in the second step. Where rho_v or rho_t would be below 1/2, N
images do not show functions as sharp as this; there kappa is raised until it is 1/2, which lowers
the signal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from fusiontheory.moments import Moments

__all__ = ["Reach", "corrected_moments", "corrected_signal"]

_Array = NDArray[np.float64]

# Leverage 1: half of what an image's resolvent says is the image itself.
_LEAST = 0.5
_GRID = np.geomspace(1e-6, 1.0, 15)
_POINTS = 200


@dataclass(frozen=True, eq=False)
class Reach:
    """Which resolvents of one modality N images stand for.

    Attributes:
        level: effective ridges u of the population, increasing, shape (k,).
        share: rho(u) at each, from 1/2 to 1.
        eigenvalues: of the population, decreasing, of the sample's length: those whose df(u) comes
            closest to the sample's (non-negative least squares).
    """

    level: _Array
    share: _Array
    eigenvalues: _Array

    @classmethod
    def of(cls, sample: _Array, images: float) -> Reach:
        """Return it from the eigenvalues of a sample's second moment."""
        top = float(sample[0])
        z = top * np.geomspace(1e-7, 1e5, _POINTS)
        freedom = (sample / (sample + z[:, None])).sum(axis=1)
        share = 1 - freedom / images
        known = share > 0.01
        level = z[known] / share[known]
        fitted = _population(level, freedom[known], top, sample.size)
        clear = share[known] >= _LEAST
        return cls(level[clear], share[known][clear], fitted)

    def __call__(self, level: _Array) -> _Array:
        """Return rho at effective ridges of any shape, at least that of the smallest known one."""
        return np.asarray(np.interp(np.log(level), np.log(self.level), self.share))


def _population(level: _Array, freedom: _Array, top: float, size: int) -> _Array:
    atoms = top * np.geomspace(1.0, 1e-6, 120)
    curves = atoms / (atoms + level[:, None])
    count, _ = nnls(curves / freedom[:, None], np.ones(level.size))
    # The k-th eigenvalue is that at which k - 1/2 of them lie above.
    above = np.cumsum(count)
    places = np.searchsorted(above, np.arange(size) + 0.5)
    return np.where(places < atoms.size, atoms[np.minimum(places, atoms.size - 1)], 0.0)


def corrected_signal(
    power: _Array, sample: tuple[_Array, _Array], reach: tuple[Reach, Reach], kappa: _Array
) -> _Array:
    """Return sum c^2/(lambda mu + kappa) of the population, shape (len(kappa),).

    Args:
        power: unbiased c^2 in the sample's eigenbases, (d_v, d_t).
        sample: the sample's eigenvalues l and m.
        reach: of v and of t.
        kappa: effective ridges.
    """
    # Directions that the sample does not have carry no c^2.
    of_v, of_t = (np.maximum(x, 1e-12 * x[0])[:, None] for x in sample)
    of_t = of_t.T
    image, text = reach
    least = np.maximum(of_t * image.level[0], of_v * text.level[0])
    found = np.empty(kappa.size)
    for point, wanted in enumerate(kappa):
        raised = np.maximum(wanted, least)
        share = image(raised / of_t) * text(raised / of_v)
        found[point] = (power / share / (of_v * of_t + raised * share)).sum()
    return np.maximum(found, np.finfo(np.float64).tiny)


def corrected_moments(moments: Moments) -> Moments:
    """Return moments with the eigenvalues and the second-moment signal of the population.

    The covariance of matched pairs beyond that of mismatched ones is left out: few images do not
    show it.

    Args:
        moments: of a sample with one text of each image.

    Example:
        >>> x = np.random.default_rng(0).standard_normal((60, 40))
        >>> plain = Moments.from_features(x, x)
        >>> for known in (plain, corrected_moments(plain)):
        ...     print(f"{known.image_eigenvalues[0]:.0f}, {known.image_eigenvalues[-1]:.1f}")
        3, 0.1
        2, 0.8
    """
    sample = moments.image_eigenvalues, moments.text_eigenvalues
    reach = Reach.of(sample[0], moments.images), Reach.of(sample[1], moments.images)
    grid = _GRID * moments.grid[-1]
    operator = np.zeros((grid.size, 4))
    operator[:, 0] = corrected_signal(moments.cross_power, sample, reach, grid)
    return replace(
        moments,
        image_eigenvalues=reach[0].eigenvalues,
        text_eigenvalues=reach[1].eigenvalues,
        grid=grid,
        operator=operator,
        signal_error=moments.matching_error(grid),
    )
