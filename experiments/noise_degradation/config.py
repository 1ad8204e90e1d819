"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.moments import GaussianPairs

__all__ = ["HEADS", "Config"]

HEADS = ("concat-mlp", "bilinear", "dot-product")
"""The gap is the first one's accuracy less the second's."""


@dataclass(frozen=True)
class Config:
    """Levels of noise, alignment and correlation, sample sizes and repetitions.

    Attributes:
        strengths: alignment strengths; 0 and 1 are the conditions unaligned and aligned.
        sigmas: standard deviations of the noise in each coordinate of unit-norm features.
        sides: whose features the noise is added to.
        sizes: numbers of training pairs on the shipped features; with noise on one side only the
            first is measured.
        large: a further size, at which concat-mlp leads on aligned features; measured there,
            without noise and with ``large_sigmas`` on both sides.
        large_sigmas: see there.
        seeds: repetitions on the shipped features, each with its own noise and pairs.
        side_seeds: those with noise on one side only.
        ridge: delta of K + delta I.
        test_pairs: on the shipped features.
        entropy: root of all random numbers; the pairs are those of the main study.
        correlations: canonical correlations of the Gaussian pairs, the same in all directions.
        dimension: of each modality of the Gaussian pairs.
        exponent: their eigenvalues are i^-exponent, brought to trace 1.
        gaussian_sizes, gaussian_seeds, gaussian_test_pairs: on the Gaussian pairs.
    """

    strengths: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    sigmas: tuple[float, ...] = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    sides: tuple[str, ...] = ("both", "image", "text")
    sizes: tuple[int, ...] = (1024, 4096)
    large: int = 8192
    large_sigmas: tuple[float, ...] = (0.02, 0.05)
    seeds: int = 4
    side_seeds: int = 4
    ridge: float = 0.1
    test_pairs: int = 5000
    entropy: int = 2606_01207
    correlations: tuple[float, ...] = (0.1, 0.3, 0.5, 0.7, 0.85, 0.95)
    dimension: int = 64
    exponent: float = 0.5
    gaussian_sizes: tuple[int, ...] = (512, 2048)
    gaussian_seeds: int = 4
    gaussian_test_pairs: int = 4000

    def gaussian_pairs(self, rho: float) -> GaussianPairs:
        """Return Gaussian pairs of trace 1 with every canonical correlation equal to rho."""
        values = np.arange(1.0, self.dimension + 1) ** -self.exponent
        values /= values.sum()
        zero = np.zeros(self.dimension)
        return GaussianPairs(values, values, rho * np.diag(values), zero, zero)


CONDITION_OF = {0.0: "unaligned", 1.0: "aligned"}
"""Strengths at which noise is added."""


def condition_name(strength: float) -> str:
    """Return the name of an alignment strength.

    >>> condition_name(1.0), condition_name(0.25)
    ('aligned', 'strength 0.25')
    """
    return CONDITION_OF.get(strength, f"strength {strength:g}")
