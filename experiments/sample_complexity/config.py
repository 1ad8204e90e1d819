"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fusiontheory.synthetic import SharedLatentPairs, SyntheticConfig, Target

Head = Literal["additive", "bilinear"]
POINT = ["case", "head", "level", "d"]
QUANTITIES = ["measured", "predicted", "gaussian", "effective_dimension", "count"]


@dataclass(frozen=True)
class Case:
    """Spectrum of both modalities, and how the target's coefficients are drawn.

    Attributes:
        name: of the rows.
        spectrum: as in `fusiontheory.synthetic.spectra`.
        weights: "spectrum": coefficients of all raw features alike, so that power goes with the
            eigenvalues; "flat": power alike along all eigenfunctions.
    """

    name: str
    spectrum: str
    weights: Literal["spectrum", "flat"]


@dataclass(frozen=True)
class Config:
    """Cases, dimensions, levels and draws of the study."""

    cases: tuple[Case, ...] = (
        Case("flat", "flat", "spectrum"),
        Case("power law", "power 1", "spectrum"),
        Case("power law, flat target", "power 1", "flat"),
    )
    heads: tuple[Head, ...] = ("additive", "bilinear")
    # d = d_v = d_t, and training sets for the additive and for the bilinear head.
    draws: tuple[tuple[int, int, int], ...] = (
        (16, 80, 80),
        (24, 80, 80),
        (32, 80, 60),
        (48, 80, 30),
        (64, 80, 16),
        (96, 80, 8),
        (128, 80, 5),
    )
    # Excess risk over power of the target, and the largest n that is run for it.
    levels: tuple[tuple[float, int], ...] = ((0.5, 12500), (0.25, 6000))
    noise: float = 0.1
    # The n that are run, over the predicted one.
    ratios: tuple[float, ...] = (0.8, 0.9, 1.0, 1.1, 1.25)
    targets: int = 32
    resamples: int = 2000
    seed: int = 51700

    def configurations(self, case: Case, head: Head, d: int) -> tuple[SyntheticConfig, ...]:
        """Return the features with each of the targets, of power 1, that the head can represent."""
        pairs = SharedLatentPairs(d, d, spectrum_v=case.spectrum, spectrum_t=case.spectrum)
        return tuple(
            SyntheticConfig(
                pairs, Target(kind=head, weights=case.weights, noise=self.noise, seed=seed)
            )
            for seed in range(self.targets)
        )

    def sizes(self, predicted: float, most: int) -> tuple[int, ...]:
        """Return the n that are run around a predicted one, none above ``most``."""
        sizes = dict.fromkeys(round(ratio * predicted) for ratio in self.ratios)
        return tuple(n for n in sizes if n <= most)

    def training_sets(self, head: str, d: int) -> int:
        """Return the number of training sets of a head at a dimension."""
        additive, bilinear = {size: draws for size, *draws in self.draws}[d]
        return additive if head == "additive" else bilinear
