"""The searches and the tuned runs, by the program of `experiments.tuned_heads`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.tuned_heads import Config, measured_heads

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return a row per run at what the search chose, with how many settings were tried."""
    return measured_heads(config, predicted, records)
