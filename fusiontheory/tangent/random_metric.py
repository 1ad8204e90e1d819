r"""A kernel whose features are weighted by a random metric, from the eigenvalues of a sample.

A network at one initialisation has the features B^{1/2} phi, B a random positive matrix with its
own directions, where the mean over initialisations has phi up to a factor. If B = F^T D F with
F random and independent of everything else and D any positive weights, then for the covariance S
of phi and any direction c,

    c^T B^{1/2} (B^{1/2} S B^{1/2} + kappa)^{-1} B^{1/2} c = c^T (S + xi)^{-1} c

as dimensions grow: the metric acts through one number, xi(kappa), the effective ridge of phi. It
follows from the degrees of freedom, which agree:

    tr B^{1/2} S B^{1/2} (B^{1/2} S B^{1/2} + kappa)^{-1} = tr S (S + xi)^{-1}.

The left side is seen in the eigenvalues e_i of the kernel matrix of m pairs: with any ridge delta,
1/kappa = sum_i 1/(e_i + delta) and the degrees are sum_i e_i/(e_i + delta), the equation of
`effective_ridge` read backwards. The right side is known. No distribution of B is assumed.

Source: the deterministic equivalents of `fusiontheory.risk.ridge`, applied once to
pairs and once to the random features F (as in Louart, Liao & Couillet, arXiv:1702.05419).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from fusiontheory.constraints import checked
from fusiontheory.risk import Spectrum
from fusiontheory.typing import Array

__all__ = ["MatchedMetric", "joined"]


# Ridges at which a sample is read, and points of the spectrum that has the same degrees.
_READ, _NODES, _DECADES = 120, 120, 7
# Fewer degrees of freedom than this carry no information beside the trace.
_FEW_DEGREES = 0.01


@checked
@dataclass(frozen=True, eq=False)
class MatchedMetric:
    """The effective ridge xi(kappa) of the features behind a random metric, and their spectrum.

    Attributes:
        log_kappa: at which it is known, increasing, shape (k,).
        log_xi: its values there. Outside, xi is a constant multiple of kappa.
        spectrum: eigenvalues, with counts that need not be whole, of the same degrees of freedom.
        ridge: what is left of the trace below the smallest of them.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> phi, weights = rng.standard_normal((400, 300)), rng.standard_normal((100, 300)) / 10
        >>> sample = np.linalg.eigvalsh(phi @ weights.T @ weights @ phi.T)
        >>> metric = MatchedMetric.from_sample(sample, Spectrum.from_eigenvalues(np.ones(300)), 0.0)
        >>> kappa = np.array([1.0])  # 300 / (1 + xi) + 100 kappa / xi = 100
        >>> bool(abs(metric.effective_ridge(kappa)[0] - 3.303) < 0.1)
        True
    """

    log_kappa: Array
    log_xi: Array
    spectrum: Spectrum
    ridge: float

    @classmethod
    def from_sample(cls, sample: Array, features: Spectrum, ridge: float) -> MatchedMetric:
        """Match the degrees of freedom of a sample and of the features without a metric.

        Args:
            sample: eigenvalues of the kernel matrix of m pairs, shape (m,).
            features: spectrum of S.
            ridge: power of features that are too many to be in it.
        """
        trace = float(sample.sum())
        values = np.clip(sample, 1e-12 * trace, None)
        delta = trace * np.geomspace(1e-7, 1e3, _READ)[:, None]
        log_kappa = -np.log((1 / (values + delta)).sum(axis=1))
        degrees = (values / (values + delta)).sum(axis=1)
        kept = degrees > _FEW_DEGREES
        log_kappa, degrees = log_kappa[kept], degrees[kept]
        level = trace / len(values)
        log_grid = np.log(level) + np.linspace(-30, 15, 900)
        known = _degrees(features, ridge, np.exp(log_grid))
        # Degrees fall with xi; a sample with more than all of the features has xi at its least.
        log_xi = np.interp(-np.log(degrees), -np.log(known), log_grid)
        log_xi = np.maximum.accumulate(log_xi)
        nodes, ends = level * 10.0 ** np.linspace(-_DECADES, 3, _NODES), (_DECADES + 1, 4)
        kappa = level * 10.0 ** np.linspace(-ends[0], ends[1], 2 * _READ)
        wanted = _degrees(features, ridge, np.exp(_continued(np.log(kappa), log_kappa, log_xi)))
        columns = np.hstack([nodes / (nodes + kappa[:, None]), level / kappa[:, None]])
        counts, _ = nnls(columns / wanted[:, None], np.ones(kappa.size), maxiter=100 * _NODES)
        used = counts[:-1] > 0
        size = int(np.ceil(counts[:-1].sum()))
        spectrum = Spectrum(nodes=nodes[used], counts=counts[:-1][used], size=max(size, 1))
        return cls(log_kappa, log_xi, spectrum, float(counts[-1] * level))

    def effective_ridge(self, kappa: Array) -> Array:
        """Return xi(kappa), in the units of the features without a metric."""
        return np.asarray(np.exp(_continued(np.log(kappa), self.log_kappa, self.log_xi)))

    def signal(
        self, kappa: Array, of: Callable[[Array], tuple[Array, Array]]
    ) -> tuple[Array, Array]:
        """Return q(xi(kappa)) and dq / dlog kappa; ``of`` maps xi to q(xi) and dq / dlog xi."""
        step = 0.05
        q, slope = of(self.effective_ridge(kappa))
        higher, lower = self.effective_ridge(kappa * np.exp([[step], [-step]]))
        return q, slope * np.clip(np.log(higher / lower) / (2 * step), 0.0, 1.0)


def joined(first: Spectrum, second: Spectrum) -> Spectrum:
    """Return the spectrum with the eigenvalues of both, without weights.

    Example:
        >>> one = Spectrum.from_eigenvalues([1.0, 2.0])
        >>> joined(one, one).size
        4
    """
    return Spectrum(
        nodes=np.concatenate([first.nodes, second.nodes]),
        counts=np.concatenate([first.counts, second.counts]),
        size=first.size + second.size,
    )


def _degrees(features: Spectrum, ridge: float, xi: Array) -> Array:
    return np.asarray(features.sum(lambda lam, level: lam / (lam + level), xi) + ridge / xi)


def _continued(log_kappa: Array, known: Array, values: Array) -> Array:
    """Interpolate; outside what is known, xi / kappa stays as it is at the end."""
    inside = np.clip(log_kappa, known[0], known[-1])
    return np.asarray(np.interp(inside, known, values) + log_kappa - inside)
