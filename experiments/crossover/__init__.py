"""Which head wins over alignment and interaction: measured crossovers against predicted ones."""

from experiments.crossover.crossings import last_crossing

__all__ = ["last_crossing"]
