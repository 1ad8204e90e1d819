"""Whether heads of tokens are predicted on a population of another kind than those looked at."""
