"""Where linear algebra is done: a device of PyTorch, and the precision there."""

from __future__ import annotations

from dataclasses import dataclass

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked

__all__ = ["PRECISIONS", "Place"]

PRECISIONS = ("float64", "mixed")
"""float64 throughout, or Cholesky factors in float32 whose solutions are refined in float64."""


@checked
@dataclass(frozen=True)
class Place:
    """Where linear algebra is done, and how.

    Attributes:
        device: "cpu", or "cuda:k" of PyTorch.
        precision: one of `PRECISIONS`.

    Raises:
        InputError: for another precision.
    """

    device: str
    precision: str = "float64"

    def __post_init__(self) -> None:
        """Check the precision."""
        if self.precision not in PRECISIONS:
            raise InputError(
                f"precision must be one of {', '.join(PRECISIONS)}, got {self.precision!r}"
            )
