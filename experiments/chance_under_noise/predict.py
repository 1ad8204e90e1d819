"""What Adam's metric says of each cell, by the program of `experiments.degraded_networks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.chance_under_noise.config import Config
from experiments.degraded_networks import predicted_networks

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict"]


def predict(config: Config, records: Records) -> Tables:
    """Return a row per head, n and sigma; cross-attention cannot see the image."""
    return predicted_networks(config, records)
