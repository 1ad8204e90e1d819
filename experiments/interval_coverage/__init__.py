"""Do the intervals of predicted accuracies cover the truth where the truth is known?"""

from experiments.interval_coverage.config import Config, Population
from experiments.interval_coverage.pairs import fresh_pairs

__all__ = ["Config", "Population", "fresh_pairs"]
