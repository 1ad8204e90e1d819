"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fusiontheory.risk import FusionSetting

Head = Literal["additive", "bilinear"]


CONTROL = "gaussian twin"
FORMULAS = ["predicted", "predicted_product"]


@dataclass(frozen=True)
class Case:
    """One head on one target.

    Attributes:
        head: additive, bilinear or `CONTROL`, the bilinear head on features made Gaussian.
        target: its name.
        additive, bilinear: power of the two parts of the target.
        draws: of the training set.
    """

    head: str
    target: str
    additive: float
    bilinear: float
    draws: int


@dataclass(frozen=True)
class Config:
    """Spectra, targets, heads and sample sizes of the study."""

    dimension: int = 40
    exponent_v: float = 1.2
    exponent_t: float = 0.8
    noise: float = 0.25
    # Small, as in practice, but enough that the interpolation peak has a finite mean.
    ridge_over_trace: float = 1e-3
    # Power of the additive and of the bilinear part of the target.
    targets: tuple[tuple[str, float, float], ...] = (
        ("additive", 1.0, 0.0),
        ("bilinear", 0.0, 1.0),
        ("mixed", 0.5, 0.5),
    )
    # The additive head interpolates up to n = 80, the bilinear one up to n = 1600.
    n: tuple[int, ...] = (50, 80, 100, 200, 400, 800, 1200, 1500, 1600, 1700, 2000, 2400, 3200)
    # The additive head is cheap and, with 80 features, fluctuates more between draws.
    draws: tuple[tuple[Head, int], ...] = (("additive", 400), ("bilinear", 64))
    seed: int = 20240

    @property
    def cases(self) -> list[Case]:
        """Return every head and target, the control last."""
        cases = [
            Case(head, target, additive, bilinear, draws)
            for head, draws in self.draws
            for target, additive, bilinear in self.targets
        ]
        return [*cases, Case(CONTROL, "bilinear", 0.0, 1.0, dict(self.draws)["bilinear"])]

    def world(self) -> dict[str, float]:
        """Return the settings that all cases share."""
        names = ("dimension", "exponent_v", "exponent_t", "noise", "ridge_over_trace")
        return {name: getattr(self, name) for name in names}

    def setting(self, case: Case) -> FusionSetting:
        """Return the setting of a case: isotropic raw coefficients."""
        if case.head == CONTROL:
            return self.gaussian_twin(self._setting("bilinear", case.additive, case.bilinear))
        head: Head = "additive" if case.head == "additive" else "bilinear"
        return self._setting(head, case.additive, case.bilinear)

    def _setting(self, head: Head, additive: float, bilinear: float) -> FusionSetting:
        """Return the setting of one head on one target with isotropic raw coefficients.

        Coefficients of equal size on all raw features give power proportional to eigenvalues.
        """
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
        )

    def gaussian_twin(self, setting: FusionSetting) -> FusionSetting:
        """Return the same spectrum, target power and noise on independent Gaussian features.

        The formula predicts the same error for both; only v (x) t is not Gaussian.
        """
        eigenvalues = setting.eigenvalues
        return FusionSetting(
            head="additive",
            eigenvalues_v=eigenvalues,
            # The second modality is empty but for one feature of variance and power 0.
            eigenvalues_t=np.zeros(1),
            additive_power=np.append(setting.target_power, 0.0),
            bilinear_power=np.zeros((eigenvalues.size, 1)),
            ridge=setting.ridge,
            noise=setting.effective_noise,
        )
