"""What moments ask of the pairs that they come from, a sample's or a distribution's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fusiontheory.constraints import checked
from fusiontheory.typing import Array, Single

__all__ = ["LEAST_MEAN", "PairSignal", "PairSource"]

LEAST_MEAN = 0.01
"""Share of the second moment below which a mean moves accuracies by at most 0.1 points."""


@dataclass(frozen=True, eq=False)
class PairSignal:
    """The signal of matching in v (x) t, as far as the pairs tell it.

    Attributes:
        image_eigenvalues: of M_v, noise included, decreasing, shape (d_v,).
        text_eigenvalues: of M_t.
        grid: effective ridges, increasing, shape (g,).
        operator: d_0 .. d_3 of `fusiontheory.signal.lanczos` at each, (g, 4).
        error: standard error of the signal at each, (g,).
        reach: smallest effective ridge at which so many images show the signal; 0 for any.
    """

    image_eigenvalues: Array
    text_eigenvalues: Array
    grid: Array
    operator: Array
    error: Array
    reach: float


@checked
class PairSource(Protocol):
    """Matched pairs in the eigenbases of their second moments."""

    @property
    def images(self) -> float:
        """How many there are; infinite for a distribution."""

    @property
    def captions(self) -> int:
        """Texts of an image."""

    @property
    def of_images(self) -> bool:
        """Whether they are those of a sample of at least 50 images, which show functions."""

    @property
    def traces(self) -> tuple[float, float]:
        """The units of ``unit_trace_pairs``, tr M_v and tr M_t."""

    @property
    def eigenvalues(self) -> tuple[Array, Array]:
        """Of M_v and M_t of the pairs themselves, noise included."""

    @property
    def clean_eigenvalues(self) -> tuple[Array, Array]:
        """The same without the noise that is to be added."""

    @property
    def means(self) -> tuple[Array, Array]:
        """E v and E t."""

    def mean_powers(self) -> tuple[float, float]:
        """Return |E v|^2 and |E t|^2 without bias; 0 and 0 where no mean is known or counts."""

    def features(self, noise: bool = True) -> tuple[Array, Array] | None:
        """Return all v (n, d_v) and t (n, captions, d_t) in their units; None of a distribution."""

    @property
    def noise(self) -> tuple[float, float]:
        """Standard deviation of the noise that is to be added to v and to t."""

    @property
    def turn(self) -> Array | None:
        """What turns text coordinates into the image's; None where there is no such thing."""

    @property
    def text_likeness(self) -> Array:
        """Share of each text direction that two texts of one image have in common, (d_t,)."""

    def signal(self, power: Array) -> PairSignal:
        """Return the signal of the pairs, c^2 in their eigenbases given."""

    def noisy(self, image: float, text: float) -> PairSource:
        """Return v + sigma_v e and t + sigma_t e', e and e' standard normal and independent."""

    def rescaled(self, image: float, text: float) -> PairSource:
        """Return the pairs image * v, text * t."""

    def unit_trace_pairs(self, most: int) -> tuple[tuple[float, float], Single, Single]:
        """Return tr M_v and tr M_t, and up to ``most`` pairs at trace 1."""

    def lengths(self, most: int) -> tuple[Array, Array]:
        """Return |v|^2 and |t|^2 of ``unit_trace_pairs``."""
