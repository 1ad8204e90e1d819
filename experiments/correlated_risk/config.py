"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fusiontheory.risk import FusionSetting

Head = Literal["additive", "bilinear"]


@dataclass(frozen=True)
class Config:
    """Correlations, spectra, targets, heads and sample sizes of the study."""

    dimension: int = 32
    correlations: tuple[float, ...] = (0.0, 0.3, 0.6, 0.9)
    exponent_v: float = 0.8
    exponent_t: float = 0.4
    noise: float = 0.25
    # A tenth of the bilinear head's mean eigenvalue: small enough for a high interpolation peak.
    ridge_over_trace: float = 1e-4
    # Power of the additive and of the bilinear part of the target.
    targets: tuple[tuple[str, float, float], ...] = (
        ("bilinear", 0.0, 1.0),
        ("mixed", 0.5, 0.5),
    )
    # The additive head interpolates up to n = 64, the bilinear one up to n = 1024.
    n: tuple[int, ...] = (32, 64, 128, 256, 512, 768, 1024, 1280, 2048, 4096, 8192)
    # The additive head is cheap and, with 64 features, fluctuates more between draws.
    draws: tuple[tuple[Head, int], ...] = (("additive", 400), ("bilinear", 48))
    seed: int = 30730

    def setting(self, head: Head, rho: float, additive: float, bilinear: float) -> FusionSetting:
        """Return the setting of one head on one target with isotropic raw coefficients."""
        index = np.arange(1, self.dimension + 1)
        lambda_v = index**-self.exponent_v / np.sum(index**-self.exponent_v)
        lambda_t = index**-self.exponent_t / np.sum(index**-self.exponent_t)
        # Each modality has trace 1, hence traces 2 and 1 for the heads.
        trace = 2.0 if head == "additive" else 1.0
        return FusionSetting(
            head=head,
            eigenvalues_v=lambda_v,
            eigenvalues_t=lambda_t,
            additive_power=additive * np.concatenate([lambda_v, lambda_t]) / 2,
            bilinear_power=bilinear * np.outer(lambda_v, lambda_t),
            ridge=self.ridge_over_trace * trace,
            noise=self.noise,
            correlation=np.full(self.dimension, rho),
        )
