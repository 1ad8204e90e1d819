"""Whether heads of tokens are predicted on a population of another kind than those looked at."""

from experiments.token_objects.config import POPULATIONS, Config

__all__ = ["POPULATIONS", "Config"]
