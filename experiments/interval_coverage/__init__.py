"""Do the intervals of predicted accuracies cover the truth where the truth is known?"""

from experiments.interval_coverage.config import Config, Population

__all__ = ["Config", "Population"]
