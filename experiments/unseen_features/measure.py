"""The truth: what trained heads reach on fresh corpora, measured as for the foreign populations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.foreign_features import Config as ForeignConfig
from experiments.foreign_features import measured_truth
from experiments.unseen_features.config import Config

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return the measured accuracies, a row for each population, head, ridge and n."""
    del predicted
    same = ForeignConfig(
        populations=config.populations,
        heads=config.heads,
        sizes=config.sizes,
        ridge=config.ridge,
        seed=config.seed,
    )
    return {"results.csv": measured_truth(same, records)}
