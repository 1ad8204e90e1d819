"""The networks, trained by the program of `experiments.degraded_networks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.chance_under_noise.config import Config
from experiments.degraded_networks import measured_networks

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return a row per run."""
    return measured_networks(config, predicted, records)
