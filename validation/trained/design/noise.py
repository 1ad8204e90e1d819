"""Noise on features: v + sigma e, and back to unit norm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.checks import InputError, non_negative
from fusiontheory.curves import SIDES
from fusiontheory.data import FeatureSet, normalise
from fusiontheory.store import code_version
from fusiontheory.typing import AnyArray

__all__ = ["Noise", "noisy_features"]


@dataclass(frozen=True)
class Noise:
    """How much noise, and on which side; sigma = 0 is none, on "both".

    Raises:
        InputError: for a negative sigma or an unknown side.

    Example:
        >>> str(Noise(0.1, "text"))
        ', sigma = 0.1 on text'
    """

    sigma: float = 0.0
    side: str = "both"

    def __post_init__(self) -> None:
        """Check both."""
        non_negative("sigma", self.sigma)
        if self.side not in SIDES:
            raise InputError(f"side must be one of {', '.join(SIDES)}, got {self.side!r}")

    def __str__(self) -> str:
        """Return the end of a cell's name; empty without noise."""
        return f", sigma = {self.sigma:g} on {self.side}" if self.sigma else ""

    @property
    def sigmas(self) -> tuple[float, float]:
        """Standard deviations on image and text."""
        image, text = SIDES[self.side]
        return image * self.sigma, text * self.sigma


def noisy_features(
    features: FeatureSet, noise: Noise, renormalise: bool, entropy: int, arrays: bool = True
) -> FeatureSet:
    """Return features of all splits with normal noise in each coordinate.

    One draw e per image and per caption, the same for every sigma and side: it degrades the
    features once, and all heads and seeds meet the same ones.

    Args:
        features: of unit norm.
        noise: sigma is in units of the features, so that sigma^2 d is the noise's mean squared
            length beside their 1.
        renormalise: bring the noisy side back to unit norm.
        entropy: of e.
        arrays: with False, the features as they are under the fingerprint of the noisy ones:
            enough to find records.
    """
    if noise.sigma == 0:
        return features
    code = code_version(_degraded)
    recipe = ["noise", noise.sigma, noise.side, renormalise, entropy, code]
    if not arrays:
        return features.derived(None, None, recipe)
    seeds = np.random.SeedSequence(entropy, spawn_key=(2,)).spawn(2)
    image, text = (
        _degraded(x, sigma, renormalise, seed)
        for x, sigma, seed in zip((features.image, features.text), noise.sigmas, seeds, strict=True)
    )
    return features.derived(image, text, recipe)


def _degraded(
    x: AnyArray, sigma: float, renormalise: bool, seed: np.random.SeedSequence
) -> AnyArray:
    if sigma == 0:
        return x
    e = np.random.default_rng(seed).standard_normal(x.shape, dtype=np.float32)
    noisy = x + np.float32(sigma) * e
    return normalise(noisy).astype(np.float32) if renormalise else noisy
