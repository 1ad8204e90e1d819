"""Shared-latent pairs: two modalities with chosen spectra that share chosen latents.

    z_v,i = sqrt(rho_i) u_i + sqrt(1 - rho_i) p_i,   z_t,i = sqrt(rho_i) u_i + sqrt(1 - rho_i) p'_i

for i up to the latent rank, u shared and p, p' private; the other coordinates are private alone.
v = Lambda_v^(1/2) z_v + noise and t = Q (Lambda_t^(1/2) z_t + noise). Two dials of alignment:

    information   the canonical correlations rho_i; no rotation changes them
    coordinates   tr C / |C|_* = a, the sum of the matched coordinates' covariances over the most
                  that any rotation of t could make it; no choice of rho or spectra changes it
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.checks import (
    InputError,
    non_negative,
    non_negative_array,
    positive_integer,
    set_checked,
)
from fusiontheory.constraints import checked
from fusiontheory.synthetic.latent_model import LatentModel
from fusiontheory.synthetic.rotations import aligned_rotation, unit_interval
from fusiontheory.synthetic.spectra import SpectrumSetting, resolve_spectrum, spectrum_values
from fusiontheory.typing import Array

__all__ = ["SharedLatentPairs"]


_MOST_DIMENSIONS = 2**14
"""A covariance of more takes over 2 GiB, and there are several."""


@checked
@dataclass(frozen=True)
class SharedLatentPairs:
    """Gaussian pairs from shared latents, every dial a field.

    Attributes:
        d_v: dimension of v.
        d_t: dimension of t.
        spectrum_v: of v without noise, as in `fusiontheory.synthetic.spectra`.
        spectrum_t: of t.
        correlation: canonical correlations rho_i in [0, 1] of the latents, one for all or one
            each, as many as ``latent_rank``. Private noise lowers those of the features.
        latent_rank: number of shared latents, 1 .. min(d_v, d_t); None for the most.
        coordinate_alignment: a in [0, 1]; 1: coordinate i of v goes with coordinate i of t; 0: the
            modalities are turned against each other at random.
        noise_v: variance of private noise in every direction of v.
        noise_t: variance of private noise in every direction of t.
        rotation_seed: of the direction of the turn.

    Raises:
        InputError: for dimensions below 1, a rank above min(d_v, d_t), a correlation or an
            alignment outside [0, 1], a spectrum that is not positive, negative noise.

    Example:
        >>> pairs = SharedLatentPairs(d_v=2, d_t=2, correlation=0.5, coordinate_alignment=1.0)
        >>> pairs.model().cross
        array([[0.25, 0.  ],
               [0.  , 0.25]])
    """

    d_v: int
    d_t: int
    spectrum_v: SpectrumSetting = "flat"
    spectrum_t: SpectrumSetting = "flat"
    correlation: float | tuple[float, ...] = 0.0
    latent_rank: int | None = None
    coordinate_alignment: float = 1.0
    noise_v: float = 0.0
    noise_t: float = 0.0
    rotation_seed: int = 0

    def __post_init__(self) -> None:
        """Check every field; files of spectra are read now."""
        for name in ("d_v", "d_t"):
            set_checked(self, name, positive_integer(name, getattr(self, name)))
            if getattr(self, name) > _MOST_DIMENSIONS:
                raise InputError(
                    f"{name} must be at most {_MOST_DIMENSIONS}, got {getattr(self, name)}"
                )
        for name, d in (("spectrum_v", self.d_v), ("spectrum_t", self.d_t)):
            setting = resolve_spectrum(name, getattr(self, name))
            spectrum_values(name, setting, d)
            set_checked(self, name, setting)
        if self.latent_rank is not None:
            most = min(self.d_v, self.d_t)
            rank = positive_integer("latent_rank", self.latent_rank)
            if rank > most:
                raise InputError(f"latent_rank must be at most min(d_v, d_t) = {most}, got {rank}")
            set_checked(self, "latent_rank", rank)
        set_checked(self, "correlation", self._checked_correlation())
        alignment = unit_interval("coordinate_alignment", self.coordinate_alignment)
        if alignment < 1 and self.d_t == 1:
            raise InputError(f"coordinate_alignment must be 1 at d_t = 1, got {alignment:g}")
        set_checked(self, "coordinate_alignment", alignment)
        for name in ("noise_v", "noise_t"):
            set_checked(self, name, non_negative(name, getattr(self, name)))
        positive_integer("rotation_seed", self.rotation_seed, minimum=0)

    def _checked_correlation(self) -> float | tuple[float, ...]:
        rank = min(self.d_v, self.d_t) if self.latent_rank is None else self.latent_rank
        rho = non_negative_array("correlation", self.correlation, (0, 1))
        if rho.max() > 1:
            raise InputError(f"correlation must be in [0, 1], got {rho.max():g}")
        if rho.ndim == 0:
            return float(rho)
        if rho.size != rank:
            raise InputError(
                f"correlation must be one number or one per shared latent, {rank}, got {rho.size}"
            )
        return tuple(rho.tolist())

    @property
    def canonical_correlations(self) -> Array:
        """rho_i of the latents, 0 beyond the rank, shape (min(d_v, d_t),)."""
        most = min(self.d_v, self.d_t)
        rho = np.zeros(most)
        rho[: most if self.latent_rank is None else self.latent_rank] = self.correlation
        return rho

    @property
    def eigenvalues_v(self) -> Array:
        """Variances of v without noise, shape (d_v,)."""
        return spectrum_values("spectrum_v", self.spectrum_v, self.d_v)

    @property
    def eigenvalues_t(self) -> Array:
        """Variances of t without noise, shape (d_t,)."""
        return spectrum_values("spectrum_t", self.spectrum_t, self.d_t)

    def model(self) -> LatentModel:
        """Return the loadings, noise and axes."""
        turn = aligned_rotation(self.d_t, self.coordinate_alignment, self.rotation_seed)
        return LatentModel(
            load_v=np.diag(np.sqrt(self.eigenvalues_v)),
            load_t=turn * np.sqrt(self.eigenvalues_t),
            correlation=self.canonical_correlations,
            noise_v=self.noise_v * np.eye(self.d_v),
            noise_t=self.noise_t * np.eye(self.d_t),
            mean_v=np.zeros(self.d_v),
            mean_t=np.zeros(self.d_t),
            axes_v=np.eye(self.d_v),
            axes_t=turn,
        )
