"""Settings of the checks; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.interval_coverage import Config as Coverage

__all__ = ["Config"]


@dataclass(frozen=True)
class Config(Coverage):
    """The populations of `experiments.interval_coverage`, with samples of their own.

    Attributes:
        samples: from which the spread of the dot product's signal is taken.
    """

    samples: int = 200
    seed: int = 9501
